"""Ingestion and scans, wired: on the workspace's own lake, or once on files that are not kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import msgspec

from fraud.app.baselines import WorkspaceBaselines
from fraud.app.cases import expire_alerts
from fraud.app.enriching import enrichment_artefacts, networks
from fraud.app.facets import keep_facets
from fraud.app.history import by_kind
from fraud.app.memory import vetted_sites
from fraud.app.models import live_ranking
from fraud.app.parts import App, KeptModels
from fraud.app.scoring import fit_click_model_on
from fraud.app.shadowing import shadow
from fraud.app.upkeep import keep_up
from fraud.cases.lifecycle import seen_again, under
from fraud.domain.actors import Actor
from fraud.domain.clock import as_utc
from fraud.domain.outbox import OutboundEvent
from fraud.domain.scans import ScanResult
from fraud.features.catalogue import feature_set_hash
from fraud.features.engines import FeatureEngine, engine
from fraud.policy.pack import Pack
from fraud.storage.lake import ParquetLake
from fraud.workflows.ingesting import IngestOptions, IngestReport, ingest
from fraud.workflows.night import ScanOutcome, ScanRequest, ScanTools
from fraud.workflows.nightly import scan
from fraud.workflows.nights_told import releases, watch_digest
from fraud.workflows.telling import alert_events, scan_events

Progress = Callable[[str], None]

HELD_LATELY = timedelta(days=60)
"""Who was held longer ago has been freed, or has sent nothing since."""
MOST_NIGHTS = 120
"""Nights of an affiliate that are looked back on."""


@dataclass(frozen=True)
class OneShotFiles:
    """The files of a one-shot scan, by what they hold. `history` may hold clicks or conversions, told apart by content."""

    clicks: Sequence[Path]
    conversions: Sequence[Path] = ()
    affiliates: Sequence[Path] = ()
    offers: Sequence[Path] = ()
    labels: Sequence[Path] = ()
    history: Sequence[Path] = ()
    format: str = "auto"

    def by_kind(self) -> list[tuple[str, Sequence[Path]]]:
        """Each kind with its files, dimension tables first so that events find them."""
        kinds = [
            ("offers", self.offers),
            ("affiliates", self.affiliates),
            ("labels", self.labels),
            ("clicks", self.clicks),
            ("conversions", self.conversions),
        ]
        return [(kind, paths) for kind, paths in kinds if paths]


@dataclass(frozen=True)
class ScanRun:
    """A finished scan: its result, and what ingesting its files reported (one-shot scans only)."""

    result: ScanResult
    ingested: tuple[IngestReport, ...] = field(default=())


def ingest_files(app: App, program_id: str, kind: str, paths: Sequence[Path], options: IngestOptions) -> IngestReport:
    """Appends files to the workspace's lake."""
    return ingest(app.lake, program_id, kind, paths, options)


def ingest_options(app: App, format_name: str, progress: Progress) -> IngestOptions:
    """How this workspace ingests: its pepper, its clock."""
    return IngestOptions(format=format_name, pepper=app.pepper, ingested_at=app.clock.now(), progress=progress)


def scan_workspace(app: App, request: ScanRequest, actor: Actor, policy: str, progress: Progress) -> ScanRun:
    """Scans the workspace's own events and keeps decisions, alerts, models and the result; the lake is kept up first."""
    keep_up(app, progress)
    expire_alerts(app, request.program_id)
    tools = replace(
        _tools(app, app.lake, request.program_id, (actor, app.pack_for(request.program_id, policy), progress)),
        standing=app.stores.alerts.standing(request.program_id),
        suppressions=app.stores.suppressions.active(request.program_id, app.clock.now()),
        sites=vetted_sites(app, request.program_id),
        baselines=WorkspaceBaselines(app),
    )
    outcome = scan(request, tools)
    progress("Fitting the click model")
    fit_click_model_on(app, app.lake, request.program_id, outcome.result.as_of)
    kept = _keep(app, outcome)
    shadow(app, request.program_id, outcome.decisions)
    return ScanRun(kept)


