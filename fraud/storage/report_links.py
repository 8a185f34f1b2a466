"""Report links in SQL, so that one can be revoked and all can be listed. The signature is kept nowhere."""

from __future__ import annotations

from sqlalchemy import select

from fraud.domain.report_links import ReportLink
from fraud.errors import NotFound
from fraud.storage.database import Database
from fraud.storage.documents import decode, encode, upsert
from fraud.storage.tables import report_links as table


class SqlReportLinks:
    """The links of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, link: ReportLink) -> None:
        """Keeps a link, or what became of it."""
        row = {"program_id": link.program_id, "link_id": link.link_id, "created_at": link.created_at, "document": encode(link)}
        with self._database.transaction() as connection:
            upsert(connection, table, row)

    def get(self, program_id: str, link_id: str) -> ReportLink:
        """One link, or `NotFound`."""
        query = select(table.c.document).where(table.c.program_id == program_id, table.c.link_id == link_id)
        with self._database.reading() as connection:
            text = connection.execute(query).scalar()
        if text is None:
            raise NotFound(f"There is no report link {link_id[:60]!r} in this program; `fraud report list` names them.")
        return decode(text, ReportLink)

    def all(self, program_id: str) -> list[ReportLink]:
        """Every link of a program, newest first."""
        query = select(table.c.document).where(table.c.program_id == program_id).order_by(table.c.created_at.desc(), table.c.link_id)
        with self._database.reading() as connection:
            return [decode(text, ReportLink) for text in connection.execute(query).scalars()]
