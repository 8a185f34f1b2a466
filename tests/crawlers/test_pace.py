"""Politeness: pauses per host, one request at a time, few at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from crawlers.errors import LookupFailed
from crawlers.limits import CrawlSettings, Limits
from crawlers.pace import Pace, retry_after_seconds
from tests.crawlers.servers import run

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)


class FakeTime:
    """Replaces sleeping: time passes only when somebody waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.waits: list[float] = []
        monkeypatch.setattr("crawlers.pace._loop_time", lambda: self.now)
        monkeypatch.setattr("crawlers.pace.asyncio.sleep", self.sleep)

    def sleep(self, seconds: float) -> Coroutine[Any, Any, None]:
        """Let time pass."""

        async def pass_time() -> None:
            self.waits.append(round(seconds, 6))
            self.now += seconds

        return pass_time()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    """A clock that stands still until somebody waits."""
    return FakeTime(monkeypatch)


async def visit(pace: Pace, *hosts: str) -> None:
    """Take one turn after the other."""
    for host in hosts:
        async with pace.turn(host):
            pass


def test_a_host_is_asked_once_a_second_and_others_at_once(clock: FakeTime) -> None:
    run(visit(Pace(CrawlSettings()), "a.test", "b.test", "a.test", "a.test"))
    assert clock.waits == [1.0, 1.0]


def test_a_crawl_delay_slows_down_but_never_beyond_the_limit_and_never_up(clock: FakeTime) -> None:
    pace = Pace(CrawlSettings())
    pace.slow_down("a.test", 3.0)
    pace.slow_down("b.test", 60.0)
    pace.slow_down("c.test", 0.1)
    run(visit(pace, "a.test", "a.test", "b.test", "b.test", "c.test", "c.test"))
    assert clock.waits == [3.0, 5.0, 1.0]


def test_retry_after_is_obeyed_for_busy_servers_only(clock: FakeTime) -> None:
    pace = Pace(CrawlSettings())
    pace.answered("busy.test", 429, "20", NOW)
    pace.answered("fine.test", 200, "20", NOW)
    run(visit(pace, "busy.test", "fine.test"))
    assert clock.waits == [20.0]


def test_a_host_that_wants_a_long_pause_is_left_alone(clock: FakeTime) -> None:
    pace = Pace(CrawlSettings())
    pace.answered("busy.test", 503, "3600", NOW)
    with pytest.raises(LookupFailed) as failed:
        run(visit(pace, "busy.test"))
    assert failed.value.kind == "budget"
    assert "3600" in failed.value.message
    assert clock.waits == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Sun, 01 Mar 2026 10:01:00 GMT", 60.0),
        ("Sun, 01 Mar 2026 09:00:00 GMT", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        ("-5", 0.0),
        ("٣", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float) -> None:
    assert retry_after_seconds(value, NOW) == seconds


def test_never_more_at_once_than_the_limit_and_one_per_host() -> None:
    most: dict[str, int] = {"all": 0, "a.test": 0}
    running = {"all": 0, "a.test": 0}

    async def one(pace: Pace, host: str) -> None:
        async with pace.turn(host):
            for key in {"all", host} & running.keys():
                running[key] += 1
                most[key] = max(most[key], running[key])
            await asyncio.sleep(0)
            for key in {"all", host} & running.keys():
                running[key] -= 1

    async def many() -> None:
        pace = Pace(CrawlSettings(delay=0.0, limits=Limits(concurrency=3)))
        await asyncio.gather(*(one(pace, host) for host in ["a.test"] * 5 + [f"{number}.test" for number in range(10)]))

    run(many())
    assert most == {"all": 3, "a.test": 1}
