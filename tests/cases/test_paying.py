"""Pay, hold, reject: what a person found goes before what the machine thinks, and no machine takes money away alone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from fraud.cases.paying import Records, clawback_of, line_of, totals_of
from fraud.checks.standing import ENDED
from fraud.domain.decisions import Decision, DecisionKind, Outcome, SubjectKind
from fraud.domain.events import Conversion
from fraud.domain.payments import PayAction, PaymentLine, PaymentRun
from fraud.domain.reviews import Disposition, Review, Source
from fraud.domain.scans import Period
from fraud.errors import InputError
from fraud.reports.payments import FORMATS, paid_in, payments_csv
from tests.storage.samples import NOON, decision, scan

SCANNED = scan().affiliates[0]


def conversion(number: int = 1, **changes: Any) -> Conversion:
    given: dict[str, Any] = {"converted_at": NOON, "affiliate_id": "aff_1", "commission": Decimal("4.50")}
    given |= {"currency": "EUR", "order_id": f"o{number}"}
    return Conversion(conversion_id=f"v{number}", **(given | changes))


def decided(outcome: Outcome) -> Decision:
    made = decision("dec_v", kind=DecisionKind.CONVERSION, subject_kind=SubjectKind.CONVERSION, subject_id="v1")
    return msgspec.structs.replace(made, verdict=msgspec.structs.replace(made.verdict, outcome=outcome))


def reviewed(disposition: Disposition) -> Review:
    return Review(
        review_id="rev",
        program_id="shoes",
        subject_kind=SubjectKind.CONVERSION,
        subject_id="v1",
        source=Source.FEEDBACK,
        disposition=disposition,
        reason="Called the customer.",
        reviewer_id="ada",
        reviewer_name="Ada",
        reviewed_at=NOON,
    )


def held(outcome: Outcome = Outcome.HOLD) -> dict[str, Any]:
    return {"scanned": {"aff_1": msgspec.structs.replace(SCANNED, outcome=outcome)}}


@pytest.mark.parametrize(
    ("status", "records", "action"),
    [
        (None, {}, PayAction.PAY),
        ("approved", {}, PayAction.PAY),
        ("refunded", {"reviews": {"v1": reviewed(Disposition.DISMISSED)}}, PayAction.REJECT),
        (None, {"decided": {"v1": decided(Outcome.ALLOW)}}, PayAction.PAY),
        (None, {"decided": {"v1": decided(Outcome.REVIEW)}}, PayAction.HOLD),
        (None, {"decided": {"v1": decided(Outcome.BLOCK)}}, PayAction.HOLD),
        (None, {"decided": {"v1": decided(Outcome.BLOCK)}, "reviews": {"v1": reviewed(Disposition.CONFIRMED)}}, PayAction.REJECT),
        (None, {"decided": {"v1": decided(Outcome.BLOCK)}, "reviews": {"v1": reviewed(Disposition.DISMISSED)}}, PayAction.PAY),
        (None, {"decided": {"v1": decided(Outcome.REVIEW)}, "reviews": {"v1": reviewed(Disposition.UNCLEAR)}}, PayAction.HOLD),
        (None, held(), PayAction.HOLD),
        (None, held(Outcome.SUSPEND), PayAction.HOLD),
        (None, held(Outcome.REVIEW), PayAction.PAY),
        (None, held() | {"found": {"aff_1": reviewed(Disposition.DISMISSED)}}, PayAction.PAY),
        (None, {"found": {"aff_1": reviewed(Disposition.CONFIRMED)}}, PayAction.HOLD),
        (None, {"statuses": {"aff_1": " Suspended "}}, PayAction.REJECT),
        (None, {"statuses": {"aff_1": "active"}}, PayAction.PAY),
    ],
)
def test_what_stands_on_record_decides(status: str | None, records: dict[str, Any], action: PayAction) -> None:
    line = line_of(conversion(status=status), Records(**records), ENDED)
    assert line.action is action
    assert line.action is PayAction.PAY or line.reasons


def test_what_waits_leads_to_its_evidence_and_tells_the_affiliate_no_detector() -> None:
    line = line_of(conversion(), Records(decided={"v1": decided(Outcome.REVIEW)}), ENDED)
    assert line.decision_id == "dec_v"
    assert line.reasons == tuple(reason.text for reason in decided(Outcome.REVIEW).verdict.reasons)
    assert all(reason not in line.public_reason for reason in line.reasons)


def test_totals_are_by_action_and_currency_and_unknown_is_not_zero() -> None:
    lines = [
        line_of(conversion(1), Records(), ENDED),
        line_of(conversion(2, currency="USD"), Records(), ENDED),
        line_of(conversion(3, commission=None), Records(), ENDED),
        line_of(conversion(4, status="chargeback"), Records(), ENDED),
    ]
    assert [(t.action.value, t.currency, t.conversions, t.commission, t.unknown) for t in totals_of(lines)] == [
        ("pay", "EUR", 2, Decimal("4.50"), 1),
        ("pay", "USD", 1, Decimal("4.50"), 0),
        ("reject", "EUR", 1, Decimal("4.50"), 0),
    ]


def run(*conversions: Conversion) -> PaymentRun:
    lines = tuple(line_of(one, Records(decided={"v1": decided(Outcome.REVIEW)}), ENDED) for one in conversions)
    period = Period(start=NOON, end=NOON + timedelta(days=1))
    return PaymentRun(program_id="shoes", period=period, made_at=NOON, lines=lines, totals=totals_of(lines))


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_for_a_tracker_has_every_conversion_and_no_detectors_words(name: str) -> None:
    made = run(conversion(1), conversion(2), conversion(3, status="rejected"))
    text = payments_csv(made, name)
    kept = ["v3"] if name == "impact" else ["v1", "v2", "v3"]
    assert len(text.splitlines()) == 1 + len(kept)
    assert all(one in text for one in kept)
    shown = made.lines[0].reasons[0] in text
    assert shown is (name == "csv")


def test_a_cell_that_a_spreadsheet_would_run_is_only_text() -> None:
    text = payments_csv(run(conversion(9, sub_id="=HYPERLINK(1)", order_id="@SUM(A1)", commission=Decimal("-4.50"))), "csv")
    assert "'=HYPERLINK(1)" in text
    assert "'@SUM(A1)" in text
    assert ",-4.50," in text


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_list_still_has_its_columns(name: str) -> None:
    assert len(payments_csv(run(), name).splitlines()) == 1


def run_of(*lines: PaymentLine) -> PaymentRun:
    period = Period(start=NOON, end=NOON + timedelta(days=1))
    return PaymentRun(program_id="shoes", period=period, made_at=NOON, lines=lines, totals=totals_of(lines))


def test_a_clawback_asks_for_what_was_paid_and_is_rejected_now() -> None:
    lines = [line_of(conversion(n, status=status), Records(), ENDED) for n, status in enumerate(("refunded", "approved", "chargeback"))]
    run = run_of(*lines)
    assert [one.conversion_id for one in clawback_of(run, None).lines] == ["v0", "v2"]
    some = clawback_of(run, frozenset({"v1", "v2"}))
    assert [one.conversion_id for one in some.lines] == ["v2"]
    assert some.totals[0].commission == Decimal("4.50")


def test_a_machine_s_word_takes_nothing_back() -> None:
    waiting = line_of(conversion(), Records(**held()), ENDED)
    assert waiting.action is PayAction.HOLD
    assert clawback_of(run_of(waiting), None).lines == ()


def test_what_was_paid_is_read_from_the_run_itself() -> None:
    lines = [line_of(conversion(n, status=status), Records(), ENDED) for n, status in enumerate(("refunded", "approved"))]
    odd = msgspec.structs.replace(lines[1], conversion_id="=v9")
    assert paid_in(payments_csv(run_of(*lines, odd), "csv")) == {"v1", "=v9"}
    with pytest.raises(InputError, match="fraud pay --out"):
        paid_in("id,status\n1,approved\n")
