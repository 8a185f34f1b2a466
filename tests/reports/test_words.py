from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.domain.decisions import DecisionKind, Outcome, SubjectKind
from fraud.domain.scans import Period
from fraud.domain.signals import Family, Severity, Signal, Status, Tier
from fraud.reports import words
from tests.reports import samples


@pytest.mark.parametrize(
    ("table", "members"),
    [
        (words.OUTCOMES, Outcome),
        (words.OUTCOME_MEANINGS, Outcome),
        (words.OUTCOME_TONES, Outcome),
        (words.SEVERITIES, Severity),
        (words.SEVERITY_TONES, Severity),
        (words.TIERS, Tier),
        (words.FAMILIES, Family),
        (words.STATUSES, Status),
        (words.SUBJECT_KINDS, SubjectKind),
        (words.DECISION_KINDS, DecisionKind),
    ],
)
def test_every_member_has_words(table: dict[str, str], members: type[Outcome]) -> None:
    assert set(table) == set(members)


def test_nobody_is_called_names() -> None:
    everything = " ".join([*words.OUTCOMES.values(), *words.OUTCOME_MEANINGS.values(), *words.TYPOLOGIES.values(), *words.GUARDS.values()])
    assert "fraud" not in everything.lower()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.43, "43%"),
        (0.072, "7.2%"),
        (0.07, "7%"),
        (1.0, "100%"),
        (0.0, "0%"),
        (0.00002, "below 0.01%"),
        (0.0015, "0.15%"),
        (None, "unknown"),
    ],
)
def test_shares(value: float | None, said: str) -> None:
    assert words.share(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0.4 s"), (42, "42 s"), (60, "1 min"), (200, "3 min 20 s"), (18_720, "5 h 12 min"), (259_200, "3 d"), (-90, "−1 min 30 s")],
)
def test_durations(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.01234, "0.0123"), (20.04, "20"), (1234.5, "1,234"), (1_000_000, "1,000,000"), (-0.5, "-0.5"), (float("nan"), "unknown")],
)
def test_numbers(value: float, said: str) -> None:
    assert words.number(value) == said


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_number_in_words_is_near_the_number(value: float) -> None:
    said = float(words.number(value).replace(",", ""))
    assert said == pytest.approx(value, rel=0.006, abs=1e-8)


@given(st.floats())
def test_no_figure_breaks_the_words(value: float) -> None:
    for unit in ("share", "s", "ms", "clicks", "ratio", ""):
        assert words.quantity(value, unit)


def test_units_are_said_as_people_say_them() -> None:
    assert words.quantity(0.5, "share") == "50%"
    assert words.quantity(1_500, "ms") == "1.5 s"
    assert words.quantity(1.4, "clicks") == "1.4 clicks"
    assert words.quantity(None, "clicks") == "unknown"


def test_money_without_currency_is_only_a_figure_and_unknown_money_is_unknown() -> None:
    assert words.money(Decimal("1240.5"), "EUR") == "1,240.50 EUR"
    assert words.money(12.345, None) == "12.35"
    assert words.money(None, "EUR") == "unknown"
    assert words.at_risk(samples.risk(None)) == "unknown"
    assert words.risk_range(samples.risk("100")) == "60.00 to 130.00 EUR"


def test_whole_days_are_named_by_the_days_they_hold() -> None:
    three = Period(start=datetime(2026, 3, 1, tzinfo=UTC), end=datetime(2026, 3, 4, tzinfo=UTC))
    assert words.period(three) == "1 Mar 2026 to 3 Mar 2026"
    one = Period(start=datetime(2026, 3, 1, tzinfo=UTC), end=datetime(2026, 3, 2, tzinfo=UTC))
    assert words.period(one) == "1 Mar 2026"
    odd = Period(start=datetime(2026, 3, 1, 10, tzinfo=UTC), end=datetime(2026, 3, 2, tzinfo=UTC))
    assert words.period(odd) == "1 Mar 2026, 10:00 UTC to 2 Mar 2026, 00:00 UTC"


def test_a_reason_is_measured_in_its_unit() -> None:
    assert words.measured("share", 0.61) == "61%"
    assert words.measured("ratio", 0.2) == "0.2×"
    assert words.measured("", 0.61) == "0.61"
    assert words.measured("", {"median words": 54}) == "median words: 54"
    assert words.measured("share", None) == ""


def test_what_a_check_saw_is_one_line_whatever_its_shape() -> None:
    assert words.plain(True) == "yes"
    assert words.plain(["a", 2]) == "a; 2"
    assert words.plain({"click_share": 0.5}) == "click share: 0.5"
    assert words.plain(list(range(9))) == "0; 1; 2; 3; 4; 5; and 3 more"


@pytest.mark.parametrize(
    ("check_id", "family", "question"),
    [
        ("website.parked", Family.CONTENT, "Is it real?"),
        ("application.email_domain", Family.IDENTITY, "Is it theirs?"),
        ("website.hidden_tracking", Family.POLICY, "Does it fit our terms?"),
        ("website.identity_pages", Family.IDENTITY, "Who are they?"),
        ("some.check_of_tomorrow", Family.REPUTATION, "Is it real?"),
    ],
)
def test_every_signal_answers_one_of_four_questions(check_id: str, family: Family, question: str) -> None:
    assert words.question_of(Signal(check_id=check_id, subject="x", status=Status.CLEAR, family=family)) == question


def test_control_characters_and_direction_overrides_cannot_act() -> None:
    assert words.clean("a\x00b\u202ec\ud800d") == "a�b�c�d"
    assert words.clean("שותף\n") == "שותף\n"


@given(st.text(max_size=400), st.integers(8, 60))
def test_a_short_name_fits_and_keeps_both_ends(text: str, limit: int) -> None:
    said = words.short(text, limit)
    assert len(said) <= max(limit, 0)
    assert said[:1] == text[:1]
    assert said[-1:] == text[-1:]
