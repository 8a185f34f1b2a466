"""Token buckets in this process."""

from __future__ import annotations

import threading
from datetime import datetime

from fraud.domain.clock import Clock
from fraud.domain.limits import Limit, Standing, standing

MOST_BUCKETS = 100_000
"""Names that are remembered; past it those whose buckets have filled up again are forgotten, which changes nothing, else the oldest."""


class TokenBuckets:
    """The `RateLimiter` of one process: two processes allow twice as much."""

    shared = False

    def __init__(self, clock: Clock, most: int = MOST_BUCKETS) -> None:
        self._clock, self._most = clock, most
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, datetime, Limit]] = {}

    def take(self, name: str, limit: Limit, cost: int = 1) -> Standing:
        """Takes `cost` tokens from a bucket if there are so many; with a cost of 0 it only looks whether there is one."""
        now = self._clock.now()
        with self._lock:
            tokens = self._tokens(name, limit, now)
            allowed = tokens >= max(cost, 1)
            left = tokens - cost if allowed else tokens
            if cost:
                self._make_room(name, now)
                self._buckets[name] = (left, now, limit)
        return standing(left, limit, allowed=allowed)

    def _tokens(self, name: str, limit: Limit, now: datetime) -> float:
        known = self._buckets.get(name)
        if known is None:
            return float(limit.burst)
        tokens, at, _ = known
        return min(limit.burst, tokens + max((now - at).total_seconds(), 0.0) * limit.rate)

    def _make_room(self, name: str, now: datetime) -> None:
        if name in self._buckets or len(self._buckets) < self._most:
            return
        full = [one for one, (_, _, limit) in self._buckets.items() if self._tokens(one, limit, now) >= limit.burst]
        for one in full or [next(iter(self._buckets))]:
            del self._buckets[one]
