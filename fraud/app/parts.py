"""Everything the product works with, opened once from the settings."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import msgspec

from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.clock import Clock, SystemClock
from fraud.domain.decisions import Artefact
from fraud.domain.hashing import canonical_json
from fraud.domain.limits import RateLimiter
from fraud.domain.outbox import OutboundEvent, Sink
from fraud.domain.policies import PolicyState
from fraud.domain.programs import ProgramProfile
from fraud.domain.scans import Period
from fraud.errors import InputError, ModelError, NotFound, ReplayError
from fraud.policy.loading import load_pack
from fraud.policy.pack import Pack
from fraud.settings import Settings
from fraud.sinks.config import read_sinks
from fraud.storage.actors import SqlActors
from fraud.storage.alerts import SqlAlerts
from fraud.storage.applications import SqlApplications
from fraud.storage.audit import SqlAudit
from fraud.storage.cases import SqlCases
from fraud.storage.database import Database, open_database
from fraud.storage.decisions import SqlDecisions
from fraud.storage.evidence import EvidenceFolder
from fraud.storage.facets import SqlFacets
from fraud.storage.jobs import SqlJobs
from fraud.storage.limits import TokenBuckets
from fraud.storage.nights import SqlNights
from fraud.storage.outbox import SqlOutbox
from fraud.storage.policies import SqlPolicies
from fraud.storage.programs import SqlPrograms
from fraud.storage.report_links import SqlReportLinks
from fraud.storage.reviews import SqlReviews
from fraud.storage.scans import SqlScans
from fraud.storage.shadows import SqlShadows
from fraud.storage.suppressions import SqlSuppressions
from fraud.storage.targets import SqlTargets
from fraud.storage.workspace import Workspace

if TYPE_CHECKING:  # DuckDB and scikit-learn take a second to import, and most commands need neither
    from fraud.storage.lake import ParquetLake
    from models.registry import ArtefactInfo, ModelRegistry

Answer = TypeVar("Answer")

SINKS_FILE = "sinks.yaml"
"""The workspace's file of those who are told of what happens."""


@dataclass(frozen=True)
class Stores:
    """The SQL stores of one database."""

    decisions: SqlDecisions
    scans: SqlScans
    nights: SqlNights
    facets: SqlFacets
    alerts: SqlAlerts
    reviews: SqlReviews
    policies: SqlPolicies
    shadows: SqlShadows
    report_links: SqlReportLinks
    targets: SqlTargets
    outbox: SqlOutbox
    cases: SqlCases
    suppressions: SqlSuppressions
    applications: SqlApplications
    programs: SqlPrograms
    actors: SqlActors
    audit: SqlAudit
    jobs: SqlJobs


