"""The scoring service under load: wrk on one core, the server on the other, against endpoints that do nothing.

`python -m tests.benchmarks.api`: a workspace is made by `fraud simulate` and scanned once, so that a model serves. Every figure of one
repeat is taken in turn from servers that are up at the same time; the others are stopped (SIGSTOP) while one is loaded, and what it has
recorded is in its store before it is loaded at half its rate. Medians of the repeats, and ratios within a repeat.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from tests.benchmarks.report import section, table
from tests.servers import free_port, redis_server

KEY = "benchmark-key-of-a-tracker"
BATCH = 1_000
CLICK = "/v1/score/click"
FRAUD = str(Path(sys.executable).with_name("fraud"))
_LUA = """
local n, run = 0, "%(run)s"
math.randomseed(%(seed)d)
local body = '{"click_id":"%%s-%%d","clicked_at":%%d,"affiliate_id":"aff-%%d","offer_id":"offer-%%d","sub_id":"s%%d",'
  .. '"ip":"%%d.%%d.%%d.%%d","user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/%%d.0 Safari/537.36",'
  .. '"country":"DE"}'
local headers = {["Content-Type"] = "application/json", ["Authorization"] = "Bearer %(key)s"}
local function click()
  n = n + 1
  local r = math.random
  return string.format(body, run, n, os.time(), r(200), r(20), r(50), r(1, 220), r(0, 255), r(0, 255), r(1, 254), r(100, 140))
end
function request()
  if %(batch)d == 1 then return wrk.format("POST", wrk.path, headers, click()) end
  local many = {}
  for i = 1, %(batch)d do many[i] = click() end
  return wrk.format("POST", wrk.path, headers, "[" .. table.concat(many, ",") .. "]")
end
"""
_DO_NOTHING = """
from fastapi import FastAPI

app = FastAPI()


@app.post("/nothing")
async def nothing():
    return {"ok": True}
"""


@dataclass(frozen=True)
class Load:
    """What wrk measured: requests per second, latency percentiles (ms), answers that were no success."""

    per_second: float
    p50: float
    p99: float
    failed: int
    processor: float = float("nan")
    """Microseconds of the server's processor a request."""


@contextmanager
def served(command: list[str], environment: dict[str, str], port: int, log: Path) -> Iterator[int]:
    """A server on the first core, until it answers; its process id."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["taskset", "-c", "0", *command], env=os.environ | environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        wait_for(port, process, log)
        yield process.pid
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns once something answers on the port."""
    for _ in range(240):
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2)
        except httpx.TransportError:
            if process.poll() is not None:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.5)
        else:
            return
    raise RuntimeError(f"Nothing answers on port {port}: {log.read_text()}")


def load(url: str, seconds: float, connections: int, *, batch: int = 1, threads: int = 1) -> Load:
    """wrk on the second core."""
    run, seed = f"b{time.time_ns():x}", time.time_ns() % 2**31  # other visitors each time: those of the last load would be repeats
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_LUA % {"run": run, "seed": seed, "key": KEY, "batch": batch})
        script.flush()
        command = ["taskset", "-c", "1", "wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds:g}s", "--latency", "-s", script.name, url]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    found = {name: re.search(rf"{name}\s+([\d.]+)(us|ms|s)\b", text) for name in ("50%", "99%")}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert rate is not None, text
    return Load(float(rate[1]), _ms(found["50%"]), _ms(found["99%"]), int(bad[1]) if bad else 0)


def _ms(found: re.Match[str] | None) -> float:
    return float("nan") if found is None else float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


