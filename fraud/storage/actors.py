"""People and keys in SQL. Of a key's secret only a SHA-256 is kept: secrets of our own making are 32 random bytes, past guessing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, Update, or_, select, update

from fraud.domain.actors import Actor, ActorKind, KeyInfo, KeyState, Role
from fraud.domain.clock import Clock, SystemClock
from fraud.domain.ids import stable_id
from fraud.errors import Conflict, InputError, NotFound
from fraud.storage.database import Database
from fraud.storage.documents import encode_value, insert_new
from fraud.storage.tables import actor_keys, actors

_SECRET_BYTES = 32
_KEY_ID = 12
"""Characters of a secret's hash by which people tell keys of one actor apart."""

USED_AGAIN_AFTER = timedelta(minutes=1)
"""How exactly the last use of a key is known: it is written down at most once in this time."""

_KEYS = select(
    actors.c.kind,
    actors.c.actor_id,
    actors.c.name,
    actors.c.role,
    actors.c.programs,
    actors.c.shadow,
    actor_keys.c.secret_hash,
    actor_keys.c.created_at,
    actor_keys.c.expires_at,
    actor_keys.c.revoked_at,
    actor_keys.c.last_used_at,
).join(actor_keys, actor_keys.c.actor_id == actors.c.actor_id)


class SqlActors:
    """The `ActorStore` of a database."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database, self._clock = database, clock or SystemClock()

    def authenticate(self, secret: str) -> Actor | None:
        """The actor behind a key's secret, or `None` when no live key has it."""
        with self._database.reading() as connection:
            row = _key(connection, _hash(secret))
        return None if row is None or _info(row).state(self._clock.now()) is not KeyState.LIVE else _actor(row)

    def used(self, secret: str) -> None:
        """Notes that a key was used now, unless that was noted a moment ago."""
        now = self._clock.now()
        long_ago = or_(actor_keys.c.last_used_at.is_(None), actor_keys.c.last_used_at < now - USED_AGAIN_AFTER)
        mine = actor_keys.c.secret_hash == _hash(secret)
        with self._database.reading() as connection:
            due = connection.execute(select(actor_keys.c.actor_id).where(mine, long_ago)).first() is not None
        if due:
            with self._database.transaction() as connection:
                connection.execute(update(actor_keys).where(mine, long_ago).values(last_used_at=now))

    def create_key(
        self, name: str, role: Role, programs: Sequence[str], at: datetime, expires_at: datetime | None = None
    ) -> tuple[Actor, str]:
        """Makes a key; returns its actor and the secret (`fk_<role>_…`), which is never shown again.

        A program without a name is an `InputError`.
        """
        if not programs or not all(program.strip() for program in programs):
            raise InputError("A key belongs to at least one program; name it, or * for all of them.")
        secret = _new_secret(role)
        actor = self.accept_key(secret, name, role, programs, at)
        with self._database.transaction() as connection:
            connection.execute(update(actor_keys).where(actor_keys.c.secret_hash == _hash(secret)).values(expires_at=expires_at))
        return actor, secret

    def rotate(self, actor_id: str, at: datetime, until: datetime) -> tuple[Actor, str]:
        """A new secret for an actor; those it has end at `until`, or when they would have ended before. `NotFound` without a live one."""
        living = _living(at).where(actor_keys.c.actor_id == actor_id)
        with self._database.transaction() as connection:
            row = connection.execute(_KEYS.where(actor_keys.c.actor_id == actor_id, *_alive(at)).limit(1)).mappings().first()
            if row is None:
                raise NotFound(f"There is no live key {actor_id!r}.")
            actor = _actor(row)
            secret = _new_secret(actor.role)
            connection.execute(
                living.where(or_(actor_keys.c.expires_at.is_(None), actor_keys.c.expires_at > until)).values(expires_at=until)
            )
            connection.execute(actor_keys.insert().values(secret_hash=_hash(secret), actor_id=actor_id, created_at=at))
        return actor, secret

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

    def set_shadow(self, actor_id: str, shadow: bool) -> None:
        """Puts an actor's keys into shadow, or takes them out; `NotFound` when there is no such actor."""
        with self._database.transaction() as connection:
            if connection.execute(update(actors).where(actors.c.actor_id == actor_id).values(shadow=int(shadow))).rowcount == 0:
                raise NotFound(f"There is no key {actor_id!r}.")

    def revoke(self, actor_id: str, at: datetime) -> None:
        """Ends the life of an actor's keys; `NotFound` when it has none that lives."""
        living = update(actor_keys).where(actor_keys.c.actor_id == actor_id, actor_keys.c.revoked_at.is_(None))
        with self._database.transaction() as connection:
            if connection.execute(living.values(revoked_at=at)).rowcount == 0:
                raise NotFound(f"There is no live key {actor_id!r}.")

    def keys(self) -> list[Actor]:
        """Everybody who has a live key, oldest key first."""
        query = _KEYS.where(*_alive(self._clock.now())).order_by(actor_keys.c.created_at, actors.c.actor_id)
        with self._database.reading() as connection:
            found = [_actor(row) for row in connection.execute(query).mappings()]
        return list({actor.actor_id: actor for actor in found}.values())

    def every_key(self) -> list[KeyInfo]:
        """Every key there ever was, oldest first, without its secret."""
        query = _KEYS.order_by(actor_keys.c.created_at, actors.c.actor_id, actor_keys.c.secret_hash)
        with self._database.reading() as connection:
            return [_info(row) for row in connection.execute(query).mappings()]


def _new_secret(role: Role) -> str:
    return f"fk_{role.value}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def _alive(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return actor_keys.c.revoked_at.is_(None), or_(actor_keys.c.expires_at.is_(None), actor_keys.c.expires_at > at)


def _living(at: datetime) -> Update:
    return update(actor_keys).where(*_alive(at))


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


def _info(row: RowMapping) -> KeyInfo:
    times = {name: row[name] for name in ("created_at", "expires_at", "revoked_at", "last_used_at")}
    return KeyInfo(key_id=row["secret_hash"][:_KEY_ID], actor=_actor(row), **times)


def _actor(row: RowMapping) -> Actor:
    programs = msgspec.json.decode(row["programs"], type=tuple[str, ...])
    return Actor(
        kind=ActorKind(row["kind"]),
        actor_id=row["actor_id"],
        name=row["name"],
        role=Role(row["role"]),
        programs=programs,
        shadow=bool(row["shadow"]),
    )


def _row(actor: Actor) -> dict[str, str]:
    return {
        "actor_id": actor.actor_id,
        "kind": actor.kind.value,
        "name": actor.name,
        "role": actor.role.value,
        "programs": encode_value(actor.programs),
    }
