"""Repeats, bursts and unusual mixtures: what the counters and the model say of the click."""

from __future__ import annotations

import numpy as np

from fraud.checks.clicks.facts import DEADLINE, FUTURE, ClickFacts, Codes, ManyClickFacts
from fraud.checks.grades import CODES, Grade
from fraud.domain.catalogue import CHECKS, CheckSpec, Limits, Observation
from fraud.domain.signals import Severity, Signal, Status
from fraud.features.realtime import CLICK_FEATURES

_NOT_ASKED = {
    DEADLINE: "No time was left to ask the model.",
    FUTURE: "The click's time is in the future, so nothing before it could be counted.",
}
_INCONCLUSIVE, _CLEAR = CODES[Status.INCONCLUSIVE], CODES[Status.CLEAR]
_LOW, _MEDIUM, _HIGH = CODES[Severity.LOW], CODES[Severity.MEDIUM], CODES[Severity.HIGH]
_DOCS = {feature.name: feature.doc.rstrip(".") for feature in CLICK_FEATURES}


def duplicate(facts: ClickFacts, limits: Limits) -> tuple[Signal, ...]:
    """C01: the same visitor on the same offer of the same affiliate moments before; an immediate double click is the mildest finding."""
    spec, subject = CHECKS["click.duplicate"], facts.click.click_id
    if not facts.identified:
        return (spec.inconclusive(subject, "The click names neither a device nor an address with a user agent."),)
    gap = facts.features.get("seconds_since_same_click")
    if gap is None:
        return (spec.clear(subject, Observation(text="No earlier click of the same visitor is on record.")),)
    seen = Observation(
        text=f"The same visitor clicked the same offer {gap:,.3g} seconds before.",
        value=gap,
        baseline=limits["repeat_seconds"],
    )
    return (_told(spec, subject, duplicate_grade(facts, limits), seen),)


def duplicate_grade(facts: ClickFacts, limits: Limits) -> Grade:
    """How `duplicate` ends."""
    if not facts.identified:
        return Status.INCONCLUSIVE
    gap = facts.features.get("seconds_since_same_click")
    if gap is None or gap > limits["repeat_seconds"]:
        return Status.CLEAR
    return Severity.LOW if gap <= limits["double_click_seconds"] else Severity.MEDIUM


def duplicate_codes(many: ManyClickFacts, limits: Limits) -> Codes:
    """`duplicate_grade` of many clicks."""
    gap = many.feature("seconds_since_same_click")
    codes = np.where(gap <= limits["repeat_seconds"], np.where(gap <= limits["double_click_seconds"], _LOW, _MEDIUM), _CLEAR)
    return np.where(many.identified, codes, _INCONCLUSIVE)


def burst(facts: ClickFacts, limits: Limits) -> tuple[Signal, ...]:
    """C02: more clicks of one address and user agent within a minute than a person makes."""
    spec, subject = CHECKS["click.burst"], facts.click.click_id
    clicks = facts.features.get("ip_user_agent_clicks_1m")
    if clicks is None:
        return (spec.inconclusive(subject, "The click's address or user agent is unknown, or it came too late to be counted."),)
    seen = Observation(
        text=f"{clicks:,.0f} clicks came from one address and user agent within a minute.",
        value=clicks,
        baseline=limits["maximum_per_minute"],
        sample_size=int(clicks),
    )
    return (_told(spec, subject, burst_grade(facts, limits), seen),)


def burst_grade(facts: ClickFacts, limits: Limits) -> Grade:
    """How `burst` ends."""
    clicks = facts.features.get("ip_user_agent_clicks_1m")
    if clicks is None:
        return Status.INCONCLUSIVE
    return Severity.HIGH if clicks > limits["maximum_per_minute"] else Status.CLEAR


def burst_codes(many: ManyClickFacts, limits: Limits) -> Codes:
    """`burst_grade` of many clicks."""
    clicks = many.feature("ip_user_agent_clicks_1m")
    return np.where(np.isnan(clicks), _INCONCLUSIVE, np.where(clicks > limits["maximum_per_minute"], _HIGH, _CLEAR))


def anomaly(facts: ClickFacts, limits: Limits) -> tuple[Signal, ...]:
    """A click that the forest isolates faster than nearly all usual ones; it only ever supports other evidence."""
    spec, subject = CHECKS["click.anomaly"], facts.click.click_id
    if facts.model is None:
        return (spec.inconclusive(subject, _NOT_ASKED.get(facts.degraded, "No model of clicks has been fitted yet.")),)
    seen = Observation(text=_unusual(facts), value=facts.model.p_value, baseline=limits["maximum_p_value"])
    return (_told(spec, subject, anomaly_grade(facts, limits), seen),)


def anomaly_grade(facts: ClickFacts, limits: Limits) -> Grade:
    """How `anomaly` ends."""
    if facts.model is None:
        return Status.INCONCLUSIVE
    return Status.CLEAR if facts.model.p_value > limits["maximum_p_value"] else Severity.MEDIUM


def anomaly_codes(many: ManyClickFacts, limits: Limits) -> Codes:
    """`anomaly_grade` of many clicks."""
    return np.where(np.isnan(many.p_values), _INCONCLUSIVE, np.where(many.p_values > limits["maximum_p_value"], _CLEAR, _MEDIUM))


def _told(spec: CheckSpec, subject: str, grade: Grade, seen: Observation) -> Signal:
    return spec.finding(subject, grade, seen) if isinstance(grade, Severity) else spec.clear(subject, seen)


def _unusual(facts: ClickFacts) -> str:
    """One sentence: how unusual the click is and, feature by feature, in what."""
    assert facts.model is not None
    share = f"{facts.model.p_value:.2%} of usual clicks are at least as unusual"
    named = [f"{_DOCS[name].lower()} ({value:,.3g})" for name in facts.model.features if (value := facts.features.get(name)) is not None]
    return f"{share}; what stands out: {'; '.join(named)}." if named else f"{share}."
