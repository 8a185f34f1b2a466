"""What rules may see of a case, taken from what its checks saw (`fraud.policy.vocabulary` says what each fact means)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from fraud.checks.applicants.context import Applicant
from fraud.checks.clicks.facts import ClickFacts
from fraud.checks.conversions.facts import ConversionFacts
from fraud.checks.traffic.facts import TrafficFacts
from fraud.domain.programs import ProgramProfile
from fraud.policy.expressions import Facts, Value


def application_facts(application: Applicant, profile: ProgramProfile | None = None) -> Facts:
    """Of an application, and of the terms it would join under."""
    visits = application.claimed_monthly_visits
    return {
        "affiliate_type": application.affiliate_type or None,
        "country": application.country.upper() or None,
        "websites": float(len(application.websites)),
        "social_profiles": float(len(application.social_profiles)),
        "traffic_sources": frozenset(application.traffic_sources) or None,
        "claimed_monthly_visits": None if visits is None else float(visits),
        **{name: getattr(profile, name, None) for name in ("allows_paid_search", "allows_incentive", "allows_email", "allows_coupon")},
    }


def traffic_facts(facts: TrafficFacts, affiliate_type: str | None, country: str | None) -> Facts:
    """Of an affiliate's or a sub-ID's night."""
    counts = facts.counts
    return {
        "clicks": float(counts.clicks),
        "conversions": float(counts.conversions),
        "expected_conversions": counts.expected_conversions,
        "commission": _number(counts.commission),
        "pending_commission": _number(counts.pending_commission),
        "evidence": facts.evidence,
        "ring_members": float(facts.company.members) if facts.company else 0.0,
        "affiliate_type": affiliate_type,
        "country": country,
        **_features(facts.values),
    }


def click_facts(facts: ClickFacts) -> Facts:
    """Of a click."""
    click = facts.click
    return {
        "affiliate_id": click.affiliate_id,
        "offer_id": click.offer_id,
        "sub_id": click.sub_id,
        "country": click.country,
        "language": click.language,
        "dwell_ms": _number(click.dwell_ms),
        "p_value": facts.model.p_value if facts.model else None,
        "affiliate_risk": facts.standing.risk,
        **_features(facts.features),
    }


def conversion_facts(facts: ConversionFacts) -> Facts:
    """Of a conversion."""
    conversion = facts.conversion
    return {
        "affiliate_id": conversion.affiliate_id,
        "offer_id": conversion.offer_id,
        "sub_id": conversion.sub_id,
        "country": conversion.country,
        "goal": conversion.goal,
        "status": conversion.status,
        "coupon_code": conversion.coupon_code,
        "currency": conversion.currency,
        "amount": _number(conversion.amount),
        "commission": _number(conversion.commission),
        "delay_s": facts.delay_s,
        "form_ms": _number(conversion.form_ms),
        "click_found": None if facts.click_state == "unreadable" else facts.click is not None,
        "new_customer": conversion.new_customer,
        "affiliate_risk": facts.standing.risk,
        **_features(facts.features),
    }


def _features(values: Mapping[str, float | None]) -> dict[str, Value]:
    return {f"feature.{name}": value for name, value in values.items()}


def _number(value: Decimal | int | None) -> float | None:
    return None if value is None else float(value)
