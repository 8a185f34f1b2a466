"""Politeness: one request at a time per host with a pause between, few over all hosts, and Retry-After obeyed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from crawlers.errors import LookupFailed
from crawlers.limits import CrawlSettings

BUSY = frozenset({429, 503})
"""Statuses whose Retry-After is meant for us (RFC 9110 15.6.4, RFC 6585 4)."""


MOST_HOSTS = 2_048
"""Hosts whose pace is remembered before idle ones are forgotten."""


@dataclass
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_at: float = 0.0
    delay: float = 0.0


class Pace:
    """Hands out turns. Times are seconds of the running loop's clock."""

    def __init__(self, settings: CrawlSettings) -> None:
        self._settings = settings
        self._hosts: dict[str, _Host] = {}
        self._all = asyncio.Semaphore(settings.limits.concurrency)

    @asynccontextmanager
    async def turn(self, host: str, url: str = "") -> AsyncIterator[None]:
        """Wait for the host's turn and hold it. Raises LookupFailed `budget` when the host asked for a longer pause than we wait."""
        state = self._host(host)
        async with state.lock:
            await self._wait(state, host, url)
            try:
                async with self._all:
                    yield
            finally:
                state.next_at = max(state.next_at, _loop_time() + state.delay)

    def answered(self, host: str, status: int, retry_after: str, now: datetime) -> None:
        """Take note of an answer: 429 and 503 push the host's next turn to its Retry-After (seconds or an HTTP date)."""
        if status in BUSY and retry_after:
            pause = retry_after_seconds(retry_after, now)
            state = self._host(host)
            state.next_at = max(state.next_at, _loop_time() + pause)

    def slow_down(self, host: str, delay: float) -> None:
        """Honour a robots.txt Crawl-delay in seconds, up to the limit; it never makes us faster."""
        state = self._host(host)
        state.delay = max(state.delay, min(delay, self._settings.limits.crawl_delay_seconds))

    def _host(self, host: str) -> _Host:
        if host not in self._hosts and len(self._hosts) >= MOST_HOSTS:
            self._forget_idle()
        return self._hosts.setdefault(host, _Host(delay=self._settings.delay))

    def _forget_idle(self) -> None:
        """Forget the hosts that nobody waits for and whose pause is over: a visit to them now would not have to wait."""
        now = _loop_time()
        idle = [host for host, state in self._hosts.items() if not state.lock.locked() and state.next_at <= now]
        for host in idle:
            del self._hosts[host]

    async def _wait(self, state: _Host, host: str, url: str) -> None:
        pause = state.next_at - _loop_time()
        if pause > self._settings.limits.longest_wait_seconds:
            raise LookupFailed(url or host, "budget", f"{host} asked us not to come back for {pause:.0f} seconds.")
        if pause > 0:
            await asyncio.sleep(pause)


def retry_after_seconds(value: str, now: datetime) -> float:
    """Return the pause that a Retry-After header asks for, in seconds; 0 for one that cannot be read."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
