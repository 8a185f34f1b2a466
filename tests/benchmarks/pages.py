"""How long the server takes for each page of a program with 5,000 affiliates, 100,000 alerts and two years of nights (`make bench-pages`).

The workspace is filled through the stores' own tables, in bulk; the newest nights are whole results, the earlier ones hold the lines that
lists and histories are read from. Every page is asked for again and again over the application itself, cookies and all. Time on the clock
stands beside time on the processor, which a busy machine does not lengthen. Every route of the pages is asked for: one without a page
here fails the benchmark. What a page looks up in the background is waited for first, and measured by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Table, literal, select, text
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table

from fraud.app.affiliate_reports import make_link
from fraud.app.parts import App
from fraud.app.trying import TRY, propose_policy
from fraud.domain.actors import SYSTEM, Actor, ActorKind, Role
from fraud.domain.alerts import Alert, AlertState
from fraud.domain.cases import Case, CaseState
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import SubjectKind
from fraud.domain.ids import stable_id
from fraud.domain.nights import NightLine, night_of
from fraud.domain.reviews import Disposition, Review, Source
from fraud.domain.scans import Counts, RankedSubject, ScanResult
from fraud.features.catalogue import feature_set_hash
from fraud.settings import Settings
from fraud.storage.alerts import _row as alert_row
from fraud.storage.cases import _row as case_row
from fraud.storage.documents import digest, encode
from fraud.storage.tables import alerts, audit_log, cases, reviews, scan_nights, scan_subjects
from fraud.web.own_report import own_report_pages
from fraud.web.pages import create_pages
from fraud.web.sessions import SessionSigner
from fraud.web.settling import TABS
from fraud.workflows.baselines import baseline_name
from tests.benchmarks.pages_lake import fill_lake
from tests.benchmarks.report import section, table
from tests.reports import samples

NOW = datetime(2026, 3, 4, 8, tzinfo=UTC)
WHOLE = 3
"""Nights whose whole results are kept: pages read only the newest whole, the others from their lines."""
TARGET = 100.0
"""Milliseconds at p95."""
APPLICATIONS, CASES, REVIEWS, CHANGES = 5_000, 20_000, 20_000, 50_000
"""What else two years leave behind."""
MODELS = 835
"""Models of 730 nights, and a baseline a week."""


@dataclass(frozen=True)
class Times:
    """One page, in milliseconds: the median and p95 on the clock, p95 on the processor, and the first time of all."""

    path: str
    median: float
    p95: float
    processor: float
    first: float


def main() -> None:
    """Fills a workspace, asks for every page, and writes what it took to `docs/benchmarks.md`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--affiliates", type=int, default=5_000)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--nights", type=int, default=730)
    parser.add_argument("--clicks", type=int, default=2_000_000, help="clicks of the last two months in the lake")
    parser.add_argument("--asked", type=int, default=100, help="how often each page is asked for")
    parser.add_argument("--dry", action="store_true", help="print only")
    parser.add_argument("--keep", type=Path, help="keep the filled workspace in this folder, and use the one that is there")
    sizes = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        app, made = filled(sizes.keep or Path(folder) / "w", sizes)
        filling = time.perf_counter() - begun
        rows, waited = asyncio.run(measure(app, made, sizes.asked))
        app.close()
    lines = [
        f"{sizes.affiliates:,} affiliates, {sizes.alerts:,} alerts (half of them open), {sizes.nights:,} nights,",
        f"{APPLICATIONS:,} applications, {CASES:,} cases, {REVIEWS:,} reviews, {MODELS:,} models, {sizes.clicks:,} clicks in the lake;",
        f"each page asked for {sizes.asked} times; every route of the pages is among them.",
        f"Filled in {filling:.0f} s.",
        "Server time in milliseconds, template and stores and all; the first time is that of a process that has just begun.",
        "",
        table(
            ["page", "median", "p95", "p95 of the processor's time", "first"],
            [(one.path, *(f"{value:.1f}" for value in (one.median, one.p95, one.processor, one.first))) for one in rows],
        ),
        "",
        "What is looked up in the background when first asked for, in seconds until it is shown (the page says so meanwhile):",
        "",
        table(["page", "seconds"], [(path, f"{seconds:.1f}") for path, seconds in waited]),
        "",
        f"Slowest p95: {max(one.p95 for one in rows):.1f} ms; the target is {TARGET:.0f}.",
    ]
    print("\n".join(lines))
    if not sizes.dry:
        section("Pages", lines)


