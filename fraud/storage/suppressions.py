"""Suppressions in SQL."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from fraud.domain.suppressions import Suppression
from fraud.storage.database import Database
from fraud.storage.documents import decode, encode, upsert
from fraud.storage.tables import suppressions as table


class SqlSuppressions:
    """The `SuppressionStore` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, suppression: Suppression) -> None:
        """Keeps a suppression, or the changed one (its end brought forward) under the same id."""
        row = {
            "program_id": suppression.program_id,
            "suppression_id": suppression.suppression_id,
            "expires_at": suppression.expires_at,
            "document": encode(suppression),
        }
        with self._database.transaction() as connection:
            upsert(connection, table, row)

    def active(self, program_id: str, at: datetime) -> list[Suppression]:
        """Those that have not expired, the one that ends first before the others."""
        query = (
            select(table.c.document)
            .where(table.c.program_id == program_id, table.c.expires_at > at)
            .order_by(table.c.expires_at, table.c.suppression_id)
        )
        with self._database.reading() as connection:
            return [decode(text, Suppression) for text in connection.execute(query).scalars()]
