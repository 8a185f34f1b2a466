"""Keys, roles and programs: who asks, and where they may look."""

from __future__ import annotations

import hashlib
import threading
from datetime import datetime, timedelta

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from fraud.domain.actors import DEFAULT_PROGRAM, Actor, Role
from fraud.domain.clock import Clock
from fraud.domain.ports import ActorStore
from fraud.errors import Forbidden, Unauthorised

REMEMBERED = timedelta(seconds=10)
"""How long a key that was found good is not looked up again; so long may a revoked key still be accepted."""

_MOST_REMEMBERED = 10_000


class Gate:
    """Tells who is behind a request's key, and whether their role and programs reach far enough."""

    def __init__(self, actors: ActorStore, clock: Clock) -> None:
        self._actors = actors
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[bytes, tuple[Actor, datetime]] = {}

    def require(self, request: Request, role: Role) -> Actor:
        """The actor behind the request. Raises `Unauthorised` without a live key, `Forbidden` when its role is too low."""
        return _reaching(self._authenticate(secret_of(request)), role)

    def known(self, secret: bytes, role: Role) -> Actor | None:
        """The actor behind a key that was found good a moment ago; `None` when it has to be looked up, or does not reach far enough."""
        actor = self._fresh(hashlib.sha256(secret).digest())
        return actor if actor is not None and actor.role.reaches(role) else None

    async def admit(self, request: Request, role: Role, secret: str = "") -> Actor:
        """`require` for the event loop, which waits for the store of keys in no case; `secret` is a key that stood elsewhere."""
        given = secret or secret_of(request)
        known = self._fresh(_digest(given))
        return _reaching(known if known is not None else await run_in_threadpool(self._authenticate, given), role)

    def _fresh(self, digest: bytes) -> Actor | None:
        known = self._known.get(digest)
        return known[0] if known is not None and self._clock.now() - known[1] < REMEMBERED else None

    def _authenticate(self, secret: str) -> Actor:
        digest, now = _digest(secret), self._clock.now()
        known = self._fresh(digest)
        if known is not None:
            return known
        actor = self._actors.authenticate(secret)
        if actor is None:
            raise Unauthorised("This key is not known, or no longer; ask the administrator for another.")
        with self._lock:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[digest] = (actor, now)
        return actor


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
