"""The features of one click as of its own time, each defined once; scoring serves them and the nightly scan fits its model on the same.

A feature names what it asks of the counters (`fraud.domain.counting`) and how the answers become its value. NaN is unknown: the column was
absent, the counters no longer reach back that far, or there is too little to take a share of. Windows and identities follow detectors C01
to C03, C07, C11 of the detection notes.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from fraud.domain.clicks import clicks_of
from fraud.domain.clock import microseconds
from fraud.domain.counting import UNKNOWN, Ask, Counters, Plan, Sighting, Sightings
from fraud.domain.events import Click
from fraud.domain.hashing import sha256_of
from fraud.features.combining import OTHER_SHARE, RARITY, SHARE, VALUE, combined
from fraud.features.identities import (
    IDENTITIES,
    PARTS,
    click_event_key,
    click_event_keys,
    click_parts,
    parts_of,
)
from fraud.features.keys import mixed_keys, mixed_keys_of_many

MINUTE, TEN_MINUTES, HOUR, DAY = 60, 600, 3600, 86400
"""The windows, in seconds."""

MINIMUM_FOR_SHARE = 20
"""Clicks below which a share says nothing: one click of twenty is the 5% that honest mixes differ by."""

MINIMUM_FOR_RARITY = 100
"""Clicks of the program below which no user agent can be called rare."""

_MOST_PARTS = 4


class Direction(StrEnum):
    """Which side of a feature is the suspicious one."""

    HIGH = "high"
    LOW = "low"


class Measure(msgspec.Struct, frozen=True):
    """One thing to ask of the counters: what kind, of which of the click's identities (`identities_of`), over how many seconds.

    `member` names the identity whose different values are counted (`distinct` only).
    """

    kind: Ask
    of: str
    window: int
    member: str = ""


class ClickFeature(msgspec.Struct, frozen=True, kw_only=True):
    """One feature of a click: its texts, the suspicious side, and how it is computed. `minimum` is the support a share needs (clicks)."""

    name: str
    doc: str
    unit: str
    direction: Direction
    measures: tuple[Measure, ...]
    combine: str = "value"
    minimum: int = 0


def _value(answers: Sequence[float], minimum: int) -> float:
    return answers[0]


def _share(answers: Sequence[float], minimum: int) -> float:
    part, whole = answers
    return part / whole if whole >= max(minimum, 1) else UNKNOWN


def _rarity(answers: Sequence[float], minimum: int) -> float:
    part, whole = answers
    return math.log10(whole / part) if whole >= max(minimum, 1) and part > 0 else UNKNOWN


def _other_share(answers: Sequence[float], minimum: int) -> float:
    """The share of the other events, this one left out, that differ from it."""
    part, whole = answers
    return (whole - part) / (whole - 1) if whole - 1 >= max(minimum, 1) else UNKNOWN


_COMBINE: Mapping[str, Callable[[Sequence[float], int], float]] = {
    "value": _value,
    "share": _share,
    "rarity": _rarity,
    "other_share": _other_share,
}


def _count(name: str, doc: str, of: str, window: int) -> ClickFeature:
    return ClickFeature(name=name, doc=doc, unit="clicks", direction=Direction.HIGH, measures=(Measure(Ask.COUNT, of, window),))


def _distinct(name: str, doc: str, unit: str, member: str) -> ClickFeature:
    measures = (Measure(Ask.DISTINCT, "ip", HOUR, member),)
    return ClickFeature(name=name, doc=doc, unit=unit, direction=Direction.HIGH, measures=measures)


VISITOR_AFFILIATES = Measure(Ask.DISTINCT, "visitor", TEN_MINUTES, "affiliate")
"""Whom else a visitor was sent by lately: asked by clicks, and again when one of them converts."""

CLICK_FEATURES: tuple[ClickFeature, ...] = (
    _count("ip_clicks_1m", "Clicks of this address in the last minute.", "ip", MINUTE),
    _count("ip_clicks_1h", "Clicks of this address in the last hour.", "ip", HOUR),
    _count("ip_user_agent_clicks_1m", "Clicks of this address and user agent in the last minute.", "ip_user_agent", MINUTE),
    _count("ip_user_agent_clicks_10m", "Clicks of this address and user agent in the last 10 minutes.", "ip_user_agent", TEN_MINUTES),
    _count("device_clicks_10m", "Clicks of this device in the last 10 minutes.", "device", TEN_MINUTES),
    _count("device_clicks_24h", "Clicks of this device in the last 24 hours.", "device", DAY),
    _count("affiliate_clicks_10m", "Clicks of this affiliate in the last 10 minutes.", "affiliate", TEN_MINUTES),
    _count("affiliate_clicks_24h", "Clicks of this affiliate in the last 24 hours.", "affiliate", DAY),
    _count("sub_id_clicks_10m", "Clicks of this affiliate's sub-ID in the last 10 minutes.", "sub_id", TEN_MINUTES),
    _count("sub_id_clicks_24h", "Clicks of this affiliate's sub-ID in the last 24 hours.", "sub_id", DAY),
    ClickFeature(
        name="seconds_since_same_click",
        doc="Seconds since the previous click of the same device (or address and user agent) on the same offer of the same affiliate.",
        unit="s",
        direction=Direction.LOW,
        measures=(Measure(Ask.GAP, "visit", DAY),),
    ),
    ClickFeature(
        name="visitor_affiliates_10m",
        doc="Different affiliates this device (or address and user agent) clicked for in the last 10 minutes.",
        unit="affiliates",
        direction=Direction.HIGH,
        measures=(VISITOR_AFFILIATES,),
    ),
    _distinct("ip_affiliates_1h", "Different affiliates this address clicked for in the last hour.", "affiliates", "affiliate"),
    _distinct("ip_user_agents_1h", "Different user agents of this address in the last hour.", "user agents", "user_agent"),
    ClickFeature(
        name="network_share_1h",
        doc="Share of the affiliate's clicks of the last hour that came from this network (IPv4 /24, IPv6 /48).",
        unit="share",
        direction=Direction.HIGH,
        measures=(Measure(Ask.COUNT, "affiliate_network", HOUR), Measure(Ask.COUNT, "affiliate_networks", HOUR)),
        combine="share",
        minimum=MINIMUM_FOR_SHARE,
    ),
    ClickFeature(
        name="user_agent_rarity_24h",
        doc="How rare this user agent is among the program's clicks of the last 24 hours: 2 is one in a hundred.",
        unit="-log10 share",
        direction=Direction.HIGH,
        measures=(Measure(Ask.COUNT, "user_agent", DAY), Measure(Ask.COUNT, "user_agents", DAY)),
        combine="rarity",
        minimum=MINIMUM_FOR_RARITY,
    ),
    ClickFeature(
        name="other_country_share_24h",
        doc="Share of the affiliate's other clicks of the last 24 hours that came from other countries than this one.",
        unit="share",
        direction=Direction.HIGH,
        measures=(Measure(Ask.COUNT, "affiliate_country", DAY), Measure(Ask.COUNT, "affiliate_countries", DAY)),
        combine="other_share",
        minimum=MINIMUM_FOR_SHARE,
    ),
)
"""The features of a click, in the order of the model's columns."""