@dataclass(frozen=True)
class Made:
    """Names of what pages are asked for by."""

    scan_id: str
    ring_id: str
    proposal_id: str
    try_id: str
    case_id: str
    token: str


def filled(workspace: Path, sizes: argparse.Namespace) -> tuple[App, Made]:
    """A workspace of that size, made unless the folder holds one already, and what to ask for."""
    app = App(Settings(workspace=workspace, _env_file=None), FixedClock(NOW))  # type: ignore[call-arg]  # pydantic-settings' own
    if not app.stores.nights.count("default"):
        app.stores.programs.save(samples.profile())
        fill(app, sizes)
        fill_lake(app, sizes.affiliates, sizes.clicks, samples.NIGHT)
        fill_models(app)
        with app.database.reading() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))  # a workspace at rest, not one that was just filled in bulk
    return app, asked_for(app)


def fill_models(app: App) -> None:
    """What two years of nights leave in the registry; none is loaded by a page."""
    for number in range(MODELS):
        week = number % 7 == 0
        app.registry.save(
            baseline_name("default", 72) if week else stable_id("traffic", "default"),
            {"model": number},
            feature_set_hash=feature_set_hash(),
            trained_from=NOW - timedelta(days=number + 28),
            trained_to=NOW - timedelta(days=number),
            metrics={"rows": 20_000.0, "window_hours": 72.0},
            created_at=NOW - timedelta(days=number),
        )


def asked_for(app: App) -> Made:
    """The newest night, one of its rings, a proposal and a first look that are done, a case, and a link to a report."""
    newest = app.stores.nights.nights("default", 1)[0].scan_id
    result = app.stores.scans.get("default", newest)
    shipped = resources.files("fraud.policy").joinpath("packs", "default.yaml").read_bytes()
    proposal = propose_policy(app, "default", SYSTEM, ("own.yaml", shipped))
    attempt = app.stores.jobs.enqueue("default", TRY, {"paths": {}}, SYSTEM, NOW)
    for job, done in ((proposal, {}), (attempt, {"result": app.evidence.put(msgspec.json.encode(result)), "rejected": 0})):
        app.stores.jobs.lease([job.kind], "bench", NOW, timedelta(hours=1))
        app.stores.jobs.finish(job.job_id, "bench", done, NOW)
    _, token = make_link(app, "default", "aff-00000", 30, SYSTEM)
    return Made(newest, result.rings[0].ring_id, proposal.job_id, attempt.job_id, stable_id("case", "1"), token)


def fill(app: App, sizes: argparse.Namespace) -> None:
    """Nights, alerts and what people did with them."""
    template = samples.scan_result()
    people = [subject(template.affiliates[number % len(template.affiliates)], number) for number in range(sizes.affiliates)]
    for ago in range(min(WHOLE, sizes.nights), 0, -1):
        app.stores.scans.add(night_result(template, people, ago))
    pattern = night_of(night_result(template, people, 1))
    earlier_nights(app, [earlier(pattern, ago) for ago in range(WHOLE + 1, sizes.nights + 1)])
    add(app, alerts, (alert_row(alert(template.alerts[0], number)) for number in range(sizes.alerts)))
    add(app, cases, (case_row(case(number)) for number in range(CASES)))
    add(app, reviews, (review_row(number) for number in range(REVIEWS)))
    add(app, audit_log, (change_row(number) for number in range(CHANGES)))
    app.stores.decisions.add([samples.decision()])
    for number in range(APPLICATIONS):
        named = f"app_{number:04}"
        app.stores.applications.save(samples.application(named))
        app.stores.applications.add_dossier(samples.dossier(application_id=named))


