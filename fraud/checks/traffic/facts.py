"""What the traffic checks may see of one affiliate or sub-ID: its features, its counts, its residuals and the company it keeps."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from fraud.domain.graph import GraphFinding


class FeatureResidual(msgspec.Struct, frozen=True, kw_only=True):
    """One feature against its peers: `z` is shrunk, one-sided and clipped; `value` and `peer` are in the feature's own unit. `weeks` says
    that it is of all windows until tonight together, not of tonight alone."""

    feature: str
    side: str
    z: float
    value: float
    peer: float
    support: float
    weeks: bool = False


class Extreme(msgspec.Struct, frozen=True, kw_only=True):
    """A feature further from peers than any reference row: its `distance` and the `furthest` of the `rows` of the reference, both in robust
    standard deviations attenuated by support, and the value it has on what `support`."""

    feature: str
    side: str
    distance: float
    furthest: float
    rows: int
    value: float
    support: float


class TrafficCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The plain counts of a window. `None` is unknown."""

    clicks: int
    conversions: int
    expected_conversions: float | None = None
    self_matches: int | None = None
    commission: Decimal | None = None
    pending_commission: Decimal | None = None
    currency: str | None = None


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """A ring the affiliate belongs to: how many members, and what they share."""

    ring_id: str
    members: int
    shared: dict[str, int]
    score: float


class WeekFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One affiliate over all windows until tonight: how many, and the same figures as of a night. Only conduct is looked back on, and
    what an audience is like is absent."""

    windows: int
    values: dict[str, float]
    support: dict[str, float]
    peers: dict[str, float]
    counts: TrafficCounts


class TrafficFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One subject of a scan. `values`, `support` and `peers` (the peers' median) are by feature name; what is absent is unknown.

    `residuals` are those above 0, largest first; `evidence` is the fused -log10 p of the statistics and the graph, `None` when there is
    none; `graph` is what the graph found; `declared` names the calendar's events that concern the subject; `weeks` is there where there
    is a past to look back on; `extremes` are the features that nobody in the reference came near, furthest first.
    """

    subject: str
    values: dict[str, float]
    support: dict[str, float]
    counts: TrafficCounts
    peers: dict[str, float] = {}
    residuals: tuple[FeatureResidual, ...] = ()
    evidence: float | None = None
    declared: str | None = None
    company: Company | None = None
    graph: tuple[GraphFinding, ...] = ()
    weeks: WeekFacts | None = None
    extremes: tuple[Extreme, ...] = ()
