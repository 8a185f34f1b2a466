"""The service killed in the middle of its work: whatever it acknowledged is there after the next start, exactly once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from fraud.domain.decisions import DecisionKind
from fraud.storage.database import open_database
from fraud.storage.decisions import SqlDecisions
from fraud.storage.lake import ParquetLake
from tests.servers import free_port

KEY = "key-of-a-tracker-that-kills"
SENDERS, MANY = 4, 500
SETTINGS = {"FRAUD_COUNTERS_CHECKPOINT": "0.7"}
"""Checkpoints so often that some are taken under load, and that a kill may come in the middle of one."""

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@contextmanager
def serving(workspace: Path, **settings: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The real service in a process of its own, ready to answer; killed at the end unless it is gone."""
    port = free_port()
    environment = os.environ | {f"FRAUD_{role}_KEY": f"{KEY}-{role}" for role in ("SCORE", "REVIEW", "ADMIN")} | settings
    command = [str(Path(sys.executable).with_name("fraud")), "serve", "--port", str(port), "--workspace", str(workspace)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                httpx.get(f"{url}/healthz")
                break
            except httpx.TransportError:
                assert process.poll() is None, "the service ended by itself"
                time.sleep(0.1)
        yield url, process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)


def send(url: str, name: str, acknowledged: list[str]) -> None:
    """Sends clicks one after the other until nobody answers; some of them twice."""
    headers = {"Authorization": f"Bearer {KEY}-SCORE"}
    with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
        for number in range(100_000):
            click = {"click_id": f"{name}-{number}", "clicked_at": "2026-03-01T10:00:00Z", "affiliate_id": name}
            try:
                answers = [client.post("/v1/score/click", json=click) for _ in range(1 + (number % 7 == 0))]
            except httpx.TransportError:
                return
            acknowledged += [click["click_id"] for answer in answers if answer.status_code == 200]


def send_many(url: str, name: str, acknowledged: list[str]) -> None:
    """Sends three batches, more than can be carried on before the next kill; the first one twice."""
    headers = {"Authorization": f"Bearer {KEY}-SCORE"}
    with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
        for number in (0, 1, 2, 0):
            names = [f"{name}-{number}-{place}" for place in range(MANY)]
            clicks = [{"click_id": one, "clicked_at": "2026-03-01T10:00:00Z", "affiliate_id": name} for one in names]
            try:
                answer = client.post("/v1/score/clicks", json=clicks)
            except httpx.TransportError:
                return
            acknowledged += names if answer.status_code == 200 else []


def decided(url: str, names: Sequence[str]) -> list[str]:
    """The decisions on clicks that are sent again."""
    clicks = [{"click_id": name, "clicked_at": "2026-03-01T10:00:00Z", "affiliate_id": "again"} for name in names]
    answers = httpx.post(f"{url}/v1/score/clicks", json=clicks, headers={"Authorization": f"Bearer {KEY}-SCORE"}, timeout=60)
    return [answer["decision_id"] for answer in answers.json()]


def wait_until_carried_on(url: str) -> None:
    """Returns once nothing waits in the journal."""
    for _ in range(1_200):
        if "fraud_decisions_waiting 0\n" in httpx.get(f"{url}/metrics", headers={"X-API-Key": f"{KEY}-SCORE"}, timeout=30).text:
            return
        time.sleep(0.1)
    raise AssertionError("something waits in the journal for good")


def kept(workspace: Path) -> Counter[str]:
    """How often each click has a decision."""
    database = open_database(f"sqlite:///{workspace / 'fraud.sqlite3'}")
    try:
        return Counter(SqlDecisions(database).subjects("default", DecisionKind.SCORE, _LONG_AGO))
    finally:
        database.close()


def decisions(workspace: Path, names: Sequence[str]) -> list[str]:
    """The decisions on clicks, as the database has them."""
    database = open_database(f"sqlite:///{workspace / 'fraud.sqlite3'}")
    try:
        found = [SqlDecisions(database).latest("default", DecisionKind.SCORE, name) for name in names]
        return [decision.decision_id for decision in found if decision is not None]
    finally:
        database.close()


def counted_after(url: str) -> str:
    """Sends one more click of an affiliate of the first round."""
    click = {"click_id": "afterwards", "clicked_at": "2026-03-01T10:00:00Z", "affiliate_id": "r0s0"}
    assert httpx.post(f"{url}/v1/score/click", json=click, headers={"Authorization": f"Bearer {KEY}-SCORE"}, timeout=30).status_code == 200
    return click["click_id"]


def told(workspace: Path, click_id: str) -> float:
    """How many clicks of its affiliate a click was judged by."""
    database = open_database(f"sqlite:///{workspace / 'fraud.sqlite3'}")
    try:
        decision = SqlDecisions(database).latest("default", DecisionKind.SCORE, click_id)
        assert decision is not None
        return float(decision.inputs["features"]["affiliate_clicks_24h"])
    finally:
        database.close()


def killed_over_and_over(workspace: Path, kills: int, seed: int) -> None:
    """Kills the service so many times under load, then looks what is there."""
    draw = random.Random(seed)
    acknowledged: list[str] = []
    for round_ in range(kills):
        with serving(workspace, **SETTINGS) as (url, process):
            senders = [threading.Thread(target=send, args=(url, f"r{round_}s{number}", acknowledged)) for number in range(SENDERS)]
            senders.append(threading.Thread(target=send_many, args=(url, f"r{round_}many", acknowledged)))
            for sender in senders:
                sender.start()
            time.sleep(draw.uniform(0.5, 2.5))
            process.kill()
            for sender in senders:
                sender.join()
    repeats = draw.sample(acknowledged, 100)
    with serving(workspace, **SETTINGS) as (url, process):
        told_again = decided(url, repeats)
        process.kill()  # in the middle of what the kills before left
    with serving(workspace, **SETTINGS) as (url, process):
        assert decided(url, repeats) == told_again
        asked = counted_after(url)
        wait_until_carried_on(url)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    times = kept(workspace)
    assert told(workspace, asked) == sum(name.startswith("r0s0-") for name in times) + 1, "the counters know every click before the kills"
    times.pop(asked)
    assert len(acknowledged) > kills * (SENDERS + MANY)
    assert decisions(workspace, repeats) == told_again
    assert [click for click in acknowledged if times[click] != 1] == []
    assert max(times.values()) == 1
    with ParquetLake(workspace / "lake").connect("default") as events:
        in_lake = Counter(row[0] for row in events.sql("select click_id from clicks").fetchall())
    in_lake.pop(asked)
    assert in_lake == times, "scans see every scored click once"


def test_what_was_acknowledged_survives_two_kills(tmp_path: Path) -> None:
    killed_over_and_over(tmp_path / "workspace", 2, seed=9)


@pytest.mark.long
def test_what_was_acknowledged_survives_twenty_kills(tmp_path: Path) -> None:
    killed_over_and_over(tmp_path / "workspace", 20, seed=10)
