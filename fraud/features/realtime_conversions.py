"""The features of one conversion as of its own time, asked of the same counters that count the clicks.

Each is a count of events with something in common; NaN is unknown (`fraud.features.realtime`).
"""

from __future__ import annotations

import math

import msgspec

from fraud.domain.counting import Ask, Counters, Sighting
from fraud.domain.events import Click, Conversion
from fraud.domain.hashing import sha256_of
from fraud.features.realtime import (
    DAY,
    HOUR,
    MEASURES,
    MINUTE,
    VISITOR_AFFILIATES,
    Measure,
    event_key_of,
    keys_of,
    microseconds,
    part,
    plan_of,
    rows_of,
    visitor_part,
)


class ConversionFeature(msgspec.Struct, frozen=True, kw_only=True):
    """One feature of a conversion: what it counts, in which unit, and the measure that counts it."""

    name: str
    doc: str
    unit: str
    measure: Measure


def _count(name: str, doc: str, of: str, window: int) -> ConversionFeature:
    return ConversionFeature(name=name, doc=doc, unit="conversions", measure=Measure(Ask.COUNT, of, window))


CONVERSION_FEATURES: tuple[ConversionFeature, ...] = (
    _count("customer_conversions_24h", "Conversions of this customer for this affiliate in the last 24 hours.", "customer", DAY),
    _count("device_conversions_24h", "Conversions of this device for this affiliate in the last 24 hours.", "converting_device", DAY),
    _count("order_conversions_24h", "Conversions with this order number in the last 24 hours.", "order", DAY),
    _count("click_conversions_24h", "Conversions of this click with this goal in the last 24 hours.", "converted_click", DAY),
    _count("affiliate_conversions_1m", "Conversions of this affiliate in the last minute.", "converting_affiliate", MINUTE),
    _count("affiliate_conversions_1h", "Conversions of this affiliate in the last hour.", "converting_affiliate", HOUR),
    _count("affiliate_conversions_24h", "Conversions of this affiliate in the last 24 hours.", "converting_affiliate", DAY),
    ConversionFeature(
        name="visitor_affiliates_10m",
        doc="Different affiliates through which this visitor came in the 10 minutes before the conversion, its own included.",
        unit="affiliates",
        measure=VISITOR_AFFILIATES,
    ),
)
"""The features of a conversion."""

CONVERSION_FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in CONVERSION_FEATURES)

_FIRST_NUMBER = 128
"""Keys of conversions' own measures begin here, so that they never meet those of clicks."""


def conversion_feature_set_hash() -> str:
    """SHA-256 of everything that decides a value. Texts do not count."""
    return sha256_of([(feature.name, feature.unit, feature.measure) for feature in CONVERSION_FEATURES])


class ObservedConversion(msgspec.Struct, frozen=True):
    """What the counters made of a conversion: features by name (`None` unknown), and whether its id was seen before."""

    features: dict[str, float | None]
    repeated: bool


def observe_conversion(counters: Counters, conversion: Conversion, click: Click | None) -> ObservedConversion:
    """Counts the conversion and returns its features as of its own time; `click` is the one it came from, if known."""
    answers = counters.observe(sighting_of(conversion, click))
    values = zip(CONVERSION_FEATURE_NAMES, answers.values, strict=True)
    return ObservedConversion({name: None if math.isnan(value) else value for name, value in values}, answers.repeated)


def sighting_of(conversion: Conversion, click: Click | None) -> Sighting:
    """The conversion as the counters see it."""
    event = event_key_of("conversion", conversion.program_id, conversion.conversion_id)
    return Sighting(event, microseconds(conversion.converted_at), CONVERSION_PLAN, keys_of(_parts_of(conversion, click), _CONVERSION_KEYS))


def customer_of(conversion: Conversion) -> str | None:
    """Who converted, as far as one conversion tells: the shop's own name for the customer, else e-mail, else phone (keyed hashes)."""
    return conversion.customer_id or conversion.customer_email or conversion.customer_phone


_PARTS = ("program", "affiliate", "goal", "customer", "device", "order", "click", "visitor")
_IDENTITIES = {
    "customer": ("program", "affiliate", "goal", "customer"),
    "converting_device": ("program", "affiliate", "goal", "device"),
    "order": ("program", "goal", "order"),
    "converted_click": ("program", "goal", "click"),
    "converting_affiliate": ("program", "affiliate"),
    "visitor": ("program", "visitor"),
    "affiliate": ("program", "affiliate"),
}


def _parts_of(conversion: Conversion, click: Click | None) -> tuple[int, ...]:
    visitor = (visitor_part(click) if click else 0) or visitor_part(conversion)
    return (
        part(conversion.program_id),
        part(conversion.affiliate_id),
        part(conversion.goal or ""),
        part(customer_of(conversion)),
        part(conversion.device_id),
        part(conversion.order_id),
        part(conversion.click_id),
        visitor,
    )


def _numbered(place: int, measure: Measure) -> tuple[int, Measure]:
    return (MEASURES.index(measure) if measure in MEASURES else _FIRST_NUMBER + place), measure


CONVERSION_PLAN = plan_of([feature.measure for feature in CONVERSION_FEATURES])
"""What the counters are asked for a conversion."""

_CONVERSION_KEYS = rows_of([_numbered(place, feature.measure) for place, feature in enumerate(CONVERSION_FEATURES)], _IDENTITIES, _PARTS)
