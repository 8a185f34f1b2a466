"""Real-time counters in Redis, shared by any number of processes and machines: one round trip for the clicks of one moment.

A script counts events and answers their questions in one step, so that writers never see half of one another. Redis does not forget the
key touched longest ago, as the counters in one process do: a key goes two days after something was last counted under it.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np
import redis
import structlog
from numpy.typing import NDArray

from fraud.domain.counting import UNKNOWN, Answers, Counters, ManyAnswers, Plan, Sighting, Sightings
from fraud.errors import InputError, StorageError
from fraud.storage.counters import CounterBounds, plan_numbers

_log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 0.05
"""How long an event waits for Redis: a third of what trackers wait for an answer."""

PAUSE_SECONDS = 1.0
"""How long Redis is left alone after a failure: answers must not wait for it one after the other."""

KEPT_SECONDS = 2 * 86_400
"""How long an event's answers are kept for its repeats: twice the longest window."""

TOGETHER = 64
"""Events that Redis counts in one step: some milliseconds, in which it answers nobody else."""

_KNOWN = ord("1")
_DECODE = msgspec.msgpack.Decoder(list[list[float]]).decode


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
        self._scripts: dict[Plan, _Script] = {}
        self._lock = threading.Lock()
        self._of_thread = threading.local()
        self._away_until = 0.0
        self._shared = self._local = 0

    def observe(self, sighting: Sighting) -> Answers:
        """Counts the event and answers its questions; an event seen before is not counted again and gets its first answers."""
        many = self.observe_many(Sightings([sighting.event_key], np.array([sighting.at]), sighting.plan, sighting.keys[None]))
        return Answers(tuple(many.values[0].tolist()), repeated=bool(many.repeated))

    def observe_many(self, sightings: Sightings) -> ManyAnswers:
        """`observe` of each event in its order, up to 64 in one round trip; those that Redis does not answer are counted here."""
        size = len(sightings.event_keys)
        if size <= TOGETHER:
            return self._observe(sightings)
        parts = [(start, self._observe(_part(sightings, start))) for start in range(0, size, TOGETHER)]
        repeated = frozenset(start + place for start, part in parts for place in part.repeated)
        return ManyAnswers(np.concatenate([part.values for _, part in parts]), repeated)

    def _observe(self, sightings: Sightings) -> ManyAnswers:
        if time.monotonic() < self._away_until:
            return self._here(sightings)
        try:
            known, told = self._script(sightings.plan).run(self._ask, *self._question(sightings))
        except redis.RedisError as fault:
            self._leave_alone(fault)
            return self._here(sightings)
        self._shared += len(sightings.event_keys)
        self._away_until = 0.0
        return ManyAnswers(
            _values(told, sightings.keys.shape[:2]), frozenset(np.flatnonzero(np.frombuffer(known, np.uint8) == _KNOWN).tolist())
        )

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

    def _ask(self, *words: str | bytes | int) -> Any:
        """Redis' answer, over a connection of this thread: through the client a call costs three times as much.

        A connection that was closed while nothing was asked is opened again: what it had counted all the same is told as a repeat.
        """
        connection: redis.Connection | None = getattr(self._of_thread, "connection", None)
        if connection is not None:
            try:
                return _exchanged(connection, words)
            except redis.ConnectionError:
                connection.disconnect()  # type: ignore[no-untyped-call]  # redis-py annotates it in part
        else:
            connection = self._of_thread.connection = self._client.connection_pool.get_connection()
        return _exchanged(connection, words)

    def _here(self, sightings: Sightings) -> ManyAnswers:
        self._local += len(sightings.event_keys)
        return self._fallback.observe_many(sightings)

    def _leave_alone(self, fault: Exception) -> None:
        with self._lock:
            if self._away_until == 0.0:
                _log.error("redis_does_not_answer", detail=str(fault))
            self._away_until = time.monotonic() + PAUSE_SECONDS

    def _script(self, plan: Plan) -> _Script:
        if plan not in self._scripts:
            self._scripts[plan] = _script_for(plan)
        return self._scripts[plan]

    def _question(self, sightings: Sightings) -> tuple[bytes | int, ...]:
        """What the script is told: bounds, and one string each of the events' own keys, their times, and their keys and members."""
        events = b"".join([_short(key) for key in sightings.event_keys])
        times = sightings.at.astype("<f8").tobytes()
        return self._bounds.members, self._bounds.times, KEPT_SECONDS, events, times, sightings.keys.astype("<u8").tobytes()


def _exchanged(connection: redis.Connection, words: Sequence[str | bytes | int]) -> Any:
    connection.send_command(*words)  # type: ignore[no-untyped-call]  # redis-py annotates it in part
    return connection.read_response()


@dataclass(frozen=True)
class _Script:
    """A script and the name that Redis has for it."""

    text: str
    name: str

    def run(self, ask: Callable[..., Any], *arguments: bytes | int) -> tuple[bytes, bytes]:
        """What it answers; the whole text is sent only to a Redis that does not know it yet."""
        try:
            known, told = ask("EVALSHA", self.name, 0, *arguments)
        except redis.exceptions.NoScriptError:
            known, told = ask("EVAL", self.text, 0, *arguments)
        return known, told


def _script_for(plan: Plan) -> _Script:
    """The script that answers this plan's questions: the plan stands in its text, so that no event brings it along."""
    rows = ",".join("{" + ",".join(map(str, row)) + "}" for row in plan_numbers(plan).tolist())
    text = files(__package__).joinpath("counters_redis.lua").read_text(encoding="utf-8")
    whole = f"local PLAN = {{{rows}}}\n{text}"
    return _Script(whole, hashlib.sha1(whole.encode(), usedforsecurity=False).hexdigest())


def _values(told: bytes, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The answers (events, questions): lists in MessagePack, one behind the other; what is negative there cannot be known."""
    values = np.array(_DECODE(b"\xdd" + shape[0].to_bytes(4, "big") + told), dtype=np.float64).reshape(shape)
    values[values < 0] = UNKNOWN
    return values


def _short(event_key: bytes) -> bytes:
    """12 bytes, whatever the length of the key: what is kept for two days costs memory by the byte."""
    return hashlib.blake2b(event_key, digest_size=12).digest()


def _part(sightings: Sightings, start: int) -> Sightings:
    """The events of one step."""
    upto = start + TOGETHER
    return Sightings(sightings.event_keys[start:upto], sightings.at[start:upto], sightings.plan, sightings.keys[start:upto])
