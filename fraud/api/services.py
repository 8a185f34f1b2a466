"""What the API works with: the product's ports and the scorers, wired by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from fraud.api.conversions import PersonalHash
from fraud.api.security import KeyLimits
from fraud.domain.clock import Clock
from fraud.domain.events import Visit
from fraud.domain.limits import Limit
from fraud.domain.ports import ActorStore, AlertStore, ApplicationStore, AuditLog, DecisionStore, JobQueue, ScanStore
from fraud.workflows.casework import CaseTools
from fraud.workflows.converting import ConversionScorer
from fraud.workflows.ingesting import IngestReport
from fraud.workflows.reviewing import ReviewTools
from fraud.workflows.scoring import ClickScorer

Probe = Callable[[], None]
"""Asks one thing the API depends on for a sign of life; raises a `FraudError` when it is not fine."""

NO_LIMIT = Limit(0.0, 1)
"""As often as one likes."""

Gauges = Callable[[], Mapping[str, float]]
"""Figures to publish under `/metrics`, by name without the product's prefix."""


@dataclass(frozen=True)
class TagDesk:
    """What the collector of the landing pages' tag works with: the program of a tag, who takes a report (false: there are too many), and
    how often one address may report."""

    program_of: Callable[[str], str | None] = lambda tag_id: None
    take: Callable[[Visit], bool] = lambda visit: False
    limit: Limit = NO_LIMIT


@dataclass(frozen=True)
class ApiServices:
    """Ports, and what is built on them.

    `scorer_of` and `conversions_of` give a program's scorers, or raise `NotFound` for a program that does not exist; `personal` hashes
    what may not be kept as it is; `append` keeps the rows of a body (program, kind of table, bytes);
    `reviewing` takes down what people decide, and `casework`
    what they do with cases. `probes` are asked by `/readyz`.
    `ready` gives a program's scorer if that takes no waiting; `kept` returns once all that was recorded is on disk, where answers wait
    for that. `counts_elsewhere` says that to count a click is to wait for another machine. `gauges` come from counters and queues.
    `body_limit` and `batch_limit` are the largest bodies in bytes, of one thing and of many. `limits` say how often each key may ask,
    `tag` serves the collector of the landing pages' tag.
    """

    decisions: DecisionStore
    scans: ScanStore
    alerts: AlertStore
    applications: ApplicationStore
    actors: ActorStore
    audit: AuditLog
    jobs: JobQueue
    clock: Clock
    scorer_of: Callable[[str], ClickScorer]
    conversions_of: Callable[[str], ConversionScorer]
    personal: PersonalHash
    append: Callable[[str, str, bytes], IngestReport]
    reviewing: ReviewTools
    casework: CaseTools
    probes: Mapping[str, Probe] = field(default_factory=dict)
    gauges: Gauges = dict
    ready: Callable[[str], ClickScorer | None] = lambda program_id: None
    limits: KeyLimits = field(default_factory=KeyLimits)
    kept: Callable[[], Awaitable[None]] | None = None
    counts_elsewhere: bool = False
    tag: TagDesk = field(default_factory=TagDesk)
    body_limit: int = 64 * 1024
    batch_limit: int = 32 * 1024 * 1024
