"""What a scan is asked, what it works with, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import duckdb

from fraud.checks.running import PreparedChecks
from fraud.checks.traffic.facts import Company, TrafficFacts
from fraud.decisions.ranking import TrafficRanker
from fraud.domain.actors import Actor
from fraud.domain.alerts import Alert
from fraud.domain.decisions import Artefact, Decision
from fraud.domain.scans import Period, ScanResult
from fraud.domain.suppressions import Suppression
from fraud.features.engines import FeatureEngine, engine
from fraud.links.evidence import GraphNight
from fraud.links.sites import SiteTies
from fraud.policy.pack import Pack
from fraud.workflows.baselines import BaselineKeeper

Progress = Callable[[str], None]

CLOCK_SKEW = timedelta(days=1)
"""How far ahead of ours another machine's clock, or a zone left out, may put an event."""


class EventLake(Protocol):
    """What the scan needs of the store of events."""

    def connect(self, program_id: str, as_of: datetime | None = None, *, until: datetime | None = None) -> duckdb.DuckDBPyConnection:
        """A connection whose views `clicks`, `conversions`, `affiliates`… show one program's events before `until`."""
        ...

    def time_range(self, program_id: str, before: datetime | None = None) -> tuple[datetime, datetime] | None:
        """The times of the first and the last event (before a time, if one is given), or `None` when there is none."""
        ...


class ModelKeeper(Protocol):
    """What the scan needs of the model registry: keep what was fitted and say what it is called."""

    def keep(self, name: str, model: object, trained: Period, metrics: dict[str, float]) -> Artefact:
        """Keeps a fitted model; returns its name and the hash of its file."""
        ...


@dataclass(frozen=True)
class ScanRequest:
    """What to scan. `days` and `history_days` are the window and the reference; `since` begins the window at a moment instead of `days`
    before its end, and `whole` makes it the whole of the events. `fdr` asks for a share of false discoveries instead of a budget."""

    program_id: str
    as_of: datetime | None = None
    days: int = 3
    history_days: int = 28
    budget: int | None = None
    fdr: float | None = None
    whole: bool = False
    since: datetime | None = None
    duplicate_rows: int = 0
    rejected_rows: int = 0


@dataclass(frozen=True)
class Ranking:
    """The ranker that reviews have taught, by its name in decisions; `note` says why there is one and it does not serve."""

    ranker: TrafficRanker | None = None
    artefact: Artefact | None = None
    note: str = ""

    def notes(self) -> tuple[str, ...]:
        """What a scan says of it."""
        if self.ranker is None:
            return (self.note,) if self.note else ()
        return (f"Ranked by what {self.ranker.labels} reviewed affiliates taught, {self.ranker.bad} of them found bad.",)


@dataclass(frozen=True)
class ScanTools:
    """What a scan works with. `standing` are the program's alerts so far, which are no news, and `suppressions` what people asked not
    to be told of; `sites` is what vetted websites tie their owners to. With `baselines` the night is judged by the baseline in force,
    without by one of its own."""

    lake: EventLake
    models: ModelKeeper
    pack: Pack
    actor: Actor
    now: datetime
    progress: Progress = field(default=lambda _: None)
    enrichment: tuple[Artefact, ...] = ()
    standing: Sequence[Alert] = ()
    suppressions: Sequence[Suppression] = ()
    ranking: Ranking = field(default_factory=Ranking)
    features: FeatureEngine = field(default_factory=lambda: engine("local"))
    sites: Sequence[SiteTies] = ()
    baselines: BaselineKeeper | None = None


@dataclass(frozen=True)
class ScanOutcome:
    """A night's result, and the decisions and alerts to keep with it; `again` are sightings of what people know, to be counted."""

    result: ScanResult
    decisions: tuple[Decision, ...]
    alerts: tuple[Alert, ...]
    again: tuple[Alert, ...] = ()


@dataclass(frozen=True)
class Night:
    """The pieces of a scan that travel together once the models have spoken."""

    scan_id: str
    request: ScanRequest
    tools: ScanTools
    window: Period
    models: tuple[Artefact, ...]
    graph: GraphNight
    companies: dict[str, Company]
    checks: PreparedChecks[TrafficFacts]
    alerting: Mode


@dataclass(frozen=True)
class Mode:
    """How statistics alert: at a share `q` of false discoveries, or within a budget (`None`); `why` says what stood in the way."""

    q: float | None
    why: str = ""
