from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from fraud.cases.alerting import Candidate, alert_of, budget_of, choose, discoveries, seen_again
from fraud.decisions.deciding import decide_traffic
from fraud.domain.catalogue import CHECKS, Observation
from fraud.domain.decisions import Decision, DecisionKind, SubjectKind
from fraud.domain.signals import Family, Severity, Signal
from fraud.policy.loading import load_pack

PACK = load_pack()
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def found(check_id: str, severity: Severity = Severity.HIGH) -> Signal:
    return CHECKS[check_id].finding("x", severity, Observation(text="seen"))


def candidate(name: str, signals: list[Signal], evidence: float = 0.0, exposure: float = 100.0) -> Candidate:
    decision = Decision(
        decision_id=f"dec_{name}",
        program_id="default",
        kind=DecisionKind.SCAN,
        subject_kind=SubjectKind.AFFILIATE,
        subject_id=name,
        as_of=NOW,
        decided_at=NOW,
        decided_by="system",
        verdict=decide_traffic(PACK, signals, evidence),
        signals=tuple(signals),
        policy=PACK.artefact,
    )
    return Candidate(decision=decision, subject=name, exposure=exposure)


def out_in(*families: Family) -> list[Signal]:
    """Peer residuals that stand out in these families of features."""
    return [msgspec.structs.replace(found("traffic.peer_residuals", Severity.MEDIUM), family=family) for family in families]


def names(chosen: list[Candidate]) -> list[str]:
    return [one.decision.subject_id for one in chosen]


def test_statistics_alert_within_the_budget_riskiest_first() -> None:
    night = [candidate(f"a{i}", out_in(Family.TIMING, Family.NETWORK), evidence=float(i)) for i in range(10)]
    assert names(choose(PACK.scan, night, budget=3)) == ["a9", "a8", "a7"]
    assert choose(PACK.scan, night, budget=0) == []


def test_one_family_far_out_is_below_the_evidence_floor() -> None:
    night = [candidate("odd", out_in(Family.TIMING), 50.0), candidate("odder", out_in(Family.TIMING, Family.NETWORK), 5.0)]
    assert names(choose(PACK.scan, night, budget=5)) == ["odder"]


def test_a_rule_with_support_lifts_above_the_floor() -> None:
    assert names(choose(PACK.scan, [candidate("ruled", [found("traffic.fast_conversions", Severity.MEDIUM)])], budget=5)) == ["ruled"]


def test_absolute_evidence_alerts_besides_the_budget() -> None:
    night = [candidate("own", [found("traffic.self_referral")]), candidate("odd", out_in(Family.TIMING, Family.NETWORK), 9.0)]
    assert names(choose(PACK.scan, night, budget=0)) == ["own"]
    assert set(names(choose(PACK.scan, night, budget=1))) == {"own", "odd"}


@pytest.mark.parametrize(("active", "asked", "budget"), [(161, None, 3), (1200, None, 10), (10, None, 1), (1200, 25, 25), (1200, 0, 0)])
def test_the_budget_is_the_packs_unless_asked_otherwise(active: int, asked: int | None, budget: int) -> None:
    assert budget_of(PACK.scan, active, asked) == budget


def test_one_subject_is_one_alert_whatever_the_evidence() -> None:
    fast = candidate("a", [found("traffic.fast_conversions")])
    other = candidate("a", [found("traffic.repeated_customers")])
    assert alert_of(fast, NOW).alert_id == alert_of(other, NOW).alert_id
    assert alert_of(fast, NOW).families != alert_of(other, NOW).families
    assert alert_of(candidate("b", []), NOW).alert_id != alert_of(fast, NOW).alert_id


def test_what_is_known_is_seen_again_and_takes_nothing_from_the_budget() -> None:
    night = [candidate(f"a{i}", out_in(Family.TIMING, Family.NETWORK), evidence=float(i)) for i in range(6)]
    chosen = choose(PACK.scan, night, budget=2, quiet={"a5", "a4"})
    assert names(chosen) == ["a3", "a2"]
    assert names(seen_again(night, {"a5", "a4", "a3"}, chosen)) == ["a5", "a4"]
    assert seen_again([candidate("odd", [], 9.0)], {"odd"}, []) == [], "below the floor nothing is seen"


def test_an_alert_carries_what_is_at_stake() -> None:
    alert = alert_of(candidate("a", [found("traffic.self_referral")], exposure=200.0), NOW)
    assert alert.expected_loss == 200.0
    assert alert.severity is Severity.HIGH


def test_discoveries_are_few_where_nothing_is_known_to_be_odd() -> None:
    """Benjamini-Hochberg: one p-value of .004 among twenty is a discovery at a tenth, .04 is not, and an unknown one never is."""
    p_values = [0.004, 0.04, None, *(0.1 + 0.05 * number for number in range(17))]
    night = [msgspec.structs.replace(candidate(f"a{number}", []), p_value=p) for number, p in enumerate(p_values)]
    assert discoveries(night, 0.1) == {"a0"}
    assert discoveries([], 0.1) == frozenset()


def test_in_fdr_mode_discoveries_alert_and_the_budget_says_nothing() -> None:
    night = [candidate(f"a{i}", out_in(Family.TIMING, Family.NETWORK), evidence=float(i)) for i in range(4)]
    own = candidate("own", [found("traffic.self_referral")])
    assert set(names(choose(PACK.scan, [*night, own], budget=0, found={"a1", "a2"}))) == {"a1", "a2", "own"}
