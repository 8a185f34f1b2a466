"""Nights in SQL: scans and their affiliates in lines, kept beside the whole results."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, select

from fraud.domain.decisions import Outcome
from fraud.domain.nights import HELD, NightLine, SubjectLine, SubjectQuery, SubjectSort, night_of, subjects_of
from fraud.domain.scans import ScanResult
from fraud.errors import NotFound
from fraud.storage.columns import legible
from fraud.storage.database import Database
from fraud.storage.documents import decode, digest, encode, page_size
from fraud.storage.facets import affiliates_with
from fraud.storage.tables import scan_nights, scan_subjects

_LINE = tuple(scan_subjects.c[name] for name in SubjectLine.__struct_fields__)
_ORDERS: dict[SubjectSort, ColumnElement[Any]] = {
    SubjectSort.RANK: scan_subjects.c.rank,
    SubjectSort.NAME: scan_subjects.c.affiliate_id,
    SubjectSort.CLICKS: scan_subjects.c.clicks,
    SubjectSort.CONVERSIONS: scan_subjects.c.conversions,
    SubjectSort.COMMISSION: scan_subjects.c.commission,
    SubjectSort.AT_RISK: scan_subjects.c.at_risk,
}


def add_night(connection: Connection, result: ScanResult) -> None:
    """Keeps a scan's lines, inside the transaction that keeps the scan; lines that are there already are made anew."""
    for table in (scan_nights, scan_subjects):
        connection.execute(delete(table).where(table.c.program_id == result.program_id, table.c.scan_id == result.scan_id))
    night = {"program_id": result.program_id, "scan_id": result.scan_id, "as_of": result.as_of, "document": encode(night_of(result))}
    connection.execute(scan_nights.insert().values(night))
    rows = [_row(result.program_id, line) for line in subjects_of(result)]
    if rows:
        connection.execute(scan_subjects.insert(), rows)


class SqlNights:
    """Nights and affiliates in lines, a page at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def nights(self, program_id: str, limit: int, offset: int = 0) -> list[NightLine]:
        """Scans, newest first."""
        query = (
            select(scan_nights.c.document)
            .where(scan_nights.c.program_id == program_id)
            .order_by(scan_nights.c.as_of.desc(), scan_nights.c.scan_id.desc())
            .limit(page_size(limit))
            .offset(offset)
        )
        with self._database.reading() as connection:
            return [decode(text, NightLine) for text in connection.execute(query).scalars()]

    def night(self, program_id: str, scan_id: str) -> NightLine:
        """One scan, or `NotFound`."""
        query = select(scan_nights.c.document).where(scan_nights.c.program_id == program_id, scan_nights.c.scan_id == scan_id)
        with self._database.reading() as connection:
            text = connection.execute(query).scalar()
        if text is None:
            raise NotFound(f"There is no scan {scan_id[:80]!r} in this program.")
        return decode(text, NightLine)

    def count(self, program_id: str) -> int:
        """How many scans there are."""
        query = select(func.count()).select_from(scan_nights).where(scan_nights.c.program_id == program_id)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def subjects(self, program_id: str, scan_id: str, query: SubjectQuery) -> tuple[list[SubjectLine], int]:
        """A page of a scan's affiliates, and how many the whole list has."""
        mine = _matching(program_id, scan_id, query)
        order = _ORDERS[query.sort]
        ordered = order.desc().nulls_last() if query.descending else order.asc().nulls_last()
        page = select(*_LINE).where(*mine).order_by(ordered, scan_subjects.c.rank).limit(page_size(query.limit)).offset(query.offset)
        counted = select(func.count()).select_from(scan_subjects).where(*mine)
        with self._database.reading() as connection:
            lines = [_line(row) for row in connection.execute(page).mappings()]
            return lines, int(connection.execute(counted).scalar_one())

    def seen(self, program_id: str, affiliate_id: str) -> int:
        """In how many scans an affiliate was active."""
        mine = (scan_subjects.c.program_id == program_id, scan_subjects.c.affiliate_key == digest(affiliate_id))
        with self._database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(scan_subjects).where(*mine)).scalar_one())

    def history(self, program_id: str, affiliate_id: str, limit: int, offset: int = 0) -> list[SubjectLine]:
        """Where an affiliate stood, newest night first."""
        query = (
            select(*_LINE)
            .where(scan_subjects.c.program_id == program_id, scan_subjects.c.affiliate_key == digest(affiliate_id))
            .order_by(scan_subjects.c.as_of.desc(), scan_subjects.c.position.desc())
            .limit(page_size(limit))
            .offset(offset)
        )
        with self._database.reading() as connection:
            return [_line(row) for row in connection.execute(query).mappings()]

    def held_since(self, program_id: str, since: datetime) -> list[str]:
        """The affiliates that a scan since then held or would have suspended, by name."""
        stopped = scan_subjects.c.outcome.in_([Outcome.HOLD.value, Outcome.SUSPEND.value])
        mine = (scan_subjects.c.program_id == program_id, scan_subjects.c.as_of >= since, stopped)
        with self._database.reading() as connection:
            return sorted(connection.execute(select(scan_subjects.c.affiliate_id).where(*mine).distinct()).scalars())

    def risks(self, program_id: str, affiliate_id: str, limit: int) -> list[tuple[datetime, float]]:
        """When an affiliate stood at which risk, newest night first."""
        query = (
            select(scan_subjects.c.as_of, scan_subjects.c.score)
            .where(scan_subjects.c.program_id == program_id, scan_subjects.c.affiliate_key == digest(affiliate_id))
            .order_by(scan_subjects.c.as_of.desc(), scan_subjects.c.position.desc())
            .limit(page_size(limit))
        )
        with self._database.reading() as connection:
            return [(at, score) for at, score in connection.execute(query)]


def _matching(program_id: str, scan_id: str, query: SubjectQuery) -> list[ColumnElement[bool]]:
    mine = [scan_subjects.c.program_id == program_id, scan_subjects.c.scan_id == scan_id]
    if query.search:
        mine.append(scan_subjects.c.affiliate_id.icontains(query.search, autoescape=True))
    if query.outcome is not None:
        mine.append(scan_subjects.c.outcome == query.outcome.value)
    if query.held:
        mine.append(scan_subjects.c.outcome.in_(sorted(outcome.value for outcome in HELD)))
    return [*mine, *(scan_subjects.c.affiliate_key.in_(affiliates_with(program_id, kind, value)) for kind, value in query.facets)]


def _line(row: RowMapping) -> SubjectLine:
    values: dict[str, Any] = dict(row)
    return SubjectLine(**values | {"outcome": Outcome(values["outcome"]), "alerted": bool(values["alerted"])})


def _row(program_id: str, line: SubjectLine) -> dict[str, Any]:
    return {
        "program_id": program_id,
        "affiliate_key": digest(line.affiliate_id),
        **{name: getattr(line, name) for name in SubjectLine.__struct_fields__},
        "affiliate_id": legible(line.affiliate_id),
        "why": legible(line.why),
        "outcome": line.outcome.value,
        "alerted": int(line.alerted),
    }
