"""The audit log in SQL: rows are only ever added."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from fraud.domain.actors import Actor
from fraud.storage.database import Database
from fraud.storage.documents import decode_value, encode_value, page_size
from fraud.storage.tables import audit_log as table


class SqlAudit:
    """The `AuditLog` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, actor: Actor, program_id: str, action: str, subject: str, at: datetime, detail: dict[str, Any]) -> None:
        """Adds one row."""
        row = {
            "program_id": program_id,
            "at": at,
            "actor_kind": actor.kind.value,
            "actor_id": actor.actor_id,
            "actor_name": actor.name,
            "action": action,
            "subject": subject,
            "detail": encode_value(detail),
        }
        with self._database.transaction() as connection:
            connection.execute(table.insert().values(row))

    def count(self, program_id: str) -> int:
        """How many rows a program has."""
        query = select(func.count()).select_from(table).where(table.c.program_id == program_id)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def entries(self, program_id: str, limit: int, offset: int = 0) -> list[dict[str, Any]]:
        """The newest rows, newest first: `at`, `actor_kind`, `actor_id`, `actor_name`, `action`, `subject`, `detail`."""
        query = (
            select(table.c.at, table.c.actor_kind, table.c.actor_id, table.c.actor_name, table.c.action, table.c.subject, table.c.detail)
            .where(table.c.program_id == program_id)
            .order_by(table.c.at.desc(), table.c.position.desc())
            .limit(page_size(limit))
            .offset(offset)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [{**row, "detail": decode_value(row["detail"])} for row in rows]
