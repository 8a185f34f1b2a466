"""Results of scans in SQL."""

from __future__ import annotations

from sqlalchemy import Column, Select, select
from sqlalchemy.exc import IntegrityError

from fraud.domain.scans import ScanResult
from fraud.errors import Conflict, NotFound
from fraud.storage.database import Database
from fraud.storage.documents import decode, encode, page_size
from fraud.storage.nights import add_night
from fraud.storage.tables import scans as table


class SqlScans:
    """The `ScanStore` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, result: ScanResult) -> None:
        """Keeps a result; an id that is already kept is a `Conflict`."""
        row = {"scan_id": result.scan_id, "program_id": result.program_id, "as_of": result.as_of, "document": encode(result)}
        with self._database.transaction() as connection:
            try:
                connection.execute(table.insert().values(row))
            except IntegrityError as error:
                raise Conflict(f"The scan {result.scan_id!r} is already kept.") from error
            add_night(connection, result)

    def get(self, program_id: str, scan_id: str) -> ScanResult:
        """One result, or `NotFound`."""
        query = select(table.c.document).where(table.c.program_id == program_id, table.c.scan_id == scan_id)
        with self._database.reading() as connection:
            text = connection.execute(query).scalar()
        if text is None:
            raise NotFound(f"There is no scan {scan_id!r} in this program.")
        return decode(text, ScanResult)

    def latest(self, program_id: str) -> ScanResult | None:
        """The result with the newest `as_of`; of several, the one that arrived last."""
        return next(iter(self.recent(program_id, 1)), None)

    def latest_id(self, program_id: str) -> str | None:
        """The id of `latest`, without reading it."""
        with self._database.reading() as connection:
            return connection.execute(_newest(table.c.scan_id, program_id, 1)).scalar()

    def recent(self, program_id: str, limit: int) -> list[ScanResult]:
        """The newest results, newest first."""
        with self._database.reading() as connection:
            texts = connection.execute(_newest(table.c.document, program_id, page_size(limit))).scalars().all()
        return [decode(text, ScanResult) for text in texts]


def _newest(column: Column[str], program_id: str, limit: int) -> Select[str]:
    return select(column).where(table.c.program_id == program_id).order_by(table.c.as_of.desc(), table.c.position.desc()).limit(limit)
