"""Real-time counters in Redis, shared by any number of processes and machines: one round trip an event.

A script counts the event and answers its questions in one step, so that writers never see half of one another. Redis does not forget the
key touched longest ago, as the counters in one process do: a key goes two of its windows after it was last seen.
"""

from __future__ import annotations

import hashlib
import threading
import time
from importlib.resources import files

import msgspec
import numpy as np
import redis
import structlog
from redis.commands.core import Script

from fraud.domain.counting import Answers, Counters, ManyAnswers, Plan, Sighting, Sightings
from fraud.errors import InputError, StorageError
from fraud.storage.counters import CounterBounds, plan_numbers

_log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 0.05
"""How long an event waits for Redis: a third of what trackers wait for an answer."""

PAUSE_SECONDS = 1.0
"""How long Redis is left alone after a failure: answers must not wait for it one after the other."""

KEPT_SECONDS = 2 * 86_400
"""How long an event's answers are kept for its repeats: twice the longest window."""

_PREFIX = b"fraud:"


class RedisStats(msgspec.Struct, frozen=True):
    """How it goes: events that Redis counted, and those that were counted in this process because it did not answer."""

    shared: int
    local: int
    away: bool


class RedisCounters:
    """The `Counters` of a Redis server; while it does not answer, those of this process alone (`fallback`).

    What is counted here meanwhile stays here: afterwards windows in Redis lack those events until they have passed.
    """

    def __init__(self, url: str, fallback: Counters, bounds: CounterBounds | None = None, timeout: float = TIMEOUT_SECONDS) -> None:
        self._bounds, self._fallback = bounds or CounterBounds(), fallback
        try:
            self._client = redis.Redis.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=None, protocol=2)
        except ValueError as fault:
            raise InputError(f"FRAUD_COUNTERS_URL cannot be used: {fault}.") from fault
        self._scripts: dict[Plan, Script] = {}
        self._lock = threading.Lock()
        self._away_until = 0.0
        self._shared = self._local = 0

    def observe(self, sighting: Sighting) -> Answers:
        """Counts the event and answers its questions; an event seen before is not counted again and gets its first answers."""
        if time.monotonic() < self._away_until:
            return self._here(sighting)
        keys, arguments = self._question(sighting)
        try:
            repeated, text = self._script(sighting.plan)(keys, arguments)
        except redis.RedisError as fault:
            self._leave_alone(fault)
            return self._here(sighting)
        self._shared += 1
        self._away_until = 0.0
        return Answers(tuple([float(value) for value in text.split(b",")] if text else ()), repeated=bool(repeated))

    def observe_many(self, sightings: Sightings) -> ManyAnswers:
        """`observe` of each event in its order, in one round trip; all are counted here when it fails, as if Redis had not answered."""
        if time.monotonic() < self._away_until:
            return self._all_here(sightings)
        pipeline, script = self._client.pipeline(transaction=False), self._script(sightings.plan)
        for place in range(len(sightings.event_keys)):
            keys, arguments = self._question(_one(sightings, place))
            script(keys, arguments, client=pipeline)
        try:
            answered = pipeline.execute()
        except redis.RedisError as fault:
            self._leave_alone(fault)
            return self._all_here(sightings)
        self._shared += len(answered)
        self._away_until = 0.0
        values = [[float(value) for value in text.split(b",")] if text else [] for _, text in answered]
        repeated = frozenset(place for place, (known, _) in enumerate(answered) if known)
        return ManyAnswers(np.array(values, dtype=np.float64).reshape(sightings.keys.shape[:2]), repeated)

    def stats(self) -> RedisStats:
        """How it goes."""
        return RedisStats(self._shared, self._local, time.monotonic() < self._away_until)

    def figures(self) -> dict[str, float]:
        """`stats` by name."""
        return {name: float(value) for name, value in msgspec.structs.asdict(self.stats()).items()}

    def is_empty(self) -> bool:
        """Whether nothing has been counted yet; an unreachable Redis is not."""
        try:
            return int(self._client.dbsize()) == 0
        except redis.RedisError:
            return False

    def ping(self) -> None:
        """Asks for a sign of life; a `StorageError` when there is none."""
        try:
            self._client.ping()
        except redis.RedisError as fault:
            raise StorageError(f"Redis does not answer ({fault}); until it does every worker counts by itself.") from fault

    def close(self) -> None:
        """Lets the connections go."""
        self._client.close()

    def _here(self, sighting: Sighting) -> Answers:
        self._local += 1
        return self._fallback.observe(sighting)

    def _all_here(self, sightings: Sightings) -> ManyAnswers:
        self._local += len(sightings.event_keys)
        return self._fallback.observe_many(sightings)

    def _leave_alone(self, fault: Exception) -> None:
        with self._lock:
            if self._away_until == 0.0:
                _log.error("redis_does_not_answer", detail=str(fault))
            self._away_until = time.monotonic() + PAUSE_SECONDS

    def _script(self, plan: Plan) -> Script:
        """The script that answers this plan's questions: the plan stands in its text, so that no event brings it along."""
        if plan not in self._scripts:
            rows = ",".join("{" + ",".join(map(str, row)) + "}" for row in plan_numbers(plan).tolist())
            text = files(__package__).joinpath("counters_redis.lua").read_text(encoding="utf-8")
            self._scripts[plan] = self._client.register_script(f"local PLAN = {{{rows}}}\n{text}".encode())
        return self._scripts[plan]

    def _question(self, sighting: Sighting) -> tuple[list[bytes], list[bytes | int]]:
        event = _PREFIX + b"e" + _short(sighting.event_key)
        raw = sighting.keys.tobytes()
        places = range(0, len(raw), 16)
        keys = [event, *(_PREFIX + key if any(key) else event for key in (raw[place : place + 8] for place in places))]
        members = b"".join([raw[place + 8 : place + 16] for place in places])
        return keys, [sighting.at, self._bounds.members, self._bounds.times, KEPT_SECONDS, members]


def _short(event_key: bytes) -> bytes:
    """12 bytes, whatever the length of the key: what is kept for two days costs memory by the byte."""
    return hashlib.blake2b(event_key, digest_size=12).digest()


def _one(sightings: Sightings, place: int) -> Sighting:
    return Sighting(sightings.event_keys[place], int(sightings.at[place]), sightings.plan, sightings.keys[place])
