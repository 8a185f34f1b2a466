"""The features of one conversion as of its own time, asked of the same counters that count the clicks.

Each is a count of events with something in common; NaN is unknown (`fraud.features.realtime`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from fraud.domain.clock import microseconds
from fraud.domain.counting import Ask, Counters, Sighting
from fraud.domain.events import Click, Conversion, Visit
from fraud.domain.hashing import sha256_of
from fraud.features import visits
from fraud.features.identities import event_key_of, part, visitor_part
from fraud.features.realtime import DAY, HOUR, MEASURES, MINUTE, VISITOR_AFFILIATES, Measure, keys_of, plan_of, rows_of


class ConversionFeature(msgspec.Struct, frozen=True, kw_only=True):
    """One feature of a conversion: what it says, in which unit, and the measure that counts it or the mark of its visit that it is."""

    name: str
    doc: str
    unit: str
    measure: Measure | None = None
    mark: str = ""


def _count(name: str, doc: str, of: str, window: int) -> ConversionFeature:
    return ConversionFeature(name=name, doc=doc, unit="conversions", measure=Measure(Ask.COUNT, of, window))


def _mark(mark: str, doc: str) -> ConversionFeature:
    return ConversionFeature(name=f"visit_{mark}", doc=f"{doc} Unknown without a report of the tag.", unit="0 or 1", mark=mark)


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
    _mark("driven", "1 when the browser on the landing page said that a program drives it, 0 when it said not."),
    _mark("unseen", "1 when the landing page was closed without ever having been visible, else 0."),
    _mark("odd_window", "1 when the landing page stood in a window that shows nothing, else 0."),
    _mark("odd_times", "1 when the report on the landing page contradicts itself or the click in its times, else 0."),
    _mark("untouched", "1 when the landing page was left without any movement, touch or key, else 0."),
)
"""The features of a conversion."""

_COUNTED = tuple((feature.name, feature.measure) for feature in CONVERSION_FEATURES if feature.measure is not None)

COUNTED_FEATURE_NAMES: tuple[str, ...] = tuple(name for name, _ in _COUNTED)
"""Those that the counters answer, in the order in which they are asked."""

_FIRST_NUMBER = 128
"""Keys of conversions' own measures begin here, so that they never meet those of clicks."""


def conversion_feature_set_hash() -> str:
    """SHA-256 of everything that decides a value. Texts do not count."""
    features = [(feature.name, feature.unit, feature.measure, feature.mark) for feature in CONVERSION_FEATURES]
    return sha256_of([features, visits.definitions()])


class ObservedConversion(msgspec.Struct, frozen=True):
    """What the counters made of a conversion: features by name (`None` unknown), and whether its id was seen before."""

    features: dict[str, float | None]
    repeated: bool


def observe_conversion(counters: Counters, conversion: Conversion, click: Click | None) -> ObservedConversion:
    """Counts the conversion and returns its features as of its own time; `click` is the one it came from, if known."""
    answers = counters.observe(sighting_of(conversion, click))
    values = zip(COUNTED_FEATURE_NAMES, answers.values, strict=True)
    return ObservedConversion({name: None if math.isnan(value) else value for name, value in values}, answers.repeated)


def visit_features(click: Click | None, reports: Sequence[Visit]) -> dict[str, float | None]:
    """The features that the landing page's reports give, by name (`None` unknown)."""
    marks = visits.marks_of(click, reports)
    told = {feature.name: marks[feature.mark] for feature in CONVERSION_FEATURES if feature.mark}
    return {name: None if mark is None else float(mark) for name, mark in told.items()}


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


CONVERSION_PLAN = plan_of([measure for _, measure in _COUNTED])
"""What the counters are asked for a conversion."""

_CONVERSION_KEYS = rows_of([_numbered(place, measure) for place, (_, measure) in enumerate(_COUNTED)], _IDENTITIES, _PARTS)
