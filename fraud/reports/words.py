"""The one place for the wording of outcomes, proof, typologies, severities and figures, so that page, file and mail say the same.

Shares are fractions of 1, durations are seconds, scores run from 0 to 1 and higher is riskier. `None` and NaN are unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from fraud.domain.alerts import Alert
from fraud.domain.catalogue import CHECKS
from fraud.domain.clock import as_utc
from fraud.domain.decisions import DecisionKind, Outcome, SubjectKind
from fraud.domain.money import Money, cents
from fraud.domain.scans import CommissionAtRisk, Period
from fraud.domain.signals import Family, Reason, Severity, Signal, Status, Tier

UNKNOWN = "unknown"

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.APPROVE: "Approve",
    Outcome.REQUEST_INFO: "Ask for more",
    Outcome.REVIEW: "Needs review",
    Outcome.REJECT: "Reject",
    Outcome.PASS: "Pass",
    Outcome.WATCH: "Watch",
    Outcome.HOLD: "Hold commission",
    Outcome.SUSPEND: "Suspend",
    Outcome.ALLOW: "Allow",
    Outcome.BLOCK: "Block",
}

OUTCOME_MEANINGS: Mapping[Outcome, str] = {
    Outcome.APPROVE: "Nothing we found speaks against letting this applicant in.",
    Outcome.REQUEST_INFO: "Too much is still unknown to decide either way. Ask before you decide.",
    Outcome.REVIEW: "The signals are worth a person’s look. They are not a verdict.",
    Outcome.REJECT: "The evidence stands on its own and the policy lets it decide.",
    Outcome.PASS: "Nothing stood out.",
    Outcome.WATCH: "Something stood out a little; look again if it lasts.",
    Outcome.HOLD: "Keep the pending commission until a person has looked.",
    Outcome.SUSPEND: "The evidence stands on its own and the policy lets it act.",
    Outcome.ALLOW: "Nothing stood out.",
    Outcome.BLOCK: "The evidence stands on its own.",
}

OUTCOME_TONES: Mapping[Outcome, str] = {
    Outcome.APPROVE: "good",
    Outcome.REQUEST_INFO: "info",
    Outcome.REVIEW: "warn",
    Outcome.REJECT: "bad",
    Outcome.PASS: "calm",
    Outcome.WATCH: "info",
    Outcome.HOLD: "bad",
    Outcome.SUSPEND: "bad",
    Outcome.ALLOW: "calm",
    Outcome.BLOCK: "bad",
}

SEVERITIES: Mapping[Severity, str] = {
    Severity.INFO: "Note",
    Severity.LOW: "Low",
    Severity.MEDIUM: "Medium",
    Severity.HIGH: "High",
    Severity.CRITICAL: "Critical",
}

SEVERITY_TONES: Mapping[Severity, str] = {
    Severity.INFO: "calm",
    Severity.LOW: "info",
    Severity.MEDIUM: "warn",
    Severity.HIGH: "bad",
    Severity.CRITICAL: "bad",
}

TIERS: Mapping[Tier, str] = {
    Tier.CONCLUSIVE: "stands on its own",
    Tier.ASSOCIATIVE: "counts with a second, independent kind of evidence",
    Tier.CIRCUMSTANTIAL: "only supports other evidence",
}

FAMILIES: Mapping[Family, str] = {
    Family.TIMING: "timing",
    Family.IDENTITY: "identity",
    Family.NETWORK: "networks",
    Family.DEVICE: "devices",
    Family.CONVERSION: "conversions",
    Family.QUALITY: "quality of sales",
    Family.SOURCE: "sources of traffic",
    Family.VOLUME: "volume",
    Family.GRAPH: "shared details",
    Family.CONTENT: "content",
    Family.POLICY: "program terms",
    Family.REPUTATION: "reputation",
}

STATUSES: Mapping[Status, str] = {
    Status.FINDING: "Finding",
    Status.CLEAR: "In order",
    Status.INCONCLUSIVE: "Could not tell",
    Status.NOT_APPLICABLE: "Does not apply",
    Status.ERROR: "Check failed",
}

TYPOLOGIES: Mapping[str, str] = {
    "click_flooding": "click flooding",
    "click_injection": "click injection",
    "bot_traffic": "automated traffic",
    "cookie_stuffing": "cookie stuffing",
    "last_click_hijack": "taking over the last click",
    "lead_fraud": "leads that are not real",
    "self_referral": "own purchases",
    "incentive_abuse": "undeclared incentives",
    "sub_id_laundering": "bad traffic spread over sub-IDs",
    "collusion_ring": "accounts acting together",
    "referrer_laundering": "hidden origin of traffic",
    "click_replay": "replayed clicks",
    "brand_bidding": "bidding on the brand",
    "conversion_injection": "conversions without real clicks",
    "ad_stacking": "stacked or invisible ads",
    "duplicate_account": "more than one account",
    "geo_mismatch": "declared and observed country differ",
    "parked_site": "parked site",
    "thin_content": "little content",
    "copied_content": "copied content",
    "cloaking": "shows crawlers another page",
    "forced_click": "clicks nobody made",
    "typosquat": "name close to a brand",
    "prohibited_content": "content the terms prohibit",
    "link_farm": "link farm",
    "fake_audience": "audience that is not real",
    "fake_reviews": "reviews that are not real",
    "site_network": "part of a network of sites",
    "malware": "malware",
}

GUARDS: Mapping[str, str] = {
    "rejection_waits_for_a_person": "The policy lets only a person reject an applicant, so this became a review.",
    "conclusive_finding_is_not_approved": "A finding that stands on its own is never approved automatically.",
    "conclusive_check_could_not_look": "A check that could have settled the case could not look, so a person does.",
    "coverage_below_minimum": "Too few checks could answer to approve automatically.",
    "suspension_waits_for_a_person": "The policy lets only a person suspend an affiliate, so commission is held instead.",
    "review_costs_more_than_it_saves": "Less is at stake than a review would cost, so this is watched.",
    "stake_asks_for_a_review": "So much is at stake that a look pays even at this risk, so this became a review.",
    "no_anomaly_alone_holds": "Statistics alone never hold commission, so this became a review.",
}

SHARED_KINDS: Mapping[str, tuple[str, str]] = {
    "payout_account": ("payout account", "payout accounts"),
    "tax_id": ("tax number", "tax numbers"),
    "phone": ("phone number", "phone numbers"),
    "device": ("device", "devices"),
    "ip": ("IP address", "IP addresses"),
    "network": ("network", "networks"),
    "email": ("e-mail address", "e-mail addresses"),
    "customer": ("customer", "customers"),
    "analytics_id": ("analytics account", "analytics accounts"),
}

SUBJECT_KINDS: Mapping[SubjectKind, str] = {
    SubjectKind.APPLICATION: "Application",
    SubjectKind.AFFILIATE: "Affiliate",
    SubjectKind.SUB_ID: "Sub-ID",
    SubjectKind.CLICK: "Click",
    SubjectKind.CONVERSION: "Conversion",
    SubjectKind.RING: "Ring",
}

DECISION_KINDS: Mapping[DecisionKind, str] = {
    DecisionKind.VET: "Vetting of an applicant",
    DecisionKind.SCAN: "Scan of traffic",
    DecisionKind.SCORE: "Score of a click",
    DecisionKind.CONVERSION: "Score of a conversion",
}

QUESTIONS = ("Is it real?", "Is it theirs?", "Does it fit our terms?", "Who are they?")
"""The four questions a dossier answers, in the order a person asks them."""

_REAL, _THEIRS, _TERMS, _WHO = QUESTIONS
_QUESTION_OF_CHECK = {
    "website.social_profiles": _THEIRS,
    "website.ownership": _THEIRS,
    "application.email_domain": _THEIRS,
    "website.language": _TERMS,
    "website.topic": _TERMS,
    "website.affiliate_links": _TERMS,
}
_QUESTION_OF_FAMILY = {Family.POLICY: _TERMS, Family.IDENTITY: _WHO, Family.GRAPH: _WHO}

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_LISTED = 6
_CHECK_OF_CODE = {spec.reason_code: spec.check_id for spec in CHECKS.values()}


def humanise(code: str) -> str:
    """A code this module has no words for, readable at least: `some_thing.odd` becomes `some thing: odd`."""
    return code.replace(".", ": ").replace("_", " ")


def typology(code: str) -> str:
    """A typology in words."""
    return TYPOLOGIES.get(code, humanise(code))


def guard(code: str) -> str:
    """Why an outcome was made milder or was held back."""
    return GUARDS.get(code, humanise(code))


def check_title(check_id: str) -> str:
    """What a check is called; its id where the catalogue no longer knows it."""
    return CHECKS[check_id].title if check_id in CHECKS else humanise(check_id)


def check_of(reason_code: str) -> str:
    """The check behind a reason code; "" where the catalogue no longer knows it."""
    return _CHECK_OF_CODE.get(reason_code, "")


def question_of(signal: Signal) -> str:
    """Which of `QUESTIONS` a signal helps to answer."""
    return _QUESTION_OF_CHECK.get(signal.check_id) or _QUESTION_OF_FAMILY.get(signal.family, _REAL)


def status_tone(signal: Signal) -> str:
    """The tone of a signal: a finding's severity, otherwise how the check ended."""
    if signal.found:
        return SEVERITY_TONES[signal.severity]
    return {Status.CLEAR: "good", Status.ERROR: "warn"}.get(signal.status, "calm")


