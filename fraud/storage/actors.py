"""People and keys in SQL. Of a key's secret only a SHA-256 is kept: secrets of our own making are 32 random bytes, past guessing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, RowMapping, select, update

from fraud.domain.actors import Actor, ActorKind, Role
from fraud.domain.ids import stable_id
from fraud.errors import Conflict, InputError, NotFound
from fraud.storage.database import Database
from fraud.storage.documents import encode_value, insert_new
from fraud.storage.tables import actor_keys, actors

_SECRET_BYTES = 32
_KEYS = select(
    actors.c.kind,
    actors.c.actor_id,
    actors.c.name,
    actors.c.role,
    actors.c.programs,
    actor_keys.c.secret_hash,
    actor_keys.c.revoked_at,
).join(actor_keys, actor_keys.c.actor_id == actors.c.actor_id)


class SqlActors:
    """The `ActorStore` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def authenticate(self, secret: str) -> Actor | None:
        """The actor behind a key's secret, or `None` when no live key has it."""
        with self._database.reading() as connection:
            row = _key(connection, _hash(secret))
        return None if row is None or row["revoked_at"] is not None else _actor(row)

    def create_key(self, name: str, role: Role, programs: Sequence[str], at: datetime) -> tuple[Actor, str]:
        """Makes a key; returns its actor and the secret (`fk_<role>_…`), which is never shown again."""
        secret = f"fk_{role.value}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        return self.accept_key(secret, name, role, programs, at), secret

    def accept_key(self, secret: str, name: str, role: Role, programs: Sequence[str], at: datetime) -> Actor:
        """Accepts a secret chosen outside; accepting it again changes nothing and returns the actor it already has.

        A blank secret is an `InputError`; one that was revoked, or that stands for another role, is a `Conflict`.
        """
        if not secret.strip():
            raise InputError(f"The key for the role {role.value} is blank; set it to a long random text or leave it unset.")
        secret_hash = _hash(secret)
        actor = Actor(kind=ActorKind.KEY, actor_id=stable_id("key", secret_hash), name=name, role=role, programs=tuple(programs))
        with self._database.transaction() as connection:
            insert_new(connection, actors, _row(actor))
            insert_new(
                connection, actor_keys, {"secret_hash": secret_hash, "actor_id": actor.actor_id, "created_at": at, "revoked_at": None}
            )
            row = _key(connection, secret_hash)
        return _accepted(row, actor)

    def revoke(self, actor_id: str, at: datetime) -> None:
        """Ends the life of an actor's keys; `NotFound` when it has none that lives."""
        living = update(actor_keys).where(actor_keys.c.actor_id == actor_id, actor_keys.c.revoked_at.is_(None))
        with self._database.transaction() as connection:
            if connection.execute(living.values(revoked_at=at)).rowcount == 0:
                raise NotFound(f"There is no live key {actor_id!r}.")

    def keys(self) -> list[Actor]:
        """Every live key's actor, oldest key first."""
        query = _KEYS.where(actor_keys.c.revoked_at.is_(None)).order_by(actor_keys.c.created_at, actors.c.actor_id)
        with self._database.reading() as connection:
            return [_actor(row) for row in connection.execute(query).mappings()]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _key(connection: Connection, secret_hash: str) -> RowMapping | None:
    """The key with this hash. What a database's index gives away by its timing is the hash's, which tells nothing of the secret."""
    row = connection.execute(_KEYS.where(actor_keys.c.secret_hash == secret_hash)).mappings().one_or_none()
    return row if row is not None and hmac.compare_digest(row["secret_hash"], secret_hash) else None


def _accepted(row: RowMapping | None, wanted: Actor) -> Actor:
    if row is None or row["revoked_at"] is not None:
        raise Conflict(f"The key given for the role {wanted.role.value} was revoked; choose another secret.")
    actor = _actor(row)
    if actor.role is not wanted.role:
        raise Conflict(f"The key given for the role {wanted.role.value} already stands for {actor.role.value}; choose another secret.")
    return actor


def _actor(row: RowMapping) -> Actor:
    programs = msgspec.json.decode(row["programs"], type=tuple[str, ...])
    return Actor(kind=ActorKind(row["kind"]), actor_id=row["actor_id"], name=row["name"], role=Role(row["role"]), programs=programs)


def _row(actor: Actor) -> dict[str, str]:
    return {
        "actor_id": actor.actor_id,
        "kind": actor.kind.value,
        "name": actor.name,
        "role": actor.role.value,
        "programs": encode_value(actor.programs),
    }
