"""How long the server takes for each page of a program with 5,000 affiliates, 100,000 alerts and two years of nights (`make bench-pages`).

The workspace is filled through the stores' own tables; the newest nights are whole results, the earlier ones hold the lines that lists and
histories are read from. Every page is asked for again and again over the application itself, cookies and all, and the slowest of a hundred
stands beside the median.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec
from fastapi import FastAPI
from sqlalchemy import literal, select

from fraud.app.parts import App
from fraud.domain.actors import Role
from fraud.domain.alerts import Alert, AlertState
from fraud.domain.clock import FixedClock
from fraud.domain.nights import NightLine, night_of
from fraud.domain.scans import Counts, RankedSubject, ScanResult
from fraud.settings import Settings
from fraud.storage.alerts import _row as alert_row
from fraud.storage.documents import encode
from fraud.storage.tables import alerts, scan_nights, scan_subjects
from fraud.web.pages import create_pages
from fraud.web.sessions import SessionSigner
from tests.benchmarks.report import section, table
from tests.reports import samples

NOW = datetime(2026, 3, 4, 8, tzinfo=UTC)
WHOLE = 3
"""Nights whose whole results are kept: pages read only the newest whole, the others from their lines."""
TARGET = 100.0
"""Milliseconds at p95."""


def main() -> None:
    """Fills a workspace, asks for every page, and writes what it took to `docs/benchmarks.md`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--affiliates", type=int, default=5_000)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--nights", type=int, default=730)
    parser.add_argument("--asked", type=int, default=100, help="how often each page is asked for")
    parser.add_argument("--dry", action="store_true", help="print only")
    sizes = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        app = App(Settings(workspace=Path(folder) / "w", _env_file=None), FixedClock(NOW))  # type: ignore[call-arg]  # pydantic-settings' own
        app.stores.programs.save(samples.profile())
        names = fill(app, sizes)
        rows = asyncio.run(measure(app, names, sizes.asked))
        app.close()
    lines = [
        f"{sizes.affiliates:,} affiliates, {sizes.alerts:,} alerts (half of them open), {sizes.nights:,} nights; each page asked for",
        f"{sizes.asked} times.",
        "Server time in milliseconds, template and stores and all; the first time is that of a process that has just begun.",
        "",
        table(["page", "median", "p95", "first"], [(path, *(f"{value:.1f}" for value in figures)) for path, *figures in rows]),
        "",
        f"Slowest p95: {max(row[2] for row in rows):.1f} ms; the target is {TARGET:.0f}.",
    ]
    print("\n".join(lines))
    if not sizes.dry:
        section("Pages", lines)


def fill(app: App, sizes: argparse.Namespace) -> dict[str, str]:
    """A workspace of that size; the names that pages are asked for by."""
    template = samples.scan_result()
    people = [subject(template.affiliates[number % len(template.affiliates)], number) for number in range(sizes.affiliates)]
    for ago in range(min(WHOLE, sizes.nights), 0, -1):
        app.stores.scans.add(night_result(template, people, ago))
    for ago in range(WHOLE + 1, sizes.nights + 1):
        earlier_night(app, night_of(night_result(template, people, ago)))
    pattern = template.alerts[0]
    for start in range(0, sizes.alerts, 5_000):
        rows = [alert_row(alert(pattern, number)) for number in range(start, min(start + 5_000, sizes.alerts))]
        with app.database.transaction() as connection:
            connection.execute(alerts.insert(), rows)
    app.stores.decisions.add([samples.decision()])
    app.stores.applications.save(samples.application())
    for number in range(500):
        app.stores.applications.add_dossier(samples.dossier(application_id=f"app_{number:04}"))
    newest = app.stores.nights.nights("default", 1)[0].scan_id
    return {"scan": newest, "affiliate": people[0].affiliate_id, "alert": alert(pattern, 1).alert_id}


def earlier_night(app: App, line: NightLine) -> None:
    """One night more, with the affiliates of the newest."""
    told = {"scan_id": line.scan_id, "as_of": line.as_of}
    kept = [column for column in scan_subjects.c if column.name not in {"position", *told}]
    same = select(*(literal(value, scan_subjects.c[name].type) for name, value in told.items()), *kept).where(
        scan_subjects.c.program_id == "default", scan_subjects.c.scan_id == "scn_00001"
    )
    with app.database.transaction() as connection:
        connection.execute(scan_nights.insert().values({"program_id": "default", "document": encode(line), **told}))
        connection.execute(scan_subjects.insert().from_select([*told, *(column.name for column in kept)], same))


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


async def measure(app: App, names: dict[str, str], asked: int) -> list[tuple[str, float, float, float]]:
    """Median, p95 and first time of every page, in milliseconds."""
    api = FastAPI()
    api.include_router(create_pages(app, SessionSigner(b"a secret of the benchmark, 32 bytes")))
    _, secret = app.stores.actors.create_key("bench", Role.ADMIN, ("*",), NOW)
    pages = (
        "/", "/alerts", "/alerts?page=900", f"/alerts/{names['alert']}", "/applications", "/applications/app_0001", "/affiliates",
        "/affiliates?q=99&sort=commission&order=down", "/affiliates?page=90", f"/affiliates/{names['affiliate']}",
        f"/nights/{names['affiliate']}", "/rings", "/scans", "/scans?page=20", "/decisions/dec_00001", "/policy",
        "/policy/checks/website.parked", "/models", "/settings", "/start",
    )  # fmt: skip
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        await client.post("/login", data={"key": secret})
        return [(path, *await _times(client, path, asked)) for path in pages]


async def _times(client: httpx.AsyncClient, path: str, asked: int) -> tuple[float, float, float]:
    taken = []
    for _ in range(asked):
        begun = time.perf_counter()
        response = await client.get(path)
        taken.append(1_000 * (time.perf_counter() - begun))
        assert response.status_code == 200, (path, response.status_code)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1], taken[0]


if __name__ == "__main__":
    main()
