"""Pay, hold or reject: what stands on record of a conversion and of its affiliate decides, and nothing irreversible without a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from fraud.domain.decisions import Decision, Outcome
from fraud.domain.events import Conversion
from fraud.domain.payments import PayAction, PaymentLine, PaymentRun, PaymentTotal
from fraud.domain.reviews import Disposition, Review
from fraud.domain.scans import RankedSubject

_REVERSED = {"rejected": "The tracker rejected it.", "refunded": "It was refunded.", "chargeback": "The payment was charged back."}

PUBLIC_REVERSED = "The sale did not stand."
PUBLIC_SUSPENDED = "The account is not active."
PUBLIC_HELD = "The commission is being checked and will be paid or explained."


@dataclass(frozen=True)
class Records:
    """What is on record by the time of the run: statuses and newest scan by affiliate, decisions and reviews by conversion, and what
    reviewers found of affiliates."""

    statuses: Mapping[str, str] = field(default_factory=dict)
    scanned: Mapping[str, RankedSubject] = field(default_factory=dict)
    decided: Mapping[str, Decision] = field(default_factory=dict)
    reviews: Mapping[str, Review] = field(default_factory=dict)
    found: Mapping[str, Review] = field(default_factory=dict)


def line_of(conversion: Conversion, records: Records, ended: frozenset[str]) -> PaymentLine:
    """One conversion's line. `ended` are the words by which programs say that somebody's traffic is no longer wanted.

    Rejected is what was reversed, what a person found bad, and what came from somebody whom people suspended. A person's word that a
    conversion is good pays it whatever the machine says. Everything else that weighs waits: no machine's word alone takes money away.
    """
    affiliate = conversion.affiliate_id
    review, decision = records.reviews.get(conversion.conversion_id), records.decided.get(conversion.conversion_id)
    decision_id = decision.decision_id if decision else ""
    if conversion.status in _REVERSED:
        return _line(conversion, PayAction.REJECT, (_REVERSED[conversion.status],), PUBLIC_REVERSED, decision_id)
    if review is not None and review.disposition is Disposition.CONFIRMED:
        why = f"{review.reviewer_name} found it bad: {review.reason}"
        return _line(conversion, PayAction.REJECT, (why,), decision.verdict.public_reason if decision else "", decision_id)
    if (status := records.statuses.get(affiliate, "")).strip().lower() in ended:
        return _line(conversion, PayAction.REJECT, (f"The affiliate is {status.strip().lower()}.",), PUBLIC_SUSPENDED, decision_id)
    if review is not None and review.disposition is Disposition.DISMISSED:
        return _line(conversion, PayAction.PAY, (f"{review.reviewer_name} found it good: {review.reason}",), "", decision_id)
    return _by_evidence(conversion, records, decision)


def clawback_of(run: PaymentRun, paid: frozenset[str] | None) -> PaymentRun:
    """What of a period that was paid is not owed by what is known now: its rejected conversions, `paid` alone when it is known which were.

    What merely waits is left alone: no machine's word takes back what was paid.
    """
    lines = tuple(one for one in run.lines if one.action is PayAction.REJECT and (paid is None or one.conversion_id in paid))
    return msgspec.structs.replace(run, lines=lines, totals=totals_of(lines))


def totals_of(lines: Iterable[PaymentLine]) -> tuple[PaymentTotal, ...]:
    """The sums by action and currency, in that order."""
    sums: dict[tuple[PayAction, str], tuple[int, Decimal, int]] = {}
    for line in lines:
        key = (line.action, line.currency or "")
        count, commission, unknown = sums.get(key, (0, Decimal(0), 0))
        known = line.commission is not None
        sums[key] = (count + 1, commission + (line.commission or Decimal(0)), unknown + (not known))
    ordered = sorted(sums.items(), key=lambda item: (list(PayAction).index(item[0][0]), item[0][1]))
    return tuple(
        PaymentTotal(action=action, currency=currency, conversions=count, commission=commission, unknown=unknown)
        for (action, currency), (count, commission, unknown) in ordered
    )


def _by_evidence(conversion: Conversion, records: Records, decision: Decision | None) -> PaymentLine:
    scanned, found = records.scanned.get(conversion.affiliate_id), records.found.get(conversion.affiliate_id)
    if decision is not None and decision.verdict.outcome is not Outcome.ALLOW:
        reasons = tuple(reason.text for reason in decision.verdict.reasons)
        return _line(conversion, PayAction.HOLD, reasons, PUBLIC_HELD, decision.decision_id)
    if found is not None and found.disposition is Disposition.CONFIRMED:
        why = f"{found.reviewer_name} confirmed the affiliate's alert: {found.reason}"
        return _line(conversion, PayAction.HOLD, (why,), PUBLIC_HELD, found.decision_id)
    cleared = found is not None and found.disposition is Disposition.DISMISSED
    if scanned is not None and not cleared and scanned.outcome in {Outcome.HOLD, Outcome.SUSPEND}:
        reasons = tuple(reason.text for reason in scanned.reasons)
        return _line(conversion, PayAction.HOLD, reasons, PUBLIC_HELD, scanned.decision_id)
    return _line(conversion, PayAction.PAY, (), "", decision.decision_id if decision else "")


def _line(conversion: Conversion, action: PayAction, reasons: tuple[str, ...], public: str, decision_id: str) -> PaymentLine:
    return PaymentLine(
        conversion_id=conversion.conversion_id,
        affiliate_id=conversion.affiliate_id,
        converted_at=conversion.converted_at,
        action=action,
        reasons=reasons,
        public_reason=public,
        decision_id=decision_id,
        offer_id=conversion.offer_id,
        sub_id=conversion.sub_id,
        order_id=conversion.order_id,
        commission=conversion.commission,
        currency=conversion.currency,
    )