CLICK_FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in CLICK_FEATURES)
"""The columns of a table of click features, in order."""

MEASURES: tuple[Measure, ...] = tuple(dict.fromkeys(measure for feature in CLICK_FEATURES for measure in feature.measures))
"""What is asked of the counters for a click; a measure's number here is part of its keys."""

_STEPS = tuple(
    (_COMBINE[feature.combine], tuple(MEASURES.index(measure) for measure in feature.measures), feature.minimum)
    for feature in CLICK_FEATURES
)
_HOW = {"value": VALUE, "share": SHARE, "rarity": RARITY, "other_share": OTHER_SHARE}
_STEP_ROWS = np.array(
    [(_HOW[feature.combine], places[0], places[-1], least) for feature, (_, places, least) in zip(CLICK_FEATURES, _STEPS, strict=True)],
    dtype=np.int64,
)


def click_feature_set_hash() -> str:
    """SHA-256 of everything that decides a value: a model fitted under another hash must not be served. Texts do not count."""
    definitions = [(f.name, f.unit, f.direction, f.measures, f.combine, f.minimum) for f in CLICK_FEATURES]
    return sha256_of(definitions)


class ObservedClick(msgspec.Struct, frozen=True):
    """What the counters made of a click: `vector` (features,) in the order of `CLICK_FEATURES`, and whether its id was seen before."""

    vector: NDArray[np.float64]
    repeated: bool


