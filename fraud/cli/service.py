"""The service put together: API, pages and worker over one opened product."""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from fraud.api.main import create_api
from fraud.api.security import KeyLimits, limits_by_role, per_second
from fraud.api.services import ApiServices, TagDesk
from fraud.app.background import background
from fraud.app.cases import case_tools, review_tools
from fraud.app.keeping import adding, open_writer
from fraud.app.keys import ensure_keys
from fraud.app.logs import configure_logs
from fraud.app.parts import App
from fraud.app.scheduling import Repeated
from fraud.app.scoring import Scorers
from fraud.app.tagging import TagPrograms, open_book
from fraud.app.telemetry import configure_telemetry
from fraud.app.watching import Watch
from fraud.cli.jobs import HANDLERS
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.events.formats import CONTRACT
from fraud.events.personal import hashed
from fraud.settings import load_settings
from fraud.web.own_report import own_report_pages
from fraud.web.pages import create_pages
from fraud.web.sessions import SessionSigner
from fraud.workflows.appending import append_body
from fraud.workflows.ingesting import IngestOptions, IngestReport

SWITCH_SECONDS = 0.0005
"""How long a thread behind the answers may keep the interpreter while an answer waits for it; Python's own 5 ms would be noticed."""

COLLECT_AFTER = (100, 10, 1_000_000)
"""When Python looks for unreachable cycles: often, among what is newest. What lets go of old answers is taken off the count of new ones,
so that with a higher first number hundreds of thousands had gathered by the time of a look, which took a tenth of a second (and the newest
answers out of the processor's cache). Old things are looked through every `COLLECT_ALL` seconds: with as many answers as are kept that
takes some tenths of a second."""

COLLECT_ALL = 3_600.0
"""Seconds between two looks through everything but what was loaded at the start. Answers hold no cycles; pages and jobs leave few."""


def create_service(app: App) -> FastAPI:
    """The web application of one opened product. Its worker and its writer of decisions live as long as it does."""
    sys.setswitchinterval(SWITCH_SECONDS)
    writer = open_writer(app)
    book, tags = open_book(app), TagPrograms(app, app.clock)
    scorers = Scorers(app, writer.record, writer.record_clicks, book.of_click, writer.left)

    watch = Watch(app)

    def gauges() -> Mapping[str, float]:
        stats = writer.stats()
        return {
            **scorers.gauges(),
            **watch.gauges(),
            "decisions_waiting": float(stats.waiting),
            "decisions_written": float(stats.written),
            "decisions_refused": float(stats.refused),
            **book.figures(),
        }

    def policy_probe() -> None:
        app.pack_for(DEFAULT_PROGRAM)

    def append(program_id: str, kind: str, body: bytes) -> IngestReport:
        options = IngestOptions(format=CONTRACT, pepper=app.pepper, ingested_at=app.clock.now())
        with adding(f"The {kind} of {program_id}"):
            return append_body(app.lake, program_id, kind, body, options)

    services = ApiServices(
        decisions=app.stores.decisions,
        scans=app.stores.scans,
        alerts=app.stores.alerts,
        applications=app.stores.applications,
        actors=app.stores.actors,
        audit=app.stores.audit,
        jobs=app.stores.jobs,
        clock=app.clock,
        scorer_of=scorers.of,
        ready=scorers.ready,
        kept=writer.kept if writer.waits_for_disk else None,
        counts_elsewhere=bool(app.settings.counters_url),
        conversions_of=scorers.conversions_of,
        personal=lambda kind, value: hashed(app.pepper, kind, value),
        append=append,
        reviewing=review_tools(app),
        casework=case_tools(app),
        probes={"database": app.database.ping, "policy": policy_probe, "disk": app.workspace.require_room},
        gauges=gauges,
        tag=TagDesk(tags.of, book.take, per_second(app.settings.tag_rate_limit)),
        limits=KeyLimits(app.limiter, limits_by_role(app.settings.score_rate_limit, app.settings.rate_limit)),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        book.start()
        try:
            with background(app, HANDLERS) if app.settings.serve_jobs else nullcontext():
                await run_in_threadpool(scorers.of, DEFAULT_PROGRAM)  # what takes seconds to load must be there before a tracker asks
                gc.collect()
                gc.freeze()
                gc.set_threshold(*COLLECT_AFTER)
                with checkpoints(scorers, app.settings.counters_checkpoint), repeated("cycles", gc.collect, COLLECT_ALL):
                    yield
        finally:
            writer.close()
            scorers.close()
            book.close()

    api = create_api(services, [create_pages(app, SessionSigner(app.secret_key)), own_report_pages(app)])
    api.router.lifespan_context = lifespan
    return api


@contextmanager
def checkpoints(scorers: Scorers, seconds: float) -> Iterator[None]:
    """Takes a checkpoint of the counters every so many seconds until the block ends; 0 is never."""
    with repeated("checkpoints", scorers.keep_counters, seconds) if seconds else nullcontext():
        yield


@contextmanager
def repeated(name: str, act: Callable[[], object], seconds: float) -> Iterator[None]:
    """Does something at once and every so many seconds until the block ends."""
    keeper = Repeated(name, act, seconds)
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


def application() -> FastAPI:
    """The service on the environment's settings: what each worker process of `fraud serve --workers N` makes for itself."""
    settings = load_settings()
    configure_logs(settings)
    configure_telemetry(settings)
    app = App(settings)
    ensure_keys(app)
    return create_service(app)
