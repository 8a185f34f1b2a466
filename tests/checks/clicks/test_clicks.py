"""Each check of a click: what it finds, what leaves it silent, and what it cannot know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fraud.checks.clicks import CLICK_CHECK_FUNCTIONS
from fraud.checks.clicks.facts import DEADLINE, NO_MODEL, ClickFacts, ModelView
from fraud.checks.standing import AffiliateStanding, AgentFacts
from fraud.domain.catalogue import CLICK_CHECKS
from fraud.domain.events import Click
from fraud.domain.signals import Severity, Signal, Status, Tier
from fraud.policy.loading import load_pack

PACK = load_pack()
CLICK = Click(click_id="c1", clicked_at=datetime(2026, 3, 1, 10, tzinfo=UTC), affiliate_id="aff")


def facts(**changes: Any) -> ClickFacts:
    """An ordinary click of which everything is known."""
    values: dict[str, Any] = {
        "click": CLICK,
        "features": {"ip_user_agent_clicks_1m": 1.0, "seconds_since_same_click": 3600.0, "ip_clicks_1m": 63.0},
        "identified": True,
        "agent": AgentFacts(declared_bot=False),
        "standing": AffiliateStanding(status="active", risk=0.1, scan_id="scan_1"),
        "model": ModelView(score=0.4, p_value=0.5),
    }
    return ClickFacts(**{**values, **changes})


def check(check_id: str, seen: ClickFacts) -> Signal:
    (signal,) = CLICK_CHECK_FUNCTIONS[check_id](seen, PACK.limits(check_id))
    assert signal.check_id == check_id
    assert signal.subject == "c1"
    return signal


def with_feature(name: str, value: float | None) -> ClickFacts:
    return facts(features={name: value})


def test_every_check_of_the_catalogue_has_its_function() -> None:
    assert set(CLICK_CHECK_FUNCTIONS) == {spec.check_id for spec in CLICK_CHECKS}


@pytest.mark.parametrize("check_id", CLICK_CHECK_FUNCTIONS)
def test_an_ordinary_click_is_clear(check_id: str) -> None:
    assert check(check_id, facts()).status is Status.CLEAR


@pytest.mark.parametrize("check_id", sorted(CLICK_CHECK_FUNCTIONS))
def test_a_click_of_which_nothing_is_known_is_neither_clear_nor_guilty(check_id: str) -> None:
    unknown = ClickFacts(click=CLICK, features={}, identified=False, degraded=NO_MODEL)
    assert check(check_id, unknown).status is Status.INCONCLUSIVE


def test_a_declared_robot_stands_alone() -> None:
    signal = check("click.declared_bot", facts(agent=AgentFacts(declared_bot=True, why="curl")))
    assert (signal.status, signal.severity, signal.tier) == (Status.FINDING, Severity.HIGH, Tier.CONCLUSIVE)
    assert "curl" in signal.text


@pytest.mark.parametrize(
    ("gap", "status", "severity"),
    [
        (0.0, Status.FINDING, Severity.LOW),
        (1.0, Status.FINDING, Severity.LOW),
        (1.1, Status.FINDING, Severity.MEDIUM),
        (20.0, Status.FINDING, Severity.MEDIUM),
        (20.1, Status.CLEAR, Severity.INFO),
        (None, Status.CLEAR, Severity.INFO),
    ],
)
def test_repeats_by_their_gap(gap: float | None, status: Status, severity: Severity) -> None:
    signal = check("click.duplicate", with_feature("seconds_since_same_click", gap))
    assert (signal.status, signal.severity) == (status, severity)


def test_a_burst_is_more_than_people_click() -> None:
    assert check("click.burst", with_feature("ip_user_agent_clicks_1m", 60.0)).status is Status.CLEAR
    signal = check("click.burst", with_feature("ip_user_agent_clicks_1m", 61.0))
    assert (signal.status, signal.tier, signal.sample_size) == (Status.FINDING, Tier.ASSOCIATIVE, 61)


@pytest.mark.parametrize(
    "standing",
    [
        AffiliateStanding(status="Suspended"),
        AffiliateStanding(status=" banned "),
        AffiliateStanding(status="active", sub_id_status="suspended"),
        AffiliateStanding(sub_id_status="suspended"),
    ],
)
def test_a_suspended_affiliate_or_sub_id_stands_alone(standing: AffiliateStanding) -> None:
    signal = check("click.affiliate_suspended", facts(standing=standing))
    assert (signal.status, signal.severity, signal.tier) == (Status.FINDING, Severity.CRITICAL, Tier.CONCLUSIVE)


def test_a_pending_affiliate_is_not_suspended() -> None:
    assert check("click.affiliate_suspended", facts(standing=AffiliateStanding(status="pending"))).status is Status.CLEAR


def test_risk_counts_from_its_threshold_on() -> None:
    assert check("click.affiliate_risk", facts(standing=AffiliateStanding(risk=0.49))).status is Status.CLEAR
    signal = check("click.affiliate_risk", facts(standing=AffiliateStanding(risk=0.5)))
    assert (signal.status, signal.severity, signal.tier) == (Status.FINDING, Severity.HIGH, Tier.ASSOCIATIVE)


def test_an_anomaly_only_supports_and_says_in_what() -> None:
    unusual = ModelView(score=0.7, p_value=0.001, features=("ip_clicks_1m", "device_clicks_10m"))
    signal = check("click.anomaly", facts(model=unusual))
    assert (signal.status, signal.tier) == (Status.FINDING, Tier.CIRCUMSTANTIAL)
    assert signal.text == "0.10% of usual clicks are at least as unusual; what stands out: clicks of this address in the last minute (63)."


def test_no_time_and_no_model_are_told_apart() -> None:
    late = check("click.anomaly", facts(model=None, degraded=DEADLINE))
    none = check("click.anomaly", facts(model=None, degraded=NO_MODEL))
    assert late.status is none.status is Status.INCONCLUSIVE
    assert late.text != none.text