def observe_click(counters: Counters, click: Click) -> ObservedClick:
    """Counts the click and returns its features as of its own time."""
    answers = counters.observe(sighting_of(click))
    return ObservedClick(vector_of(answers.values), answers.repeated)


def sighting_of(click: Click) -> Sighting:
    """The click as the counters see it: keys that hold no address and no name, and one question for each measure."""
    event = click_event_key(click.program_id, click.click_id)
    return Sighting(event, microseconds(click.clicked_at), CLICK_PLAN, keys_of(click_parts(click), _CLICK_KEYS))


def sightings_of(clicks: Sequence[Click], parts: NDArray[np.uint64] | None = None) -> Sightings:
    """Many clicks as the counters see them, in their order: `sighting_of` each. `parts` are theirs (`parts_of`), if known already."""
    keys = mixed_keys_of_many(parts_of(clicks) if parts is None else parts, _CLICK_KEYS)
    return Sightings(click_event_keys(clicks) if clicks else [], clicks_of(clicks).at(), CLICK_PLAN, keys)


_VISITOR = PARTS.index("visitor")


def identified_of(parts: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether `visitor_of` knows somebody, of many clicks (clicks,), from their parts (clicks, parts)."""
    known: NDArray[np.bool_] = parts[:, _VISITOR] != 0
    return known


def vectors_of(answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The features (clicks, features) from the answers (clicks, questions) to `sightings_of`'s: row by row what `vector_of` gives."""
    return combined(answers, _STEP_ROWS)


def vector_of(answers: Sequence[float]) -> NDArray[np.float64]:
    """The features (features,) from the answers to `sighting_of`'s questions."""
    return np.array(values_of(answers), dtype=np.float64)


def values_of(answers: Sequence[float]) -> list[float]:
    """The features from the answers to `sighting_of`'s questions, as plain numbers."""
    return [
        answers[places[0]] if combine is _value else combine([answers[at] for at in places], least) for combine, places, least in _STEPS
    ]


def rows_of(measures: Sequence[tuple[int, Measure]], identities: Mapping[str, tuple[str, ...]], parts: Sequence[str]) -> NDArray[np.int64]:
    """Numbered measures as `keys_of` takes them (measures, 9): the number, four places of the key's parts, four of the member's."""
    places = {name: [parts.index(one) for one in of] + [-1] * (_MOST_PARTS - len(of)) for name, of in identities.items()}
    nobody = [-1] * _MOST_PARTS
    rows = [[number, *places[measure.of], *(places[measure.member] if measure.member else nobody)] for number, measure in measures]
    return np.array(rows, dtype=np.int64)


def plan_of(measures: Sequence[Measure]) -> Plan:
    """What the counters are asked for these measures."""
    return Plan(tuple(measure.kind for measure in measures), tuple(measure.window for measure in measures))


def keys_of(parts: Sequence[int], rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Keys and members (measures, 2) of an event; 0 where a part is unknown."""
    return mixed_keys(np.frombuffer(array("Q", parts), dtype=np.uint64), rows)


CLICK_PLAN = plan_of(MEASURES)
"""What the counters are asked for a click."""

_CLICK_KEYS = rows_of(list(enumerate(MEASURES)), IDENTITIES, PARTS)
