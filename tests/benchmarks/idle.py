"""What a service costs that nobody calls: processor time by thread, and how soon it finds what another process queues (`make bench-idle`).

The whole service runs as `fraud serve` runs it, in a process of its own on an empty workspace; the kernel's own account of each thread is
read before and after. `--database URL` measures it on PostgreSQL. Shares of the processor do not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import msgspec
import uvicorn

from fraud.app.parts import App
from fraud.cli.service import create_service
from fraud.cli.serving import SERVER
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.jobs import JobState
from fraud.settings import Settings
from tests.benchmarks.report import section, table
from tests.servers import free_port

SETTLED = 3.0
"""Seconds after the start that belong to it."""
JOBS = 20
_NANOSECONDS = 1e9


def main() -> None:
    """Measures, and writes what it was to `docs/benchmarks.md`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long nobody calls")
    parser.add_argument("--database", default="", help="the database's URL; SQLite in the workspace by default")
    parser.add_argument("--dry", action="store_true", help="print only")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(idle(asked.serve, asked.database, asked.seconds))
        return
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "w"
        spent = served(workspace, asked.database, asked.seconds)
        found = times_to_find(workspace, asked.database)
    kind = "PostgreSQL" if asked.database else "SQLite"
    rows = [*((name, f"{value:.0f}") for name, value in spent), ("all", f"{sum(value for _, value in spent):.0f}")]
    middle, longest = statistics.median(found) * 1000, max(found) * 1000
    lines = [
        f"`make bench-idle`: a service on {kind} that nobody calls, over {asked.seconds:g} s; processor time in milliseconds a minute.",
        "",
        table(("thread", "ms a minute"), rows),
        "",
        f"A job that another process queues is begun after {middle:.0f} ms (median of {len(found)}; longest {longest:.0f} ms).",
    ]
    print("\n".join(lines))
    if not asked.dry:
        section(f"A service that nobody calls ({kind})", lines)


def settings_of(workspace: Path, database: str) -> Settings:
    """The defaults, whatever the environment says."""
    return Settings(workspace=workspace, database_url=database, _env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own argument


def served(workspace: Path, database: str, seconds: float) -> list[tuple[str, float]]:
    """What each thread of an idle service took, most first, in milliseconds a minute."""
    told = subprocess.run(_command(workspace, database, seconds), capture_output=True, check=True)
    spent = msgspec.json.decode(told.stdout, type=dict[str, float])
    return sorted(((name, value) for name, value in spent.items() if value >= 0.5), key=lambda one: -one[1])


def _command(workspace: Path, database: str, seconds: float) -> list[str]:
    words = [sys.executable, "-m", "tests.benchmarks.idle", "--serve", str(workspace), "--seconds", str(seconds)]
    return [*words, "--database", database] if database else words


async def idle(workspace: Path, database: str, seconds: float) -> None:
    """Serves for so long after it has settled, and says on standard output what each thread took."""
    app = App(settings_of(workspace, database))
    server = uvicorn.Server(uvicorn.Config(create_service(app), host="127.0.0.1", port=free_port(), **SERVER))
    serving = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0.05)
    await asyncio.sleep(SETTLED)
    before = _spent()
    await asyncio.sleep(seconds)
    after = _spent()
    sys.stdout.write(msgspec.json.encode({name: (after[name] - before.get(name, 0.0)) * 60_000 / seconds for name in after}).decode())
    server.should_exit = True
    await serving
    app.close()


def _spent() -> Mapping[str, float]:
    """Seconds of processor time of the threads of this process, by name; threads of libraries, which Python does not know, together."""
    names = {thread.native_id: thread.name.split("_")[0] for thread in threading.enumerate()}
    spent: defaultdict[str, float] = defaultdict(float)
    for task in Path("/proc/self/task").iterdir():
        name = names.get(int(task.name), "libraries'")
        spent["worker" if name.startswith("worker-") else name] += int((task / "schedstat").read_text().split()[0]) / _NANOSECONDS
    return spent


def times_to_find(workspace: Path, database: str) -> list[float]:
    """Seconds from the moment at which this process queues a job to that at which the service has taken it up."""
    process = subprocess.Popen(_command(workspace, database, 3600.0), stdout=subprocess.DEVNULL)
    app = App(settings_of(workspace, database))
    try:
        _time_to_find(app)  # while it starts
        return [_time_to_find(app, 0.3 + 0.05 * number) for number in range(JOBS)]
    finally:
        app.close()
        process.kill()
        process.wait()


def _time_to_find(app: App, rest: float = 0.0) -> float:
    time.sleep(rest)
    begun = time.perf_counter()
    job = app.stores.jobs.enqueue(DEFAULT_PROGRAM, "scan", {}, SYSTEM, app.clock.now())
    while app.stores.jobs.get(DEFAULT_PROGRAM, job.job_id).state is JobState.QUEUED:
        time.sleep(0.005)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
