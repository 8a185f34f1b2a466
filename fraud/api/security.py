"""Keys, roles and programs: who asks, and where they may look."""

from __future__ import annotations

import asyncio
import hashlib
import math
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import TypeVar

import msgspec
import structlog
from fastapi import Request
from starlette.concurrency import run_in_threadpool

from fraud.domain.actors import DEFAULT_PROGRAM, Actor, Role
from fraud.domain.clock import Clock, passed
from fraud.domain.decisions import Outcome
from fraud.domain.limits import Limit, RateLimiter, Standing
from fraud.domain.ports import ActorStore
from fraud.errors import Forbidden, FraudError, StorageError, TooMany, Unauthorised
from fraud.workflows.converting import ConversionAnswer
from fraud.workflows.scoring import ClickAnswer

REMEMBERED = timedelta(seconds=10)
"""How long a key that was found good opens without being looked up; so long may a revoked key still be accepted."""

RENEWED = timedelta(seconds=5)
"""After how long a key in use is looked up beside the requests that bring it, so that none of them waits for that."""

TRUSTED = timedelta(hours=1)
"""How long a key that was found good still opens while the store of keys does not answer: scoring goes on without the database."""

RATE_HEADERS = "rate_headers"
"""Where a request's state keeps the headers that say how its key stands."""

RateHeaders = tuple[tuple[bytes, bytes], ...]

_log = structlog.get_logger(__name__)
_MOST_REMEMBERED = 10_000


BURST_SECONDS = 10
"""Seconds of its average that a key may ask at once."""


@dataclass(frozen=True)
class KeyLimits:
    """How often each key may ask, by its role, and what counts; without a limiter, as often as it likes."""

    limiter: RateLimiter | None = None
    by_role: Mapping[Role, Limit] = field(default_factory=dict)

    def of(self, actor: Actor) -> Limit | None:
        """The limit of an actor's keys, when it has one."""
        return self.by_role.get(actor.role) if self.limiter is not None else None


def limits_by_role(trackers: float, people: float) -> dict[Role, Limit]:
    """The limits of trackers' keys and of everybody else's, in requests a second; 0 is none."""
    rates = {Role.SCORE: trackers, Role.REVIEW: people, Role.ADMIN: people}
    return {role: per_second(rate) for role, rate in rates.items() if rate}


def per_second(rate: float) -> Limit:
    """A limit of so many requests a second, and a burst of ten seconds of them."""
    return Limit(rate, max(int(rate * BURST_SECONDS), 1))


