"""Signed proofs of who somebody is: a session in a cookie, and a ticket in a link. Nothing is kept on the server.

Both carry the actor and the second at which they end, signed with HMAC-SHA-256 and separated by salt, so that a ticket is never a session.
A ticket may be used again until it ends: mail scanners open links before people do.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

import msgspec
from itsdangerous import BadData, URLSafeSerializer

from fraud.domain.actors import Actor

SESSION_LASTS = timedelta(hours=12)
TICKET_LASTS = timedelta(minutes=15)
_SHORTEST_SECRET = 16


class _Proof(msgspec.Struct, frozen=True):
    actor: Actor
    ends: int


class SessionSigner:
    """Issues and reads sessions and tickets. With another secret, everything issued before is void."""

    def __init__(self, secret_key: bytes) -> None:
        """Takes the secret, at least 16 bytes; a shorter one is a `ValueError`."""
        if len(secret_key) < _SHORTEST_SECRET:
            raise ValueError(f"The secret that signs sessions has {len(secret_key)} bytes; give at least {_SHORTEST_SECRET}.")
        self._sessions = _serializer(secret_key, "fraud.web.session")
        self._form_key = hmac.digest(secret_key, b"fraud.web.form", "sha256")
        self._tickets = _serializer(secret_key, "fraud.web.ticket")

    def issue(self, actor: Actor, at: datetime) -> str:
        """A session that lasts 12 hours from `at`."""
        return _issue(self._sessions, actor, at + SESSION_LASTS)

    def read(self, token: str, at: datetime) -> Actor | None:
        """Whose session it is; `None` when it was altered, has ended, or is no session."""
        return _read(self._sessions, token, at)

    def form_token(self, session: str) -> str:
        """The token that forms of this session carry: another page cannot know it, because it cannot read the session."""
        return hmac.digest(self._form_key, session.encode(), "sha256").hex()

    def accepts_form(self, session: str, token: str) -> bool:
        """Whether a form's token is that of the session."""
        return hmac.compare_digest(self.form_token(session).encode(), token.encode(errors="replace"))

    def issue_ticket(self, actor: Actor, at: datetime) -> str:
        """A ticket for one link, `/login?ticket=…`, that lasts 15 minutes from `at`."""
        return _issue(self._tickets, actor, at + TICKET_LASTS)

    def read_ticket(self, token: str, at: datetime) -> Actor | None:
        """Whose ticket it is; `None` when it was altered, has ended, or is no ticket."""
        return _read(self._tickets, token, at)


def _serializer(secret_key: bytes, salt: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt=salt, signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"})


def _issue(serializer: URLSafeSerializer, actor: Actor, ends: datetime) -> str:
    token = serializer.dumps(msgspec.to_builtins(_Proof(actor, int(ends.timestamp()))))
    return token if isinstance(token, str) else token.decode("ascii")


def _read(serializer: URLSafeSerializer, token: str, at: datetime) -> Actor | None:
    try:
        proof = msgspec.convert(serializer.loads(token), _Proof)
    except (BadData, msgspec.ValidationError):
        return None
    return proof.actor if at.timestamp() < proof.ends else None
