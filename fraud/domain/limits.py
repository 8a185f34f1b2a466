"""How often somebody may ask: token buckets, in words that the API and whatever counts share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Limit:
    """A token bucket: `rate` requests a second on average, and `burst` of them at once after a pause."""

    rate: float
    burst: int


@dataclass(frozen=True)
class Standing:
    """How a bucket stands after a request: whether it was allowed, how many more are now, and in how many seconds the next would be."""

    allowed: bool
    remaining: int
    wait_seconds: float


class RateLimiter(Protocol):
    """Counts requests under names. May be used from any number of threads."""

    shared: bool
    """Whether counting means asking another machine, which an event loop must not wait for."""

    def take(self, name: str, limit: Limit, cost: int = 1) -> Standing:
        """Takes `cost` tokens from a bucket if there are so many; with a cost of 0 it only looks whether there is one."""
        ...


def standing(tokens: float, limit: Limit, *, allowed: bool) -> Standing:
    """A standing from what is left in a bucket."""
    wait = 0.0 if tokens >= 1 else (1 - tokens) / limit.rate
    return Standing(allowed, int(tokens), wait)
