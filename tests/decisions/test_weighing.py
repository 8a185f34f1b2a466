from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.decisions.weighing import coverage, findings, log_odds, may_act, probability
from fraud.domain.catalogue import CHECKS, Observation
from fraud.domain.signals import Severity, Signal, Status
from fraud.policy.loading import load_pack
from fraud.policy.pack import Pack

SEEN = Observation(text="seen")


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack()


def found(check_id: str, severity: Severity = Severity.HIGH, subject: str = "a") -> Signal:
    return CHECKS[check_id].finding(subject, severity, SEEN)


def clear(check_id: str) -> Signal:
    return CHECKS[check_id].clear("a", SEEN)


def test_a_finding_weighs_by_severity(pack: Pack) -> None:
    assert log_odds(pack, [found("website.parked")]) == 3.5
    assert log_odds(pack, [found("website.parked", Severity.LOW)]) == 3.5 * 0.25


def test_findings_of_one_family_are_capped(pack: Pack) -> None:
    content = [found(check) for check in ("website.parked", "website.thin", "website.reachable", "website.topic")]
    assert log_odds(pack, content) == pack.family_caps[content[0].family]


def test_a_check_counts_once_however_many_sites_it_found_it_on(pack: Pack) -> None:
    once = log_odds(pack, [found("website.thin")])
    assert log_odds(pack, [found("website.thin", subject=f"site{i}") for i in range(5)]) == once


def test_a_clear_result_does_not_cancel_a_finding_of_the_same_check(pack: Pack) -> None:
    assert log_odds(pack, [found("website.topic"), clear("website.topic")]) == log_odds(pack, [found("website.topic")])


@pytest.mark.parametrize("status", [Status.INCONCLUSIVE, Status.NOT_APPLICABLE, Status.ERROR])
def test_missing_is_never_clear_and_never_guilty(pack: Pack, status: Status) -> None:
    spec = CHECKS["website.identity_pages"]
    signal = {
        Status.INCONCLUSIVE: spec.inconclusive("a", "no"),
        Status.NOT_APPLICABLE: spec.not_applicable("a", "no"),
        Status.ERROR: spec.error("a", "no"),
    }[status]
    assert log_odds(pack, [signal]) == 0
    assert findings([signal]) == ()


def test_coverage_leaves_out_what_does_not_apply(pack: Pack) -> None:
    said = [found("website.thin"), clear("website.topic")]
    missing = CHECKS["website.language"].inconclusive("a", "too short")
    besides = CHECKS["website.disclosure"].not_applicable("a", "no links")
    assert coverage(pack, [*said, missing, besides]) == pytest.approx(2 / 3)
    assert coverage(pack, [besides]) == 0


def test_acting_takes_one_conclusive_finding_or_two_independent_families() -> None:
    assert may_act([found("traffic.self_referral")])
    assert not may_act([found("traffic.fast_conversions")])
    assert not may_act([found("traffic.fast_conversions"), found("traffic.late_conversions")])  # one family: timing
    assert may_act([found("traffic.fast_conversions"), found("traffic.repeated_customers")])
    assert not may_act([found("traffic.peer_residuals"), found("traffic.anomaly"), found("traffic.too_many_conversions")])


@given(st.floats(0.001, 0.999), st.floats(-20, 20), st.floats(0.001, 5))
def test_more_evidence_never_lowers_the_probability(prior: float, evidence: float, more: float) -> None:
    assert 0 <= probability(prior, evidence) <= probability(prior, evidence + more) <= 1
    assert math.isclose(probability(prior, 0), prior)


def test_findings_come_gravest_first_in_a_stable_order() -> None:
    signals = [found("website.thin", Severity.LOW), found("website.parked"), found("website.topic", Severity.LOW)]
    assert [s.check_id for s in findings(signals)] == ["website.parked", "website.thin", "website.topic"]
    assert findings(signals) == findings(signals[::-1])
