"""How long the server takes for each page of a program with 5,000 affiliates, 100,000 alerts and two years of nights (`make bench-pages`).

The workspace is filled through the stores' own tables, in bulk; the newest nights are whole results, the earlier ones hold the lines that
lists and histories are read from. Every page is asked for again and again over the application itself, cookies and all. Time on the clock
stands beside time on the processor, which a busy machine does not lengthen.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import msgspec
from fastapi import FastAPI
from sqlalchemy import Table, literal, select, text
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table

from fraud.app.parts import App
from fraud.domain.actors import Actor, ActorKind, Role
from fraud.domain.alerts import Alert, AlertState
from fraud.domain.cases import Case, CaseState
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import SubjectKind
from fraud.domain.ids import stable_id
from fraud.domain.nights import NightLine, night_of
from fraud.domain.reviews import Disposition, Review, Source
from fraud.domain.scans import Counts, RankedSubject, ScanResult
from fraud.settings import Settings
from fraud.storage.alerts import _row as alert_row
from fraud.storage.cases import _row as case_row
from fraud.storage.documents import digest, encode
from fraud.storage.tables import alerts, audit_log, cases, reviews, scan_nights, scan_subjects
from fraud.web.pages import create_pages
from fraud.web.sessions import SessionSigner
from tests.benchmarks.report import section, table
from tests.reports import samples

NOW = datetime(2026, 3, 4, 8, tzinfo=UTC)
WHOLE = 3
"""Nights whose whole results are kept: pages read only the newest whole, the others from their lines."""
TARGET = 100.0
"""Milliseconds at p95."""
APPLICATIONS, CASES, REVIEWS, CHANGES = 5_000, 20_000, 20_000, 50_000
"""What else two years leave behind."""


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
    parser.add_argument("--asked", type=int, default=100, help="how often each page is asked for")
    parser.add_argument("--dry", action="store_true", help="print only")
    parser.add_argument("--keep", type=Path, help="keep the filled workspace in this folder, and use the one that is there")
    sizes = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        app = filled(sizes.keep or Path(folder) / "w", sizes)
        filling = time.perf_counter() - begun
        rows = asyncio.run(measure(app, sizes.asked))
        app.close()
    lines = [
        f"{sizes.affiliates:,} affiliates, {sizes.alerts:,} alerts (half of them open), {sizes.nights:,} nights,",
        f"{APPLICATIONS:,} applications, {CASES:,} cases, {REVIEWS:,} reviews; each page asked for {sizes.asked} times.",
        f"Filled in {filling:.0f} s.",
        "Server time in milliseconds, template and stores and all; the first time is that of a process that has just begun.",
        "",
        table(
            ["page", "median", "p95", "p95 of the processor's time", "first"],
            [(one.path, *(f"{value:.1f}" for value in (one.median, one.p95, one.processor, one.first))) for one in rows],
        ),
        "",
        f"Slowest p95: {max(one.p95 for one in rows):.1f} ms; the target is {TARGET:.0f}.",
    ]
    print("\n".join(lines))
    if not sizes.dry:
        section("Pages", lines)


def filled(workspace: Path, sizes: argparse.Namespace) -> App:
    """A workspace of that size, made unless the folder holds one already."""
    app = App(Settings(workspace=workspace, _env_file=None), FixedClock(NOW))  # type: ignore[call-arg]  # pydantic-settings' own
    if not app.stores.nights.count("default"):
        app.stores.programs.save(samples.profile())
        fill(app, sizes)
    return app


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


def pages(newest: str) -> Iterator[str]:
    """Every page, and the far ends of the long ones."""
    yield from ("/", "/alerts", "/alerts?page=900", "/alerts/alr_0000001", "/applications", "/applications?state=all&page=150")
    yield from ("/applications/app_0001", "/affiliates", "/affiliates?q=99&sort=commission&order=down", "/affiliates?page=90")
    yield from ("/affiliates/aff-00000", "/nights/aff-00000", "/rings", "/scans", "/scans?page=20", f"/scans/{newest}")
    yield from ("/decisions/dec_00001", "/policy", "/policy/checks/website.parked", "/models", "/settings", "/start")
    yield from ("/cases", "/cases?state=decided&page=300", "/kept-back", "/settings/audit?page=900", "/traffic/aff-00000", "/help")


async def measure(app: App, asked: int) -> list[Times]:
    """What every page takes."""
    api = FastAPI()
    api.include_router(create_pages(app, SessionSigner(b"a secret of the benchmark, 32 bytes")))
    _, secret = app.stores.actors.create_key("bench", Role.ADMIN, ("*",), NOW)
    newest = app.stores.nights.nights("default", 1)[0].scan_id
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        await client.post("/login", data={"key": secret})
        return [await _times(client, path, asked) for path in pages(newest)]


async def _times(client: httpx.AsyncClient, path: str, asked: int) -> Times:
    taken, worked = [], []
    for _ in range(asked):
        begun, used = time.perf_counter(), time.process_time()
        response = await client.get(path)
        taken.append(1_000 * (time.perf_counter() - begun))
        worked.append(1_000 * (time.process_time() - used))
        assert response.status_code == 200, (path, response.status_code)
    return Times(path, statistics.median(taken), _p95(taken), _p95(worked), taken[0])


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


if __name__ == "__main__":
    main()