class App:
    """The product, opened on one workspace. Parts that are slow to load are made when first used."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.workspace = Workspace.open(settings.workspace)
        self.database: Database = open_database(settings.database_url or self.workspace.database_url)
        self.evidence = EvidenceFolder(self.workspace.evidence)
        self.stores = Stores(
            decisions=SqlDecisions(self.database),
            scans=SqlScans(self.database),
            nights=SqlNights(self.database),
            facets=SqlFacets(self.database),
            alerts=SqlAlerts(self.database),
            reviews=SqlReviews(self.database),
            policies=SqlPolicies(self.database),
            shadows=SqlShadows(self.database),
            report_links=SqlReportLinks(self.database),
            targets=SqlTargets(self.database),
            outbox=SqlOutbox(self.database),
            cases=SqlCases(self.database),
            suppressions=SqlSuppressions(self.database),
            applications=SqlApplications(self.database),
            programs=SqlPrograms(self.database),
            actors=SqlActors(self.database, self.clock),
            audit=SqlAudit(self.database),
            jobs=SqlJobs(self.database),
        )

    @cached_property
    def lake(self) -> ParquetLake:
        """The store of events."""
        from fraud.storage.lake import ParquetLake

        if not self.settings.lake_url:
            return ParquetLake(self.workspace.lake)
        from fraud.storage.lake_objects import ObjectFiles

        root = self.workspace.lake_copies(self.settings.lake_url)
        return ParquetLake(root, files=ObjectFiles(self.settings.lake_url, root))

    @cached_property
    def registry(self) -> ModelRegistry:
        """The fitted models, each behind a manifest signed with the pepper: unlike the secret key it is never rotated."""
        from models.registry import ModelRegistry

        return ModelRegistry(self.workspace.models, hmac.digest(self.pepper, b"model manifests", "sha256"))

    @cached_property
    def limiter(self) -> RateLimiter:
        """Counts how often keys and addresses ask: in Redis when there is one, else in this process."""
        here = TokenBuckets(self.clock)
        if not self.settings.counters_url:
            return here
        try:
            from fraud.storage.limits_redis import RedisBuckets
        except ImportError as fault:
            raise InputError("FRAUD_COUNTERS_URL needs the package redis: pip install 'affiliate-fraud[redis]'.") from fault
        return RedisBuckets(self.settings.counters_url, here)

    @cached_property
    def secret_key(self) -> bytes:
        """Signs sessions and links."""
        given = self.settings.secret_key
        return given.get_secret_value().encode() if given else self.workspace.secret_key()

    @cached_property
    def pepper(self) -> bytes:
        """Keys the hashes of personal values."""
        given = self.settings.pepper
        return given.get_secret_value().encode() if given else self.workspace.pepper()

    @cached_property
    def sinks(self) -> list[Sink]:
        """Who is told of what happens, by the workspace's file of sinks; `InputError` when that cannot be used."""
        return read_sinks(self.workspace.root / SINKS_FILE, os.environ)

    def tell(self, events: Sequence[OutboundEvent]) -> None:
        """Keeps events for the sinks that want them; what was kept already is not told again."""
        if events and self.sinks:
            self.stores.outbox.publish(events, self.sinks)

    def pack(self, name: str = "") -> Pack:
        """A policy pack, kept in the evidence store under its hash so that decisions made under it can be replayed."""
        pack = load_pack(name)
        self.evidence.put(canonical_json(pack))
        return pack

    def pack_for(self, program_id: str, named: str = "") -> Pack:
        """The pack that a program's decisions are made under: the one named, else the one that is live, else its profile's, else the
        default."""
        live = None if named else self.stores.policies.current(program_id, PolicyState.LIVE)
        if live is not None:
            return self.pack_of(live.policy)
        profile = self.profile(program_id)
        return self.pack(named or (profile.policy if profile else ""))

    def pack_of(self, artefact: Artefact) -> Pack:
        """The pack that a decision was made under, exactly as it was."""
        try:
            stored = self.evidence.get(artefact.hash)
        except NotFound as gone:
            raise ReplayError(
                f"The policy pack {artefact.id} ({artefact.hash[:12]}) is no longer kept; name one with --policy FILE."
            ) from gone
        return msgspec.json.decode(stored, type=Pack)

    def profile(self, program_id: str = DEFAULT_PROGRAM) -> ProgramProfile | None:
        """A program's profile, if one has been given."""
        try:
            return self.stores.programs.get(program_id)
        except NotFound:
            return None

    def close(self) -> None:
        """Closes what is held open."""
        self.database.close()


@contextmanager
def open_app(settings: Settings, clock: Clock | None = None) -> Iterator[App]:
    """The product on the settings' workspace, closed again at the end."""
    app = App(settings, clock)
    try:
        yield app
    finally:
        app.close()


class KeptModels:
    """Keeps what a scan fits in the registry, and loads what a decision names."""

    def __init__(self, registry: ModelRegistry, feature_set_hash: str, now: datetime) -> None:
        self._registry, self._feature_set_hash, self._now = registry, feature_set_hash, now

    def keep(self, name: str, model: object, trained: Period, metrics: dict[str, float]) -> Artefact:
        """Keeps a fitted model; returns its name and the hash of its file."""
        info = self._registry.save(
            name,
            model,
            feature_set_hash=getattr(model, "feature_set_hash", self._feature_set_hash),
            trained_from=trained.start,
            trained_to=trained.end,
            metrics=metrics,
            created_at=self._now,
        )
        return Artefact(id=name, hash=info.sha256)


def asking(question: Callable[[], Answer]) -> Answer:
    """What the registry answers; its refusal as a `ModelError`."""
    from models.registry import ModelRefused

    try:
        return question()
    except ModelRefused as refused:
        raise ModelError(str(refused)) from refused


def kept_models(registry: ModelRegistry, name: str, feature_set_hash: str) -> list[ArtefactInfo]:
    """What is kept under a name and was fitted on these features; a `ModelError` when a manifest is not as it was signed."""
    return [info for info in asking(registry.list) if info.name == name and info.feature_set_hash == feature_set_hash]


def load_model(registry: ModelRegistry, artefact: Artefact, feature_set_hash: str) -> object:
    """The model a decision names; a `ModelError` with the registry's own reason when it is refused."""
    model: object = asking(lambda: registry.load(artefact.hash, feature_set_hash=feature_set_hash))
    return model
