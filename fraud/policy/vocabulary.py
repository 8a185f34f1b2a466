"""The facts that rules may speak of, for each job: one list that the loader checks against, decisions fill and documents show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

from fraud.domain.decisions import DecisionKind
from fraud.policy.expressions import Kind, Name, Vocabulary

_SHARE = (0.0, 1.0)


def _number(doc: str, least: float = -math.inf, most: float = math.inf) -> Name:
    return Name(Kind.NUMBER, doc, least, most)


def _count(doc: str) -> Name:
    return _number(doc, 0.0)


def _text(doc: str) -> Name:
    return Name(Kind.TEXT, doc)


def _flag(doc: str) -> Name:
    return Name(Kind.BOOLEAN, doc)


def _texts(doc: str) -> Name:
    return Name(Kind.TEXTS, doc)


COMMON: Mapping[str, Name] = {
    "score": _number("The risk that weights gave, 0 to 1.", *_SHARE),
    "coverage": _number("The share of checks that could say something, 0 to 1.", *_SHARE),
    "outcome": _text("The outcome so far."),
    "findings": _texts("The checks that found something."),
    "conclusive": _texts("Those of them whose finding stands alone."),
    "inconclusive": _texts("The checks that could not look."),
    "families": _texts("The kinds of evidence that findings are of."),
    "typologies": _texts("What the findings point to."),
}
"""What every job knows."""

_OWN: Mapping[DecisionKind, Mapping[str, Name]] = {
    DecisionKind.VET: {
        "affiliate_type": _text("What kind of affiliate the applicant wants to be."),
        "country": _text("The applicant's declared country."),
        "websites": _count("How many websites were named."),
        "social_profiles": _count("How many social profiles were named."),
        "traffic_sources": _texts("The declared traffic sources."),
        "claimed_monthly_visits": _count("The claimed visits a month."),
        "allows_paid_search": _flag("Whether the program's terms allow paid search."),
        "allows_incentive": _flag("Whether the terms allow rewards for clicks and orders."),
        "allows_email": _flag("Whether the terms allow e-mail."),
        "allows_coupon": _flag("Whether the terms allow coupons and cashback."),
    },
    DecisionKind.SCAN: {
        "clicks": _count("Clicks in the window."),
        "conversions": _count("Conversions in the window."),
        "expected_conversions": _count("Conversions that the same offers give others."),
        "commission": _count("Commission of the window."),
        "pending_commission": _count("Commission that is not settled yet."),
        "evidence": _count("Fused evidence of the statistics, -log10 p."),
        "ring_members": _count("Members of the ring the affiliate belongs to."),
        "affiliate_type": _text("The affiliate's declared type."),
        "country": _text("The country most clicks came from."),
    },
    DecisionKind.SCORE: {
        "affiliate_id": _text("Whose click it is."),
        "offer_id": _text("What was advertised."),
        "sub_id": _text("The affiliate's own name for the source."),
        "country": _text("The visitor's country."),
        "language": _text("The browser's language."),
        "dwell_ms": _count("Time on the landing page, ms."),
        "p_value": _number("Share of usual clicks at least as unusual.", *_SHARE),
        "affiliate_risk": _number("The affiliate's risk in the newest scan.", *_SHARE),
    },
    DecisionKind.CONVERSION: {
        "affiliate_id": _text("Whose conversion it is."),
        "offer_id": _text("What was sold."),
        "sub_id": _text("The affiliate's own name for the source."),
        "country": _text("The customer's country."),
        "goal": _text("The goal that was reached."),
        "status": _text("The tracker's state of the conversion."),
        "coupon_code": _text("The code that was redeemed."),
        "currency": _text("The currency of the amounts."),
        "amount": _number("What was sold for."),
        "commission": _number("What it would pay."),
        "delay_s": _number("Seconds from the click."),
        "form_ms": _count("Time in the form, ms."),
        "click_found": _flag("Whether its click is on record."),
        "new_customer": _flag("Whether the shop knows the customer as new."),
        "affiliate_risk": _number("The affiliate's risk in the newest scan.", *_SHARE),
    },
}


@cache
def vocabulary_of(kind: DecisionKind) -> Vocabulary:
    """Every fact that rules of a job may speak of; features stand under `feature.NAME`."""
    features = {f"feature.{name}": _number(doc) for name, doc in _features(kind).items()}
    return {**COMMON, **_OWN[kind], **features}


def _features(kind: DecisionKind) -> dict[str, str]:
    # The catalogues of features bring DuckDB with them, which most commands can do without.
    if kind is DecisionKind.SCAN:
        from fraud.features.catalogue import FEATURES

        return {feature.name: feature.doc for feature in FEATURES}
    if kind is DecisionKind.SCORE:
        from fraud.features.realtime import CLICK_FEATURES

        return {feature.name: feature.doc for feature in CLICK_FEATURES}
    if kind is DecisionKind.CONVERSION:
        from fraud.features.realtime_conversions import CONVERSION_FEATURES

        return {feature.name: feature.doc for feature in CONVERSION_FEATURES}
    return {}
