"""A long day in a short time: no error, flat memory, and every count that a click was judged by is the right one."""

from __future__ import annotations

import signal
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from fraud.domain.counting import BUCKET_SECONDS
from fraud.domain.decisions import DecisionKind
from fraud.storage.database import open_database
from fraud.storage.decisions import SqlDecisions
from tests.api.test_kills import KEY, serving

BEGIN = 1_772_359_200
GROWTH = 1.25
"""What resident memory may grow by after a third of the traffic: buffers of bounded size that are still filling."""


class Oracle:
    """Counts in the plainest way: every event of a key is kept."""

    def __init__(self) -> None:
        self._buckets: defaultdict[tuple[str, int], Counter[int]] = defaultdict(Counter)

    def count(self, key: str, at: int, window: int) -> int:
        """How many events the key has had in the window that ends with this one, which is counted."""
        width = BUCKET_SECONDS[window]
        buckets = self._buckets[key, window]
        buckets[at // width] += 1
        return sum(buckets[at // width - back] for back in range(window // width))


def traffic(count: int, seed: int, hours: float) -> list[dict[str, Any]]:
    """Clicks of some hours in their order, from addresses and affiliates that come again and again."""
    draw = Random(seed)
    moments = sorted(draw.randrange(int(hours * 3600)) for _ in range(count))
    return [
        {
            "click_id": f"c{number}",
            "clicked_at": BEGIN + moment,
            "affiliate_id": f"aff{draw.randrange(20)}",
            "ip": f"203.0.113.{int(draw.paretovariate(0.7)) % 200}",
            "user_agent": f"Mozilla/5.0 (X11; Linux x86_64; rv:{120 + draw.randrange(5)}.0) Gecko/20100101 Firefox/135.0",
        }
        for number, moment in enumerate(moments)
    ]


def expected_of(clicks: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """What the counts of each click should be."""
    oracle = Oracle()
    return {
        click["click_id"]: {
            "ip_clicks_1m": oracle.count(f"ip {click['ip']}", click["clicked_at"], 60),
            "ip_clicks_1h": oracle.count(f"ip {click['ip']}", click["clicked_at"], 3600),
            "ip_user_agent_clicks_10m": oracle.count(f"both {click['ip']} {click['user_agent']}", click["clicked_at"], 600),
            "affiliate_clicks_24h": oracle.count(f"aff {click['affiliate_id']}", click["clicked_at"], 86400),
        }
        for click in clicks
    }


def resident(pid: int) -> int:
    """Pages of memory that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])


def wait_until_kept(client: httpx.Client) -> None:
    """Returns when no decision waits in the journal any more."""
    for _ in range(9_000):
        if "fraud_decisions_waiting 0\n" in client.get("/metrics").text:
            return
        time.sleep(0.1)
    raise AssertionError("decisions still wait")


def soaked(workspace: Path, clicks: list[dict[str, Any]], batch: int) -> None:
    """Sends everything, one click in `batch` by itself, then looks at memory and at every decision."""
    with serving(workspace) as (url, process):
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}-SCORE"}, timeout=60) as client:
            sizes = []
            for start in range(0, len(clicks), batch):
                first, *others = clicks[start : start + batch]
                assert client.post("/v1/score/click", json=first).status_code == 200
                assert client.post("/v1/score/clicks", json=others).status_code == 200
                sizes.append(resident(process.pid))
            wait_until_kept(client)
        assert sizes[-1] <= GROWTH * sizes[len(sizes) // 3]
        process.send_signal(signal.SIGTERM)
        process.wait(600)
    expected = expected_of(clicks)
    database = open_database(f"sqlite:///{workspace / 'fraud.sqlite3'}")
    try:
        decisions = SqlDecisions(database)
        kept = list(decisions.subjects("default", DecisionKind.SCORE, datetime(2020, 1, 1, tzinfo=UTC)))
        assert sorted(kept) == sorted(expected)
        for click_id, counts in expected.items():
            decision = decisions.latest("default", DecisionKind.SCORE, click_id)
            assert decision is not None
            assert {name: decision.inputs["features"][name] for name in counts} == counts, click_id
    finally:
        database.close()


def test_hours_of_clicks_are_counted_exactly(tmp_path: Path) -> None:
    soaked(tmp_path / "workspace", traffic(2_000, seed=1, hours=6), batch=100)


@pytest.mark.long
def test_two_days_of_clicks_are_counted_exactly(tmp_path: Path) -> None:
    soaked(tmp_path / "workspace", traffic(30_000, seed=2, hours=48), batch=500)