class Gate:
    """Tells who is behind a request's key, whether their role and programs reach far enough, and whether they ask too often."""

    def __init__(self, actors: ActorStore, clock: Clock, limits: KeyLimits | None = None) -> None:
        self._actors = actors
        self._clock = clock
        self._limits = limits or KeyLimits()
        self._lock = threading.Lock()
        self._known: dict[bytes, tuple[Actor, datetime]] = {}
        self._proved: dict[bytes, datetime] = {}
        self._renewals = ThreadPoolExecutor(1, thread_name_prefix="keys")
        self._renewing: dict[bytes, Future[None]] = {}

    def require(self, request: Request, role: Role) -> Actor:
        """The actor behind the request.

        Raises `Unauthorised` without a live key, `Forbidden` when its role is too low, `TooMany` when it asks too often.
        """
        actor = self._authenticate(secret_of(request))
        self._count(request, actor)
        return _reaching(actor, role)

    def known(self, secret: bytes, role: Role) -> tuple[Actor, RateHeaders] | None:
        """The actor behind a key that was found good a moment ago, and the headers that say how the key stands.

        `None` when it has to be looked up, does not reach far enough, or asks too often: `require` and `admit` say which.
        """
        digest = hashlib.sha256(secret).digest()
        actor, age = self._fresh(digest)
        if actor is None or not actor.role.reaches(role):
            return None
        if age >= RENEWED:
            self._renewal(digest, secret)
        limit, limiter = self._limits.of(actor), self._limits.limiter
        if limit is None or limiter is None:
            return actor, ()
        if limiter.shared:
            return None
        stands = limiter.take(actor.actor_id, limit)
        return (actor, rate_headers(limit, stands)) if stands.allowed else None

    async def admit(self, request: Request, role: Role, secret: str = "") -> Actor:
        """`require` for the event loop, which waits for the store of keys in no case; `secret` is a key that stood elsewhere."""
        given = secret or secret_of(request)
        digest = _digest(given)
        known, age = self._fresh(digest)
        if known is not None and age >= RENEWED:
            self._renewal(digest, given.encode(errors="surrogatepass"))
        actor = known if known is not None else await run_in_threadpool(self._authenticate, given)
        if self._limits.limiter is not None and self._limits.limiter.shared:
            await run_in_threadpool(self._count, request, actor)
        else:
            self._count(request, actor)
        return _reaching(actor, role)

    def _count(self, request: Request, actor: Actor) -> None:
        """Counts a request of an actor; its answer will say how it stands."""
        limit, limiter = self._limits.of(actor), self._limits.limiter
        if limit is None or limiter is None:
            return
        stands = limiter.take(actor.actor_id, limit)
        request.scope.setdefault("state", {})[RATE_HEADERS] = rate_headers(limit, stands)
        if not stands.allowed:
            raise TooMany(f"This key asks more than {limit.rate:g} times a second; wait, or send more at once.", stands.wait_seconds)

    def _fresh(self, digest: bytes) -> tuple[Actor | None, timedelta]:
        """The actor of a key that was looked up lately, and how long ago that was."""
        known = self._known.get(digest)
        age = passed(known[1], self._clock.now()) if known is not None else REMEMBERED
        return known[0] if known is not None and age < REMEMBERED else None, age

    async def renewed(self, secret: bytes) -> bool:
        """Whether a key that was found good long ago has been looked up now; one look serves all requests that wait for it."""
        digest = hashlib.sha256(secret).digest()
        if digest not in self._known or self._fresh(digest)[0] is not None:
            return False
        await asyncio.shield(asyncio.wrap_future(self._renewal(digest, secret)))  # others wait for the same one
        return True

    def _renewal(self, digest: bytes, secret: bytes) -> Future[None]:
        """The look that is under way for a key, or one that begins now."""
        with self._lock:
            running = self._renewing.get(digest)
            if running is None:
                running = self._renewing[digest] = self._renewals.submit(self._renew, digest, secret)
            return running

    def _renew(self, digest: bytes, secret: bytes) -> None:
        try:
            self._look_up(secret.decode(errors="surrogatepass"))
        except Unauthorised:
            pass  # it is forgotten, and the next request is told
        except FraudError as fault:
            _log.warning("key_not_looked_up", detail=fault.message)
        finally:
            with self._lock:
                del self._renewing[digest]

    def _authenticate(self, secret: str) -> Actor:
        known, _ = self._fresh(_digest(secret))
        return known if known is not None else self._look_up(secret)

    def _look_up(self, secret: str) -> Actor:
        digest, now = _digest(secret), self._clock.now()
        try:
            actor = self._actors.authenticate(secret)
        except StorageError:
            trusted = self._trusted(digest, now)
            if trusted is None:
                raise
            return trusted
        if actor is None:
            with self._lock:
                self._known.pop(digest, None)
                self._proved.pop(digest, None)
            raise Unauthorised("This key is not known, or no longer; ask the administrator for another.")
        self._note_use(secret, actor)
        with self._lock:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
                self._proved.clear()
            self._known[digest] = (actor, now)
            self._proved[digest] = now
        return actor

    def _trusted(self, digest: bytes, now: datetime) -> Actor | None:
        """The actor of a key that was good not long ago, for as long as the store of keys does not answer."""
        with self._lock:
            known, proved = self._known.get(digest), self._proved.get(digest)
            if known is None or proved is None or passed(proved, now) > TRUSTED:
                return None
            self._known[digest] = (known[0], now)
        return known[0]

    def _note_use(self, secret: str, actor: Actor) -> None:
        try:
            self._actors.used(secret)
        except StorageError as fault:  # a store that can be read but not written still lets people in
            _log.warning("last_use_not_kept", actor_id=actor.actor_id, detail=fault.message)


_Answer = TypeVar("_Answer", bound=ClickAnswer | ConversionAnswer)


def told_to(actor: Actor, given: _Answer) -> _Answer:
    """An answer as its actor is told it: a key in shadow hears `allow`, and beside it what a live one would have heard."""
    if not actor.shadow:
        return given
    return msgspec.structs.replace(given, decision=Outcome.ALLOW, live=given.decision)


def rate_headers(limit: Limit, stands: Standing) -> RateHeaders:
    """The headers by which an answer says how a key stands (IETF draft-ietf-httpapi-ratelimit-headers)."""
    return (_policy_header(limit), (b"ratelimit", b'"key";r=%d;t=%d' % (stands.remaining, math.ceil(stands.wait_seconds))))


@cache
def _policy_header(limit: Limit) -> tuple[bytes, bytes]:
    return b"ratelimit-policy", b'"key";q=%d;w=%d' % (limit.burst, math.ceil(limit.burst / limit.rate))


def secret_of(request: Request) -> str:
    """The key a request carries, in `Authorization: Bearer` or `X-API-Key`; raises `Unauthorised` when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    secret = token.strip() if scheme.lower() == "bearer" else ""
    secret = secret or request.headers.get("x-api-key", "").strip()
    if not secret:
        raise Unauthorised("A key is needed: send it as Authorization: Bearer KEY or X-API-Key: KEY.")
    return secret


def _reaching(actor: Actor, role: Role) -> Actor:
    if not actor.role.reaches(role):
        raise Forbidden(f"This key has the role {actor.role.value}, and this needs {role.value}; use another key.")
    return actor


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def program_of(actor: Actor, asked: str | None) -> str:
    """The program a request is about: the one it names, else the actor's only one, else `default`.

    Raises `Forbidden` when the actor does not belong to it.
    """
    own = actor.programs
    program = asked or (own[0] if len(own) == 1 and own[0] != "*" else DEFAULT_PROGRAM)
    if not actor.may_enter(program):
        raise Forbidden(f"This key does not belong to the program {program!r}; use one of its own keys.")
    return program
