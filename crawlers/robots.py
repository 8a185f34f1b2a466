"""robots.txt after RFC 9309: may this URL be visited, and how fast."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from protego import Protego

from crawlers.addresses import check_url
from crawlers.errors import LookupFailed
from crawlers.facts import Fetched
from crawlers.fetch import Fetcher

MOST_ORIGINS = 512
"""Origins whose rules are held at once; a batch visits a site within minutes and does not come back."""
ACCEPT_TEXT = "text/plain,*/*;q=0.1"


@dataclass(frozen=True)
class _Rules:
    """What an origin allows; `failure` when its rules could not be read, which forbids everything."""

    parsed: Protego
    read_at: datetime
    failure: LookupFailed | None = None


class Robots:
    """Reads and remembers the rules of every origin for a day. Use `allow` as the gate of `Fetcher.fetch`."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._rules: dict[str, _Rules] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def allow(self, url: str) -> None:
        """Return when the URL may be visited. Raises LookupFailed: `robots`, or whatever made the robots.txt unreadable."""
        target = check_url(url, self._fetcher.settings)
        rules = await self._of(target.origin)
        if rules.failure is not None:
            raise LookupFailed(url, rules.failure.kind, rules.failure.message)
        if not rules.parsed.can_fetch(target.url, self._product):
            raise LookupFailed(url, "robots", f"The robots.txt of {target.host} asks crawlers not to visit this address.")

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """Return the sitemaps that the robots.txt of the URL's origin names."""
        rules = await self._of(check_url(url, self._fetcher.settings).origin)
        return tuple(rules.parsed.sitemaps)

    @property
    def _product(self) -> str:
        """The product token that robots.txt groups are matched with (RFC 9309 2.2.1)."""
        return self._fetcher.settings.user_agent.partition("/")[0]

    async def _of(self, origin: str) -> _Rules:
        async with self._locks.setdefault(origin, asyncio.Lock()):
            known = self._rules.get(origin)
            if known is None or self._is_stale(known):
                known = await self._read(origin)
                self._remember(origin, known)
            return known

    @property
    def remembered(self) -> int:
        """How many origins' rules are held, at most 512."""
        return len(self._rules)

    def _remember(self, origin: str, rules: _Rules) -> None:
        """Keep the rules, and forget those of the origin that was asked first when there are too many; its next visit asks again."""
        self._rules[origin] = rules
        while len(self._rules) > MOST_ORIGINS:
            oldest = next(iter(self._rules))
            del self._rules[oldest]
            if oldest in self._locks and not self._locks[oldest].locked():
                del self._locks[oldest]

    def _is_stale(self, rules: _Rules) -> bool:
        limits = self._fetcher.settings.limits
        age = limits.robots_age_seconds if rules.failure is None else limits.robots_failure_seconds
        return self._fetcher.now() - rules.read_at > timedelta(seconds=age)

    async def _read(self, origin: str) -> _Rules:
        fetcher = self._fetcher
        try:
            answer = await fetcher.fetch(f"{origin}/robots.txt", accept=ACCEPT_TEXT, max_bytes=fetcher.settings.limits.robots_bytes)
            parsed = Protego.parse(rules_text(answer))
        except LookupFailed as failed:
            # RFC 9309 2.3.1.2: a robots.txt behind endless redirects counts as absent, any other that cannot be had as forbidding.
            return _Rules(Protego.parse(""), fetcher.now(), None if failed.kind == "redirects" else failed)
        delay = parsed.crawl_delay(self._product)
        if delay:
            fetcher.pace.slow_down(check_url(origin, fetcher.settings).host, float(delay))
        return _Rules(parsed, fetcher.now())


def rules_text(answer: Fetched) -> str:
    """Return the rules in a robots.txt answer: none for 4xx (RFC 9309 2.3.1.3). Raises LookupFailed for 5xx and 429 (2.3.1.4)."""
    if answer.status >= 500 or answer.status == 429:
        raise LookupFailed(
            answer.url, "robots", f"The robots.txt answered with status {answer.status}, which forbids visits until it is back."
        )
    if answer.status != 200:
        return ""
    return answer.body.decode("utf-8-sig", errors="replace")
