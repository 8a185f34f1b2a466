"""Published policies in SQL: one row for each publication; at most one is live and one in shadow for each program."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection, select, update

from fraud.domain.policies import PolicyState, PublishedPolicy
from fraud.storage.database import Database
from fraud.storage.documents import decode, encode
from fraud.storage.tables import policies as table


class SqlPolicies:
    """The `PolicyStore` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, policy: PublishedPolicy) -> None:
        """Makes a pack live, or lets it run in shadow, and retires the one that stood there."""
        with self._database.transaction() as connection:
            _retire(connection, policy.program_id, policy.state, policy.published_at)
            connection.execute(table.insert().values(_row(policy)))

    def retire(self, program_id: str, state: PolicyState, at: datetime) -> bool:
        """Ends what is live, or in shadow; whether there was one."""
        with self._database.transaction() as connection:
            return _retire(connection, program_id, state, at)

    def current(self, program_id: str, state: PolicyState) -> PublishedPolicy | None:
        """What is live, or in shadow, in a program; `None` when nothing is."""
        query = select(table.c.document).where(table.c.program_id == program_id, table.c.state == state.value)
        with self._database.reading() as connection:
            text = connection.execute(query).scalar()
        return None if text is None else decode(text, PublishedPolicy)

    def history(self, program_id: str) -> list[PublishedPolicy]:
        """Every publication, newest first."""
        query = select(table.c.document).where(table.c.program_id == program_id).order_by(table.c.position.desc())
        with self._database.reading() as connection:
            return [decode(text, PublishedPolicy) for text in connection.execute(query).scalars()]


def _retire(connection: Connection, program_id: str, state: PolicyState, at: datetime) -> bool:
    standing = (table.c.program_id == program_id, table.c.state == state.value)
    found = connection.execute(select(table.c.position, table.c.document).where(*standing).with_for_update()).all()
    for position, text in found:
        retired = msgspec.structs.replace(decode(text, PublishedPolicy), state=PolicyState.RETIRED, retired_at=at)
        connection.execute(update(table).where(table.c.position == position).values(_row(retired)))
    return bool(found)


def _row(policy: PublishedPolicy) -> dict[str, object]:
    return {
        "program_id": policy.program_id,
        "state": policy.state.value,
        "published_at": policy.published_at,
        "document": encode(policy),
    }