def add(app: App, into: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows in bulk."""
    left = iter(rows)
    while some := list(islice(left, 5_000)):
        with app.database.transaction() as connection:
            connection.execute(into.insert(), some)


def earlier(line: NightLine, ago: int) -> NightLine:
    """The same figures on an earlier night."""
    return msgspec.structs.replace(line, scan_id=f"scn_{ago:05}", as_of=NOW - timedelta(days=ago))


def earlier_nights(app: App, lines: list[NightLine]) -> None:
    """Earlier nights with the affiliates of the newest; the indexes are built once, at the end."""
    with app.database.transaction() as connection:
        for index in scan_subjects.indexes:
            index.drop(connection)
        connection.execute(text("CREATE TEMP TABLE newest AS SELECT * FROM scan_subjects WHERE scan_id = 'scn_00001'"))
        kept = [column.name for column in scan_subjects.c if column.name not in {"position", "scan_id", "as_of"}]
        newest = sql_table("newest", *(sql_column(name) for name in kept))
        for line in lines:
            told = {"scan_id": line.scan_id, "as_of": line.as_of}
            values = (literal(value, scan_subjects.c[name].type) for name, value in told.items())
            same = select(*values, *newest.c)
            connection.execute(scan_nights.insert().values({"program_id": "default", "document": encode(line), **told}))
            connection.execute(scan_subjects.insert().from_select([*told, *kept], same))
        for index in scan_subjects.indexes:
            index.create(connection)


def case(number: int) -> Case:
    """One case: the first few hundred in hand, the others decided."""
    return Case(
        case_id=stable_id("case", str(number)),
        program_id="default",
        subject_id=f"aff-{number:06}",
        alert_id=f"alr_{number:07}",
        state=CaseState.TAKEN if number < 300 else CaseState.DECIDED,
        assignee="key:Rosa" if number < 300 else "",
        opened_at=NOW - timedelta(hours=number),
        version=2,
    )


def review_row(number: int) -> dict[str, Any]:
    """One review of an alert."""
    made = Review(
        review_id=f"rev_{number:07}",
        program_id="default",
        subject_kind=SubjectKind.AFFILIATE,
        subject_id=f"aff-{number % 5_000:05}",
        source=Source.ALERT,
        disposition=tuple(Disposition)[number % 3],
        reason="Looked at its conversions with the account manager",
        reviewer_id="key:Rosa",
        reviewer_name="Rosa",
        reviewed_at=NOW - timedelta(minutes=47 * number),
        reason_codes=("timing.late_conversions", "conversion.too_few"),
    )
    return {
        "program_id": "default",
        "review_id": made.review_id,
        "subject_kind": made.subject_kind.value,
        "subject_key": digest(made.subject_id),
        "disposition": made.disposition.value,
        "reviewed_at": made.reviewed_at,
        "document": encode(made),
    }


def change_row(number: int) -> dict[str, Any]:
    """One line of the audit log."""
    rosa = Actor(kind=ActorKind.KEY, actor_id="key:Rosa", name="Rosa", role=Role.REVIEW, programs=("default",))
    return {
        "program_id": "default",
        "at": NOW - timedelta(minutes=20 * number),
        "actor_kind": rosa.kind.value,
        "actor_id": rosa.actor_id,
        "actor_name": rosa.name,
        "action": "alert.resolved",
        "subject": f"alr_{number:07}",
        "detail": '{"reason": "Looked at it"}',
    }


def subject(like: RankedSubject, number: int) -> RankedSubject:
    """One affiliate more, as another of the samples is."""
    changed = {"affiliate_id": f"aff-{number:05}", "rank": number + 1, "alerted": number < 10, "decision_id": "dec_00001"}
    return msgspec.structs.replace(like, **changed, commission=Decimal(number))


def night_result(template: ScanResult, people: list[RankedSubject], ago: int) -> ScanResult:
    """One night of all affiliates."""
    counts = Counts(clicks=9_000_000, conversions=90_000, affiliates=len(people), duplicate_rows=0, rejected_rows=0)
    at = NOW - timedelta(days=ago)
    return msgspec.structs.replace(
        template, scan_id=f"scn_{ago:05}", as_of=at, affiliates=tuple(people), sub_ids=(), counts=counts, alerts=()
    )


def alert(like: Alert, number: int) -> Alert:
    """One alert more; every other one is dealt with."""
    return msgspec.structs.replace(
        like,
        alert_id=f"alr_{number:07}",
        subject_id=f"aff-{number:06}",
        expected_loss=float(number % 9_973),
        state=AlertState.OPEN if number % 2 else AlertState.RESOLVED,
    )


def pages(made: Made) -> Iterator[str]:
    """Every page, and the far ends of the long ones."""
    yield from ("/", "/alerts", "/alerts?page=900", "/alerts?severity=high&q=99&age=week", "/alerts?scope=all&held=taken")
    yield from ("/alerts/alr_0000001", "/applications", "/applications?state=all&page=150", "/applications/app_0001", "/next-application")
    yield from ("/affiliates", "/affiliates?q=99&sort=commission&order=down", "/affiliates?page=90", "/affiliates/aff-00000")
    yield from ("/affiliates/aff-00123", "/traffic/aff-00000", "/traffic/aff-00123", "/graph/aff-00000", "/graph/aff-00123")
    yield from ("/reports/aff-00000", "/reports/aff-00123", f"/report/{made.token}")
    yield from ("/rings", f"/rings/{made.ring_id}", "/scans", "/scans?page=20", f"/scans/{made.scan_id}")
    yield from ("/decisions/dec_00001", "/policy", "/policy/checks/website.parked", f"/policy/proposals/{made.proposal_id}")
    yield from ("/models", "/models?page=20", *(f"/settings/{tab}" for tab in TABS), "/settings", "/settings/audit?page=900")
    yield from ("/cases", "/cases?state=decided&page=300", f"/cases/{made.case_id}", "/kept-back")
    yield from ("/start", f"/tries/{made.try_id}", f"/tries/{made.try_id}?page=150", "/help", "/features/clicks", "/login")


FILES = re.compile(r"^/(static|csv)/|\.csv$|^/nights/|/screenshots/|/shots/")
"""Routes that send files: a style sheet, a script, a picture, or a table that is read whole."""


def unmeasured(routers: Iterable[APIRouter], measured: Iterable[str]) -> list[str]:
    """The routes of pages that no measured address leads to; each address counts for the first route that takes it."""
    found = [route for router in routers for route in router.routes if isinstance(route, APIRoute) and "GET" in (route.methods or ())]
    reached = {next((route.path for route in found if route.path_regex.match(urlsplit(path).path)), "") for path in measured}
    assert found, "no route was found: the routers are built otherwise than this benchmark knows"
    return [route.path for route in found if route.path not in reached and not FILES.search(route.path)]


async def measure(app: App, made: Made, asked: int) -> tuple[list[Times], list[tuple[str, float]]]:
    """What every page takes, and how long it was until what pages look up was there."""
    api = FastAPI()
    routers = (create_pages(app, SessionSigner(b"a secret of the benchmark, 32 bytes")), own_report_pages(app))
    for router in routers:
        api.include_router(router)
    if missing := unmeasured(routers, pages(made)):
        raise SystemExit(f"These pages are not measured: {', '.join(missing)}. Add an address of each to `pages`.")
    _, secret = app.stores.actors.create_key("bench", Role.ADMIN, ("*",), NOW)
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        await client.post("/login", data={"key": secret})
        waited = [(path, await _until_there(client, path)) for path in pages(made) if path.startswith(LOOKED_UP)]
        return [await _times(client, path, asked) for path in pages(made)], waited


LOOKED_UP = ("/graph/", "/traffic/", "/affiliates/", "/reports/")


async def _until_there(client: httpx.AsyncClient, path: str) -> float:
    """Seconds until a page shows what it looks up, asked for as a browser does, but ten times as often."""
    begun = time.perf_counter()
    while 'name="again"' in (await client.get(path)).text:
        await asyncio.sleep(0.2)
    return time.perf_counter() - begun


async def _times(client: httpx.AsyncClient, path: str, asked: int) -> Times:
    taken, worked = [], []
    for _ in range(asked):
        begun, used = time.perf_counter(), time.process_time()
        response = await client.get(path)
        taken.append(1_000 * (time.perf_counter() - begun))
        worked.append(1_000 * (time.process_time() - used))
        assert response.status_code in {200, 303}, (path, response.status_code)
    return Times(path, statistics.median(taken), _p95(taken), _p95(worked), taken[0])


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


if __name__ == "__main__":
    main()