def scan_files(app: App, files: OneShotFiles, request: ScanRequest, tools: tuple[Actor, str, Progress]) -> ScanRun:
    """Scans files once. Nothing of them stays in the workspace but the decisions, and the models those were made with."""
    actor, policy, progress = tools
    with tempfile.TemporaryDirectory(prefix="one-shot-", dir=app.workspace.root) as folder:
        lake = ParquetLake(Path(folder))
        options = ingest_options(app, files.format, progress)
        reports = [ingest(lake, request.program_id, kind, paths, options) for kind, paths in files.by_kind()]
        if files.history:
            request = _beginning_with_the_clicks(request, lake)
            reports += [ingest(lake, request.program_id, kind, paths, options) for kind, paths in by_kind(files.history, files.format)]
        counted = replace(
            request,
            duplicate_rows=sum(report.duplicates for report in reports),
            rejected_rows=sum(report.rejected for report in reports),
        )
        outcome = scan(counted, _tools(app, lake, request.program_id, (actor, app.pack_for(request.program_id, policy), progress)))
    app.stores.decisions.add(outcome.decisions)
    return ScanRun(outcome.result, tuple(reports))


def _beginning_with_the_clicks(request: ScanRequest, lake: ParquetLake) -> ScanRequest:
    """A request for the whole of the click files, of which alone the lake holds clicks so far, when history is to come before them."""
    if not request.whole:
        return request
    with lake.connect(request.program_id) as events:
        (first,) = events.sql("select min(clicked_at) from clicks").fetchall()[0]
    return replace(request, whole=False, since=as_utc(first))


def _tools(app: App, lake: ParquetLake, program_id: str, means: tuple[Actor, Pack, Progress]) -> ScanTools:
    actor, pack, progress = means
    now = app.clock.now()
    models = KeptModels(app.registry, feature_set_hash(), now)
    enrichment = enrichment_artefacts(app)
    return ScanTools(
        lake=lake,
        models=models,
        pack=pack,
        actor=actor,
        now=now,
        progress=progress,
        enrichment=enrichment,
        ranking=live_ranking(app, program_id),
        features=feature_engine(app),
    )


def feature_engine(app: App) -> FeatureEngine:
    """What computes features as the settings say, with the tables of networks in use."""
    asked = app.settings
    tables = networks(app)
    exits = tables.exits if tables else None
    return engine(asked.engine, asked.spark_master, asked.features_memory_mb << 20, asked.features_disk_mb << 20, exits)


def _keep(app: App, outcome: ScanOutcome) -> ScanResult:
    """Keeps a scan; returns its result with the alerts as they now stand, counted where the news is not new."""
    app.stores.decisions.add(outcome.decisions)
    policy = app.pack_of(outcome.result.policy).scan.alerts
    suppressions, now = app.stores.suppressions.active(outcome.result.program_id, app.clock.now()), app.clock.now()
    sightings = [under(alert, suppressions, now) for alert in (*outcome.alerts, *outcome.again)]
    standing = app.stores.alerts.record(sightings, lambda known, sighting: under(seen_again(known, sighting, policy), suppressions, now))
    result = msgspec.structs.replace(outcome.result, alerts=tuple(standing[: len(outcome.alerts)]))
    before = app.stores.scans.latest(result.program_id)
    app.stores.scans.add(result)
    keep_facets(app, result)
    app.tell([*alert_events(standing), *scan_events(result), *watch_digest(result, before), *_releases(app, result)])
    return result


def _releases(app: App, result: ScanResult) -> list[OutboundEvent]:
    """Who is free again after tonight, of those whom a night of the last weeks held."""
    nights, program_id = app.stores.nights, result.program_id
    tonight = {one.affiliate_id for one in result.affiliates}
    held = [name for name in nights.held_since(program_id, result.as_of - HELD_LATELY) if name in tonight]
    return releases(result, {name: nights.history(program_id, name, MOST_NIGHTS) for name in held}, app.pack_of(result.policy).scan.caps)