def paced(url: str, rate: float, seconds: float) -> Load:
    """Single clicks at a steady rate, each sent when it is due (an open loop); latency counts from then."""
    command = ["taskset", "-c", "1", sys.executable, "-m", "tests.benchmarks.api_paced", url, KEY, str(rate), str(seconds)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Load(told["per_second"], told["p50"], told["p99"], told["failed"])


@dataclass(frozen=True)
class Served:
    """A server: where it answers, and its process."""

    url: str
    pid: int

    def processor_seconds(self) -> float:
        """What it has used of processors so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def waiting(self) -> float:
        """How many decisions are still on their way to the store."""
        text = httpx.get(f"{self.url}/metrics", headers={"X-API-Key": f"{KEY}-3"}, timeout=30).text
        found = re.search(r"^fraud_decisions_waiting(?:\{[^}]*\})? ([\d.e+]+)$", text, re.MULTILINE)
        assert found is not None, text
        return float(found[1])

    def settle(self) -> None:
        """Returns once all that was answered is in the store."""
        while self.waiting() > 0:
            time.sleep(0.5)

    @contextmanager
    def alone(self, others: Iterable[Served]) -> Iterator[Served]:
        """While this server is loaded the others, which carry on what they answered before, stand still."""
        groups = [os.getpgid(other.pid) for other in others if other is not self]
        for group in groups:
            os.killpg(group, signal.SIGSTOP)
        try:
            yield self
        finally:
            for group in groups:
                os.killpg(group, signal.SIGCONT)

    def load(self, path: str, seconds: float, connections: int, *, batch: int = 1) -> Load:
        """`load` of this server, with what its processor spent on a request."""
        before = self.processor_seconds()
        found = load(f"{self.url}{path}", seconds, connections, batch=batch)
        spent = self.processor_seconds() - before
        return replace(found, processor=spent / (found.per_second * seconds) * 1e6)


@dataclass(frozen=True)
class Servers:
    """The service, an application that does nothing, and the service with its counters in Redis where there is one."""

    own: Served
    nothing: Served
    shared: Served | None

    @property
    def all(self) -> list[Served]:
        """Those that are up."""
        return [one for one in (self.own, self.nothing, self.shared) if one is not None]


@dataclass(frozen=True)
class Repeat:
    """The figures of one repeat."""

    nothing: Load
    click: Load
    half: Load
    floor: Load
    shared: Load | None
    batch: Load | None = None
    beside: Load | None = None
    """Single clicks, measured just before the batch."""


def measured(servers: Servers, seconds: float, connections: int) -> Repeat:
    """One repeat: nothing, clicks, clicks counted in Redis, nothing and clicks at half of the clicks' rate."""
    with servers.nothing.alone(servers.all) as server:
        nothing = server.load("/nothing", seconds, connections)
    with servers.own.alone(servers.all) as server:
        click = server.load(CLICK, seconds, connections)
    shared = None
    if servers.shared:
        with servers.shared.alone(servers.all) as server:
            shared = server.load(CLICK, seconds, connections)
    with servers.nothing.alone(servers.all) as server:
        floor = paced(f"{server.url}/nothing", click.per_second / 2, seconds)
    with servers.own.alone(servers.all) as server:
        server.settle()
        half = paced(f"{server.url}{CLICK}", click.per_second / 2, seconds)
    return Repeat(nothing, click, half, floor, shared)


def with_batches(repeat: Repeat, servers: Servers, seconds: float, connections: int) -> Repeat:
    """The repeat with batches, and single clicks just before: last, because what batches record is on its way for minutes."""
    with servers.own.alone(servers.all) as server:
        beside = server.load(CLICK, max(1.0, seconds // 2), connections)
        return replace(repeat, beside=beside, batch=server.load(f"{CLICK}s", seconds, 2, batch=BATCH))


def prepared(workspace: Path, clicks_per_day: int) -> None:
    """A workspace with a scanned program, so that a model serves."""
    with tempfile.TemporaryDirectory() as made:
        _fraud(
            workspace,
            "simulate",
            "--out",
            made,
            "--affiliates",
            "60",
            "--days",
            "8",
            "--clicks-per-day",
            str(clicks_per_day),
            "--seed",
            "5",
        )
        for kind in ("affiliates", "offers", "clicks", "conversions"):
            files = sorted(str(file) for file in Path(made).glob(f"{kind}*"))
            _fraud(workspace, "ingest", kind, *files)
    _fraud(workspace, "scan", "--days", "2")


def _fraud(workspace: Path, *words: str) -> None:
    command = [FRAUD, *words]
    if words[0] != "simulate":
        command += ["--workspace", str(workspace)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr[-2000:]}")


@contextmanager
def all_servers(workspace: Path, folder: Path) -> Iterator[Servers]:
    """The service and an application that does nothing, under the same uvicorn and the same options, and the service with Redis."""
    (folder / "nothing_at_all.py").write_text(_DO_NOTHING)
    keys = {"FRAUD_SCORE_KEY": KEY, "FRAUD_REVIEW_KEY": f"{KEY}-2", "FRAUD_ADMIN_KEY": f"{KEY}-3"}
    with ExitStack() as stack:

        def serve(name: str, command: list[str], environment: dict[str, str]) -> Served:
            port = free_port()
            words = [*command, "--port", str(port)]
            return Served(f"http://127.0.0.1:{port}", stack.enter_context(served(words, environment, port, folder / f"{name}.log")))

        twin = folder / "twin"  # one that is stopped in the middle of a transaction must not hold the other's database
        shutil.copytree(workspace, twin)
        service = [FRAUD, "serve", "--workspace"]
        own = serve("own", [*service, str(workspace)], keys)
        nothing = [sys.executable, "-m", "uvicorn", "nothing_at_all:app", "--log-level", "warning", "--no-access-log"]
        other = serve("other", nothing, {"PYTHONPATH": str(folder)})
        shared = None
        if shutil.which("redis-server"):
            redis = stack.enter_context(redis_server())
            os.sched_setaffinity(redis.pid, {1})  # beside wrk: the first core is the service's alone
            shared = serve("shared", [*service, str(twin)], keys | {"FRAUD_COUNTERS_URL": redis.url})
        yield Servers(own, other, shared)


def main() -> None:
    """Runs the benchmark and writes its section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--clicks-per-day", type=int, default=3_000)
    parser.add_argument("--workspace", type=Path, default=None, help="one that was scanned already")
    parser.add_argument("--dry", action="store_true", help="print only")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fraud-bench-") as made:
        folder = Path(made)
        workspace = given.workspace or folder / "workspace"
        if given.workspace is None:
            prepared(workspace, given.clicks_per_day)
        with all_servers(workspace, folder) as servers:
            servers.own.load(CLICK, 5.0, 4)
            with_batches(measured(servers, 2.0, given.connections), servers, 1.0, given.connections)
            repeats = [measured(servers, given.seconds, given.connections) for _ in range(given.repeats)]
            repeats = [with_batches(repeat, servers, given.seconds, given.connections) for repeat in repeats]
        shutil.rmtree(workspace / "journal", ignore_errors=True)
    report(repeats, given.connections, dry=given.dry)


def report(repeats: list[Repeat], connections: int, *, dry: bool) -> None:
    """Medians and ratios, to the page or only to the terminal."""

    def middle(values: Iterator[float]) -> float:
        return statistics.median(values)

    def row(name: str, loads: list[Load]) -> tuple[str, str, str, str]:
        rate, p99, processor = (middle(getattr(one, of) for one in loads) for of in ("per_second", "p99", "processor"))
        return name, f"{rate:,.0f}" if rate > 100 else f"{rate:,.1f}", f"{p99:.1f}", "" if math.isnan(processor) else f"{processor:,.0f}"

    ratio = middle(one.click.per_second / one.nothing.per_second for one in repeats)
    costs = middle(one.nothing.processor / one.click.processor for one in repeats)
    batches = [(one.batch, one.beside) for one in repeats if one.batch is not None and one.beside is not None]
    batch = middle(many.per_second * BATCH / one.per_second for many, one in batches)
    batch_costs = middle(one.processor / (many.processor / BATCH) for many, one in batches)
    rows = [
        row("an endpoint that does nothing (FastAPI)", [one.nothing for one in repeats]),
        row(f"`POST {CLICK}`", [one.click for one in repeats]),
        row("the same at half of that rate", [one.half for one in repeats]),
        row("the endpoint that does nothing at that rate: the client's own share", [one.floor for one in repeats]),
        row(f"`POST {CLICK}s`, {BATCH:,} at once", [many for many, _ in batches]),
    ]
    with_redis = [(one.shared, one.click) for one in repeats if one.shared is not None]
    if with_redis:
        rows.append(row(f"`POST {CLICK}`, counters in Redis", [shared for shared, _ in with_redis]))
    failed = sum(one.click.failed + one.half.failed for one in repeats) + sum(many.failed + one.failed for many, one in batches)
    lines = [
        f"One worker on one core, wrk on another, {connections} connections, {len(repeats)} repeats. Every click is new, a model",
        f"scores it, and it is in the journal before it is answered; {failed} answers were no success. The load at the end:",
        f"{os.getloadavg()[0]:.1f}.",
        "",
        table(("endpoint", "requests/s", "p99 ms", "µs of processor a request"), rows),
        "",
        f"Clicks per second against the endpoint that does nothing: **{ratio:.2f}** (asked: .60); by the processor's time {costs:.2f}.",
        "",
        f"Clicks per second in batches against single ones: **{batch:.1f}** (asked: 15); by the processor's time {batch_costs:.1f}.",
    ]
    if with_redis:
        share = middle(shared.per_second / click.per_second for shared, click in with_redis)
        lines += ["", f"Clicks per second with the counters in Redis against those in process: **{share:.2f}** (asked: .40)."]
    print("\n".join(lines))
    if not dry:
        section("The scoring service", lines)


if __name__ == "__main__":
    main()
