"""Targets in SQL."""

from __future__ import annotations

from sqlalchemy import select

from fraud.domain.targets import Target
from fraud.errors import NotFound
from fraud.storage.database import Database
from fraud.storage.documents import decode, encode, upsert
from fraud.storage.tables import targets as table


class SqlTargets:
    """The targets of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, target: Target) -> None:
        """Keeps a target, or what became of it."""
        row = {
            "program_id": target.program_id,
            "target_id": target.target_id,
            "ends_at": target.period.end,
            "document": encode(target),
        }
        with self._database.transaction() as connection:
            upsert(connection, table, row)

    def get(self, program_id: str, target_id: str) -> Target:
        """One target, or `NotFound`."""
        query = select(table.c.document).where(table.c.program_id == program_id, table.c.target_id == target_id)
        with self._database.reading() as connection:
            text = connection.execute(query).scalar()
        if text is None:
            raise NotFound(f"There is no target {target_id[:60]!r} in this program; `fraud target list` names them.")
        return decode(text, Target)

    def all(self, program_id: str) -> list[Target]:
        """Every target of a program, the one that ends first in front."""
        query = select(table.c.document).where(table.c.program_id == program_id).order_by(table.c.ends_at, table.c.target_id)
        with self._database.reading() as connection:
            return [decode(text, Target) for text in connection.execute(query).scalars()]