def alert_title(alert: Alert) -> str:
    """What an alert says, without its subject's name."""
    named = [typology(code) for code in alert.typologies]
    if named:
        return f"Signs of {join(named)}"
    families = list(dict.fromkeys(FAMILIES[reason.family] for reason in alert.reasons))
    return f"Unusual {join(families or ['traffic'])}"


def leading(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """The reasons that say most: each code once, gravest first."""
    first: dict[str, Reason] = {}
    for reason in sorted(reasons, key=lambda one: -one.severity.rank):
        first.setdefault(reason.code, reason)
    return tuple(first.values())


def shared(kind: str, count: int) -> str:
    """`2 payout accounts`."""
    one, many = SHARED_KINDS.get(kind, (humanise(kind), humanise(kind)))
    return f"{count:,} {one if count == 1 else many}"


def count(number_of: int, one: str, many: str = "") -> str:
    """`1 affiliate`, `3 affiliates`."""
    return f"{number_of:,} {one if number_of == 1 else many or one + 's'}"


def join(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def number(value: float | Decimal | None) -> str:
    """A figure to three significant digits below 1,000, to the unit above."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == int(value):
        return f"{int(value):,}"
    size = float(value)
    if abs(size) >= 100:
        return f"{size:,.0f}"
    digits = min(2 - math.floor(math.log10(abs(size))), 8)
    return f"{size:.{digits}f}".rstrip("0").rstrip(".")


def share(value: float | None) -> str:
    """A fraction of 1 in per cent, with a decimal where it is small."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    percent = value * 100
    if 0 < percent < 0.01:
        return "below 0.01%"
    digits = 0 if percent >= 10 or percent == 0 else 1 if percent >= 1 else 2
    return f"{percent:.{digits}f}".removesuffix(".0") + "%"


def duration(seconds: float | None) -> str:
    """Seconds as people say them, in at most two units."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    if seconds < 0:
        return "−" + duration(-seconds)
    if seconds < 60:
        return f"{number(round(seconds, 2))} s"
    for size, unit, smaller, small_unit in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            whole, rest = divmod(round(seconds), size)
            return f"{whole:,} {unit} {rest // smaller} {small_unit}" if rest // smaller else f"{whole:,} {unit}"
    raise AssertionError("every duration of a minute or more has a unit")


def quantity(value: float | None, unit: str) -> str:
    """A figure in its unit: shares in per cent, times as durations, anything else with the unit's own name."""
    if unit in {"share", "probability"}:
        return share(value)
    if unit in {"s", "seconds"}:
        return duration(value)
    if unit in {"ms", "milliseconds"}:
        return duration(None if value is None else value / 1000)
    if unit == "log ratio":
        return UNKNOWN if value is None else f"{number(math.exp(value))}×"
    spelt = number(value)
    return spelt if spelt == UNKNOWN or not unit or unit in {"ratio", "count", "score"} else f"{spelt} {unit}"


def score(value: float | None) -> str:
    """A score with two places, which is as fine as it means anything."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:.2f}"


def money(amount: Decimal | float | None, currency: str | None) -> str:
    """An amount with its currency when that is known."""
    if amount is None or not math.isfinite(amount):
        return UNKNOWN
    return str(Money(amount=Decimal(str(amount)), currency=currency)) if currency else f"{cents(amount):,}"


def at_risk(commission: CommissionAtRisk) -> str:
    """The central estimate of the commission at risk."""
    return money(commission.mid, commission.currency)


def risk_range(commission: CommissionAtRisk) -> str:
    """The cautious and the high estimate, or nothing where either is unknown."""
    if commission.low is None or commission.high is None:
        return ""
    return f"{cents(commission.low):,} to {money(commission.high, commission.currency)}"


def day(moment: datetime) -> str:
    """`3 Mar 2026`, in UTC."""
    at = as_utc(moment)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def when(moment: datetime) -> str:
    """`3 Mar 2026, 14:05 UTC`."""
    return f"{day(moment)}, {as_utc(moment):%H:%M} UTC"


def period(stretch: Period) -> str:
    """A half-open stretch of time; whole days without their hours and with the last day that lies inside."""
    start, end = as_utc(stretch.start), as_utc(stretch.end)
    whole_days = start.time() == end.time() == time()
    if not whole_days or end <= start:
        return f"{when(start)} to {when(end)}"
    last = end - timedelta(days=1)
    return day(start) if last == start else f"{day(start)} to {day(last)}"


def clean(text: str) -> str:
    """Text in which control characters, direction overrides and lone surrogates show as � instead of acting."""
    return _UNSHOWABLE.sub("�", text)


def short(text: str, limit: int = 32) -> str:
    """A long name with its middle left out, so that both ends can still be recognised."""
    if len(text) <= limit:
        return text
    head = (limit - 1) * 2 // 3
    return f"{text[:head]}…{text[-(limit - 1 - head) :]}"


def plain(value: Any) -> str:
    """Whatever a check saw, as one line: lists and tables by their first few entries."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return number(value)
    if isinstance(value, Mapping):
        return _several([f"{humanise(str(key))}: {plain(item)}" for key, item in value.items()])
    if isinstance(value, list | tuple | set | frozenset):
        return _several([plain(item) for item in value])
    return str(value)


def _several(parts: Sequence[str]) -> str:
    more = f"; and {len(parts) - _LISTED:,} more" if len(parts) > _LISTED else ""
    return "; ".join(parts[:_LISTED]) + more


def measured(unit: str, value: Any) -> str:
    """A reason's value or baseline, in its unit where it has one."""
    if unit and isinstance(value, int | float) and not isinstance(value, bool):
        return f"{number(value)}×" if unit == "ratio" else quantity(float(value), unit)
    return plain(value)
