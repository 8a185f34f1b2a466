"""The digest of who is watched, and releases that noise cannot bring about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fraud.domain.decisions import Outcome
from fraud.domain.nights import SubjectLine
from fraud.domain.outbox import EventKind
from fraud.domain.scans import ScanResult
from fraud.policy.pack import CapPolicy
from fraud.sinks.words import text_of, title_of
from fraud.workflows.nights_told import MOST_LISTED, releases, watch_digest
from tests.storage.samples import NOON, scan

POLICY = CapPolicy()
LINE = scan().affiliates[0]


def night(*outcomes: Outcome) -> ScanResult:
    """A scan in which affiliates `a0`, `a1`… have these outcomes."""
    return msgspec.structs.replace(
        scan(), affiliates=tuple(msgspec.structs.replace(LINE, affiliate_id=f"a{n}", outcome=one) for n, one in enumerate(outcomes))
    )


def history(*outcomes: Outcome, first: int = 0) -> list[SubjectLine]:
    """An affiliate's nights, given oldest first and returned newest first, one a day."""
    fields: dict[str, Any] = {"scan_id": "scan_1", "affiliate_id": "a0", "rank": 1, "score": 0.1, "alerted": False, "clicks": 9}
    fields |= {"conversions": 1, "commission": None, "at_risk": None, "currency": None, "why": ""}
    fields = {name: value for name, value in fields.items() if name in SubjectLine.__struct_fields__}
    lines = [SubjectLine(**fields, as_of=NOON + timedelta(days=first + n), outcome=one) for n, one in enumerate(outcomes)]
    return lines[::-1]


def freed(lines: list[SubjectLine]) -> bool:
    return bool(releases(night(Outcome.PASS), {"a0": lines}, POLICY))


def test_a_digest_says_who_is_watched_who_is_new_and_who_is_gone() -> None:
    (event,) = watch_digest(night(Outcome.WATCH, Outcome.WATCH, Outcome.PASS), night(Outcome.WATCH, Outcome.PASS, Outcome.WATCH))
    assert event.kind is EventKind.WATCH_DIGEST
    assert (event.data["watched"], event.data["new"], event.data["gone"]) == (2, ["a1"], ["a2"])
    assert [one["affiliate_id"] for one in event.data["affiliates"]] == ["a0", "a1"]
    assert title_of(event).startswith("On watch")
    assert "new: a1" in text_of(event)


def test_it_counts_more_than_it_names_and_is_silent_about_nobody() -> None:
    (event,) = watch_digest(night(*[Outcome.WATCH] * (MOST_LISTED + 9)), None)
    assert (event.data["watched"], len(event.data["affiliates"])) == (MOST_LISTED + 9, MOST_LISTED)
    assert watch_digest(night(Outcome.PASS), None) == []
    assert watch_digest(night(Outcome.PASS), night(Outcome.REVIEW)) == []


def test_a_hold_ends_after_calm_nights_and_is_told_once() -> None:
    held, calm = Outcome.HOLD, Outcome.PASS
    assert not freed(history(held, calm, calm))
    assert freed(history(held, calm, calm, calm))
    assert not freed(history(held, calm, calm, calm, calm))
    assert not freed(history(held, calm, Outcome.REVIEW, calm, calm))
    assert freed(history(held, calm, Outcome.WATCH, calm, calm))


def test_scanning_one_night_again_makes_nobody_calmer() -> None:
    lines = history(Outcome.HOLD, Outcome.PASS)
    assert not freed([lines[0]] * 9 + lines)
    tonight = night(Outcome.PASS)
    three = history(Outcome.HOLD, Outcome.PASS, Outcome.PASS, Outcome.PASS)
    ids = {releases(msgspec.structs.replace(tonight, scan_id=f"scan_{n}"), {"a0": three}, POLICY)[0].event_id for n in range(3)}
    assert len(ids) == 1


@given(st.lists(st.sampled_from([Outcome.PASS, Outcome.WATCH, Outcome.REVIEW, Outcome.HOLD, Outcome.SUSPEND]), min_size=1, max_size=40))
def test_nobody_is_freed_who_was_not_held_or_not_calm_of_late(outcomes: list[Outcome]) -> None:
    if freed(history(*outcomes)):
        assert {Outcome.HOLD, Outcome.SUSPEND} & set(outcomes)
        assert outcomes[-1] is Outcome.PASS
        assert outcomes.count(Outcome.PASS) >= POLICY.calm_nights
