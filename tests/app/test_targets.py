"""Targets in a program: set with a reason, followed by the lake's figures, ended on the record, read by the affiliate."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from fraud.app.affiliate_reports import report_of
from fraud.app.parts import App
from fraud.app.targets import ON_HOLD, Wanted, end_target, progress, set_target
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.decisions import Outcome
from fraud.domain.scans import Period
from fraud.domain.targets import Metric, TargetState
from fraud.errors import InputError, NotFound
from fraud.reports.performance import performance_report
from tests.conftest import MORNING

WHY = (SYSTEM, "Spring campaign")
AHEAD = MORNING + timedelta(days=7)


def wanted(goal: str = "1", affiliate: str = "", metric: Metric = Metric.CLICKS) -> Wanted:
    return Wanted(affiliate, metric, Decimal(goal), MORNING - timedelta(days=7), AHEAD, "1% more")


@pytest.mark.parametrize(
    ("asked", "reason", "sentence"),
    [
        (wanted(), " ", "--reason"),
        (wanted("0"), "Why not", "above 0"),
        (wanted("-3"), "Why not", "above 0"),
        (wanted("NaN"), "Why not", "above 0"),
        (wanted("5", metric=Metric.CONVERSION_RATE), "Why not", "between 0 and 1"),
        (Wanted("", Metric.CLICKS, Decimal(1), AHEAD, AHEAD), "Why not", "before it begins"),
        (Wanted("", Metric.CLICKS, Decimal(1), MORNING - timedelta(days=9), MORNING - timedelta(days=1)), "Why not", "is past"),
        (Wanted("", Metric.CLICKS, Decimal(1), MORNING, MORNING + timedelta(days=400)), "Why not", "at most 366 days"),
    ],
)
def test_a_target_is_specific_measured_and_dated(app: App, asked: Wanted, reason: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        set_target(app, DEFAULT_PROGRAM, asked, (SYSTEM, reason))


def test_everybody_s_target_is_followed_for_whoever_is_active(scanned_copy: App) -> None:
    set_target(scanned_copy, DEFAULT_PROGRAM, wanted(), WHY)
    standing = progress(scanned_copy, DEFAULT_PROGRAM)
    assert len(standing) > 1
    assert {one.state for one in standing} == {TargetState.MET}
    held = {one.affiliate_id for one in standing if one.waits == ON_HOLD}
    scan = scanned_copy.stores.scans.latest(DEFAULT_PROGRAM)
    assert scan is not None
    assert held == {one.affiliate_id for one in scan.affiliates if one.outcome in {Outcome.HOLD, Outcome.SUSPEND}}


def test_one_affiliate_s_target_is_its_own_and_stands_in_its_report(scanned_copy: App) -> None:
    scan = scanned_copy.stores.scans.latest(DEFAULT_PROGRAM)
    assert scan is not None
    name, other = scan.affiliates[0].affiliate_id, scan.affiliates[1].affiliate_id
    target = set_target(scanned_copy, DEFAULT_PROGRAM, wanted("1000000", name, Metric.CONVERSIONS), WHY)
    assert [one.affiliate_id for one in progress(scanned_copy, DEFAULT_PROGRAM)] == [name]
    assert progress(scanned_copy, DEFAULT_PROGRAM, other) == []
    report = report_of(scanned_copy, DEFAULT_PROGRAM, name, Period(start=MORNING - timedelta(days=3), end=MORNING))
    html = performance_report(report)
    assert "Your targets" in html
    assert "at least 1,000,000" in html
    assert "1% more" in html
    end_target(scanned_copy, DEFAULT_PROGRAM, target.target_id, WHY)
    assert progress(scanned_copy, DEFAULT_PROGRAM) == []
    actions = [entry["action"] for entry in scanned_copy.stores.audit.entries(DEFAULT_PROGRAM, 2)]
    assert actions == ["target.ended", "target.set"]


def test_ending_takes_a_reason_and_a_target(app: App) -> None:
    with pytest.raises(NotFound, match="fraud target list"):
        end_target(app, DEFAULT_PROGRAM, "tgt_none", WHY)
    target = set_target(app, DEFAULT_PROGRAM, wanted(), WHY)
    with pytest.raises(InputError, match="--reason"):
        end_target(app, DEFAULT_PROGRAM, target.target_id, (SYSTEM, ""))
