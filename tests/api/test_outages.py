"""Redis or PostgreSQL stopped and started again while trackers call: every click is answered, and all is well again by itself."""

from __future__ import annotations

import resource
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from fraud.domain.decisions import DecisionKind
from fraud.storage.database import open_database
from fraud.storage.decisions import SqlDecisions
from tests.api.test_kills import KEY, serving
from tests.servers import redis_server, stoppable_postgres

AWAY = 2.0
PATIENCE = 120.0


class Tracker:
    """Sends clicks one after the other, every tenth time a batch, and keeps what it was told."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}-SCORE"}, timeout=30)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.statuses: Counter[int] = Counter()
        self.acknowledged: list[str] = []

    def click(self, number: int) -> dict[str, Any]:
        """One click of the same address."""
        moment = int(time.time())
        return {
            "click_id": f"c{number}",
            "clicked_at": moment,
            "affiliate_id": "aff",
            "ip": "203.0.113.7",
            "user_agent": "Mozilla/5.0 Firefox/135",
        }

    def _run(self) -> None:
        number = 0
        while not self._ended.is_set():
            count = 5 if number % 10 == 0 else 1
            sent = [self.click(number + step) for step in range(count)]
            path, body = ("/v1/score/clicks", sent) if count > 1 else ("/v1/score/click", sent[0])
            answer = self._client.post(path, json=body)
            self.statuses[answer.status_code] += 1
            if answer.status_code == 200:
                self.acknowledged += [str(click["click_id"]) for click in sent]
            number += count
            time.sleep(0.005)

    def figure(self, name: str) -> float:
        """A figure of `/metrics`."""
        lines = self._client.get("/metrics").text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"fraud_{name} "))

    def stop(self) -> None:
        """Sends no more."""
        self._ended.set()
        self._thread.join()

    def __enter__(self) -> Tracker:
        """Begins to send."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops."""
        self.stop()
        self._client.close()


def until(done: Callable[[], bool]) -> None:
    """Returns when it is so."""
    ends = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < ends, "it did not come about in time"
        time.sleep(0.1)


def worked(url: str) -> bool:
    """Whether a job that is queued now is taken up within a few seconds."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}-REVIEW"}, timeout=30) as client:
        scan = client.post("/v1/scans", json={}).json()["scan_id"]
        for _ in range(50):
            if client.get(f"/v1/scans/{scan}").json()["state"] in {"done", "failed"}:
                return True
            time.sleep(0.1)
    return False


def test_redis_is_away_for_a_while(tmp_path: Path) -> None:
    with redis_server() as redis, serving(tmp_path / "workspace", FRAUD_COUNTERS_URL=redis.url) as (url, process):
        with Tracker(url) as tracker:
            until(lambda: len(tracker.acknowledged) > 50)
            redis.stop()
            time.sleep(AWAY)
            answered = len(tracker.acknowledged)
            redis.start()
            until(lambda: len(tracker.acknowledged) > answered + 50)
            until(lambda: tracker.figure("counters_away") == 0)
            assert tracker.figure("counters_local") > 0, "meanwhile the process counted by itself"
        assert set(tracker.statuses) == {200}
        assert process.poll() is None


def test_more_silent_clients_than_files_may_be_open(tmp_path: Path) -> None:
    with serving(tmp_path / "workspace") as (url, process), Tracker(url) as tracker, ExitStack() as silent:
        until(lambda: tracker.figure("decisions_written") > 50)
        limits = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        files = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (files + 20, limits[1]))
        for _ in range(100):
            silent.enter_context(socket.create_connection((str(urlsplit(url).hostname), int(urlsplit(url).port or 0)), timeout=5))
        answered = len(tracker.acknowledged)
        until(lambda: len(tracker.acknowledged) > answered + 100)
        silent.close()
        tracker.stop()
        until(lambda: tracker.figure("decisions_waiting") == 0)
        assert set(tracker.statuses) == {200}, "a client that was there before does not notice"
        assert len(tracker.acknowledged) == tracker.figure("decisions_written")


def test_postgres_is_away_for_a_while(tmp_path: Path) -> None:
    with stoppable_postgres() as postgres:
        with serving(tmp_path / "workspace", FRAUD_DATABASE_URL=postgres.url) as (url, process):
            with Tracker(url) as tracker:
                until(lambda: len(tracker.acknowledged) > 50)
                postgres.stop()
                time.sleep(AWAY)
                assert tracker.figure("decisions_waiting") > 0, "decisions wait in the journal"
                answered = len(tracker.acknowledged)
                postgres.start()
                until(lambda: len(tracker.acknowledged) > answered + 50)
                tracker.stop()
                until(lambda: tracker.figure("decisions_waiting") == 0)
                until(lambda: worked(url))
            assert process.poll() is None
        assert set(tracker.statuses) == {200}
        database = open_database(postgres.url)
        try:
            kept = Counter(SqlDecisions(database).subjects("default", DecisionKind.SCORE, datetime(2020, 1, 1, tzinfo=UTC)))
        finally:
            database.close()
        assert kept == Counter(tracker.acknowledged), "each once"
