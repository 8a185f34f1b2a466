"""Running checks: in order, under the pack, and never silent about one that breaks."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest
from structlog.testing import capture_logs

from fraud.checks.applicants import APPLICATION_CHECKS, SITE_CHECKS
from fraud.checks.running import Check, prepare, run_applicant_checks, run_check, run_checks
from fraud.domain.catalogue import APPLICANT_CHECKS, CHECKS, CLICK_CHECKS, Limits, Observation
from fraud.domain.decisions import DecisionKind
from fraud.domain.signals import Severity, Signal, Status
from fraud.policy.pack import Pack
from tests.checks.applicants.samples import BLOG, PACK, facts, site, unreachable


@dataclass(frozen=True)
class Row:
    clicks: int


def without(pack: Pack, *names: str) -> Pack:
    checks = {name: msgspec.structs.replace(policy, enabled=name not in names) for name, policy in pack.checks.items()}
    return msgspec.structs.replace(pack, checks=checks)


def counting(check_id: str, parameter: str) -> Check[Row]:
    """A check of rows that finds whatever lies over its threshold, in the shape of the traffic and click checks."""

    def check(row: Row, limits: Limits) -> tuple[Signal, ...]:
        spec, seen = CHECKS[check_id], Observation(text=f"{row.clicks}", value=row.clicks)
        return (spec.finding("row", Severity.LOW, seen) if row.clicks > limits[parameter] else spec.clear("row", seen),)

    return check


def broken(row: object, limits: Limits) -> Signal:
    raise ValueError(f"cannot read {row}")


def test_every_applicant_check_of_the_catalogue_has_its_function() -> None:
    assert {spec.check_id for spec in APPLICANT_CHECKS} == {*SITE_CHECKS, *APPLICATION_CHECKS}


def test_signals_come_in_the_catalogues_order_with_a_site_after_another() -> None:
    seen = run_applicant_checks(PACK, facts(site(), unreachable("https://second.example/")))
    assert list(dict.fromkeys(signal.check_id for signal in seen)) == [spec.check_id for spec in APPLICANT_CHECKS]
    assert [signal.subject for signal in seen if signal.check_id == "website.parked"] == [BLOG, "https://second.example/"]


def test_a_check_that_is_switched_off_is_left_out() -> None:
    seen = run_applicant_checks(without(PACK, "website.topic"), facts(site()))
    assert "website.topic" not in {signal.check_id for signal in seen}


def test_a_broken_check_is_an_error_that_names_it_and_the_log_tells_why() -> None:
    spec = CHECKS["website.topic"]
    with capture_logs() as logs:
        (signal,) = run_check(spec, broken, BLOG, Row(1), {})
    assert signal.status is Status.ERROR
    assert "website.topic" in signal.text
    assert "ValueError" in signal.text
    assert logs[0]["check_id"] == "website.topic"
    assert logs[0]["exc_info"] is True


def test_one_broken_check_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fraud.checks.running.SITE_CHECKS", {**SITE_CHECKS, "website.topic": broken})
    with capture_logs():
        seen = {signal.check_id: signal.status for signal in run_applicant_checks(PACK, facts(site()))}
    assert seen["website.topic"] is Status.ERROR
    assert seen["website.thin"] is Status.CLEAR


def test_a_visit_that_broke_off_is_an_error_of_every_check_of_the_site() -> None:
    lost = msgspec.structs.replace(facts(site()), sites=(), failed_visits=(BLOG,))
    seen = {signal.check_id: signal for signal in run_applicant_checks(PACK, lost)}
    assert {seen[name].status for name in SITE_CHECKS} == {Status.ERROR}
    assert BLOG in seen["website.parked"].text


def test_a_website_nobody_visited_is_inconclusive() -> None:
    seen = run_applicant_checks(PACK, msgspec.structs.replace(facts(site()), sites=()))
    assert {signal.status for signal in seen if signal.check_id in SITE_CHECKS} == {Status.INCONCLUSIVE}


def test_checks_of_rows_run_the_same_way() -> None:
    only = without(PACK, *(spec.check_id for spec in CLICK_CHECKS if spec.check_id != "click.burst"))
    checks = {"click.burst": counting("click.burst", "maximum_per_minute")}
    (calm,) = run_checks(only, DecisionKind.SCORE, checks, Row(3), "click-1")
    (busy,) = prepare(only, DecisionKind.SCORE, checks).run("click-2", Row(500))
    assert (calm.status, busy.status) == (Status.CLEAR, Status.FINDING)


def test_a_check_without_a_function_is_told_at_once() -> None:
    with pytest.raises(LookupError, match=r"click\.burst"):
        prepare(PACK, DecisionKind.SCORE, {})
