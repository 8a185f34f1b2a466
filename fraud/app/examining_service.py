"""The doctor's look at what the service needs: secrets, counters, jobs, deliveries, the journal, the disk, the schedule."""

from __future__ import annotations

import os
import shutil
import stat
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from fraud.app.finding import Finding
from fraud.app.keeping import journal_of
from fraud.app.parts import App
from fraud.app.telemetry import NEEDED
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.jobs import JobState
from fraud.domain.outbox import DeliveryState
from fraud.errors import FraudError

LONG_QUEUED = timedelta(minutes=10)
"""A job that has waited this long has no worker: the oldest is taken within a second otherwise, and a scan lasts minutes."""

LEAST_DISK = 2 * 1024**3
"""Bytes below which the disk is about to be full: a night of a large program and its scan need as much."""

_JOBS = 200


def examine_service(app: App) -> list[Finding]:
    """Looks at everything that `fraud serve` and `fraud worker` rely on."""
    return [
        _secrets(app),
        _lake(app),
        _counters(app),
        _jobs(app),
        _deliveries(app),
        _journal(app),
        _browser(app),
        _disk(app),
        _nightly(app),
        _telemetry(app),
    ]


def _secrets(app: App) -> Finding:
    folder = app.workspace.secrets
    open_to_all = [path.name for path in (folder, *folder.glob("*")) if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if open_to_all:
        text = f"Others on this machine may read {', '.join(sorted(open_to_all))} in {folder}; run `chmod -R go= {folder}`."
        return Finding(name="secrets", state="failing", text=text)
    if app.workspace.keys_file.exists():
        return Finding(name="secrets", state="ok", text=f"closed to others; note the keys in {app.workspace.keys_file} and delete it")
    return Finding(name="secrets", state="ok", text="closed to others")


def _lake(app: App) -> Finding:
    if not app.settings.lake_url:
        return Finding(name="lake", state="ok", text="events in the workspace")
    try:
        programs = app.lake.programs()
    except FraudError as fault:
        return Finding(name="lake", state="failing", text=fault.message)
    return Finding(name="lake", state="ok", text=f"events of {len(programs)} programs at {app.settings.lake_url}")


def _counters(app: App) -> Finding:
    url = app.settings.counters_url
    if not url:
        return Finding(name="counters", state="ok", text="in each process; with more than one process set FRAUD_COUNTERS_URL to a Redis")
    try:
        from fraud.storage.counters import MemoryCounters  # noqa: PLC0415 - brings numba
        from fraud.storage.counters_redis import RedisCounters  # noqa: PLC0415 - an extra
    except ImportError:
        return Finding(name="counters", state="failing", text="FRAUD_COUNTERS_URL needs redis: pip install 'affiliate-fraud[redis]'.")
    try:
        counters = RedisCounters(url, MemoryCounters(), timeout=2)
        try:
            counters.ping()
        finally:
            counters.close()
    except FraudError as fault:
        return Finding(name="counters", state="failing", text=fault.message)
    return Finding(name="counters", state="ok", text="Redis answers")


def _jobs(app: App) -> Finding:
    now = app.clock.now()
    programs = {DEFAULT_PROGRAM, *(one.program_id for one in app.stores.programs.all())}
    open_jobs = [job for program in sorted(programs) for job in app.stores.jobs.unfinished(program, _JOBS)]
    waiting = [job for job in open_jobs if job.state is JobState.QUEUED]
    failed = sum(job.state is JobState.FAILED for job in open_jobs)
    oldest = min((job.created_at for job in waiting), default=now)
    if now - oldest > LONG_QUEUED:
        text = f"{len(waiting)} wait, the oldest since {oldest:%Y-%m-%d %H:%M} UTC: nobody works; run `fraud serve` or `fraud worker`."
        return Finding(name="jobs", state="failing", text=text)
    return Finding(name="jobs", state="ok", text=f"{len(waiting)} waiting, {failed} failed (see /settings/jobs)")


def _deliveries(app: App) -> Finding:
    try:
        names = [sink.name for sink in app.sinks]
    except FraudError as fault:
        return Finding(name="deliveries", state="failing", text=fault.message)
    dead = app.stores.outbox.counts().get(DeliveryState.DEAD, 0)
    if dead:
        text = f"{dead} were given up; mend the sink, then `fraud sinks revive NAME`."
        return Finding(name="deliveries", state="failing", text=text)
    return Finding(name="deliveries", state="ok", text=f"to {', '.join(names)}" if names else "nobody is told; see docs/sinks.md")


def _journal(app: App) -> Finding:
    held = sum(_size(path) for path in journal_of(app).rglob("*.log"))
    text = f"{held / 1e6:,.1f} MB of answers on their way to database and lake" if held else "nothing waits"
    return Finding(name="journal", state="ok", text=text)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # it has arrived meanwhile


def _browser(app: App) -> Finding:
    named = app.settings.browser
    if not named:
        return Finding(name="browser", state="ok", text="none (FRAUD_BROWSER), so the browser probe is skipped and dossiers say so")
    if not Path(named).is_file() or not os.access(named, os.X_OK):
        return Finding(name="browser", state="failing", text=f"FRAUD_BROWSER names {named}, which cannot be run; name a Chromium.")
    return Finding(name="browser", state="ok", text=named)


def _disk(app: App) -> Finding:
    free = shutil.disk_usage(app.workspace.root).free
    if free < LEAST_DISK:
        text = f"{free / 1e9:.1f} GB are free on the workspace's disk; make room, or set FRAUD_RETENTION_DAYS."
        return Finding(name="disk", state="failing", text=text)
    return Finding(name="disk", state="ok", text=f"{free / 1e9:,.0f} GB free")


def _nightly(app: App) -> Finding:
    at = app.settings.nightly
    text = f"at {at}, in each program's own zone" if at else "not by itself (FRAUD_NIGHTLY); a timer or cron runs `fraud scan`"
    return Finding(name="nightly scan", state="ok", text=text)


def _telemetry(app: App) -> Finding:
    if not app.settings.telemetry:
        return Finding(name="telemetry", state="ok", text="off")
    installed = find_spec("opentelemetry") is not None and find_spec("opentelemetry.exporter") is not None
    return Finding(name="telemetry", state="ok" if installed else "failing", text="traces are sent" if installed else NEEDED)
