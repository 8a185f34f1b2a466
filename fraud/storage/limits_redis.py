"""Token buckets in Redis, shared by all processes; while it does not answer, those of this process."""

from __future__ import annotations

import threading
import time

import redis
import structlog

from fraud.domain.limits import Limit, RateLimiter, Standing, standing
from fraud.errors import InputError
from fraud.storage.counters_redis import PAUSE_SECONDS, TIMEOUT_SECONDS

_log = structlog.get_logger(__name__)
_PREFIX = "fraud:limit:"

_SCRIPT = """
local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = burst
if kept[1] then
  tokens = math.min(burst, tonumber(kept[1]) + math.max(now - tonumber(kept[2]), 0) * rate)
end
local allowed = tokens >= math.max(cost, 1)
if allowed then tokens = tokens - cost end
if cost > 0 then
  redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', now))
  redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
end
return {allowed and 1 or 0, string.format('%.6f', tokens)}
"""


class RedisBuckets:
    """The `RateLimiter` of a Redis server, in one round trip; it goes by the server's clock."""

    shared = True

    def __init__(self, url: str, fallback: RateLimiter, timeout: float = TIMEOUT_SECONDS) -> None:
        self._fallback = fallback
        try:
            self._client = redis.Redis.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=None, protocol=2)
        except ValueError as fault:
            raise InputError(f"FRAUD_COUNTERS_URL cannot be used: {fault}.") from fault
        self._script = self._client.register_script(_SCRIPT)
        self._lock = threading.Lock()
        self._away_until = 0.0

    def take(self, name: str, limit: Limit, cost: int = 1) -> Standing:
        """Takes `cost` tokens from a bucket if there are so many; with a cost of 0 it only looks whether there is one."""
        if time.monotonic() < self._away_until:
            return self._fallback.take(name, limit, cost)
        try:
            allowed, tokens = self._script([_PREFIX + name], [limit.rate, limit.burst, cost])
        except redis.RedisError as fault:
            self._leave_alone(fault)
            return self._fallback.take(name, limit, cost)
        return standing(float(tokens), limit, allowed=bool(allowed))

    def close(self) -> None:
        """Lets the connections go."""
        self._client.close()

    def _leave_alone(self, fault: redis.RedisError) -> None:
        with self._lock:
            first = self._away_until == 0.0 or time.monotonic() >= self._away_until
            self._away_until = time.monotonic() + PAUSE_SECONDS
        if first:
            _log.warning("limits_counted_here", detail=type(fault).__name__)
