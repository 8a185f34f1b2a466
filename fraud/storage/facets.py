"""Facets in SQL: what affiliates and the alerts about them can be narrowed by, one row each, made anew with every night."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Select, delete, func, select

from fraud.domain.facets import Facet, FacetCount, FacetKind
from fraud.storage.columns import legible
from fraud.storage.database import Database
from fraud.storage.documents import digest
from fraud.storage.tables import subject_facets as table

_AT_ONCE = 500
"""Names in one statement: SQLite takes no more than 32,766 values."""


class SqlFacets:
    """The facets of programs' affiliates."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, program_id: str, facets: Sequence[Facet], alerts: Mapping[str, Sequence[str]]) -> None:
        """Puts the facets of these affiliates in the place of their earlier ones; `alerts` names the alerts that each is part of.

        Affiliates that are not named keep what is known of them.
        """
        rows = [row for one in facets for row in _rows(program_id, one, alerts.get(one.affiliate_id, ()))]
        keys = sorted({row["affiliate_key"] for row in rows})
        with self._database.transaction() as connection:
            for first in range(0, len(keys), _AT_ONCE):
                some = table.c.affiliate_key.in_(keys[first : first + _AT_ONCE])
                connection.execute(delete(table).where(table.c.program_id == program_id, some))
            if rows:
                connection.execute(table.insert(), rows)

    def counts(self, program_id: str, kind: FacetKind, limit: int = 200) -> list[FacetCount]:
        """The values of a kind with the number of affiliates, most frequent first."""
        affiliates = func.count(func.distinct(table.c.affiliate_key)).label("affiliates")
        mine = (table.c.program_id == program_id, table.c.kind == kind.value)
        query = select(table.c.value, affiliates).where(*mine).group_by(table.c.value).order_by(affiliates.desc(), table.c.value)
        with self._database.reading() as connection:
            return [FacetCount(value=value, affiliates=count) for value, count in connection.execute(query.limit(limit))]


def affiliates_with(program_id: str, kind: FacetKind, value: str) -> Select[str]:
    """The keys of the affiliates that have a value, for a condition on another table."""
    return select(table.c.affiliate_key).where(*_having(program_id, kind, value))


def alerts_with(program_id: str, kind: FacetKind, value: str) -> Select[str]:
    """The ids of the alerts about affiliates that have a value."""
    return select(table.c.alert_id).where(*_having(program_id, kind, value))


def _having(program_id: str, kind: FacetKind, value: str) -> tuple[ColumnElement[bool], ...]:
    return (table.c.program_id == program_id, table.c.kind == kind.value, table.c.value == legible(value))


def _rows(program_id: str, one: Facet, alerts: Sequence[str]) -> list[dict[str, str]]:
    row = {"program_id": program_id, "kind": one.kind.value, "value": legible(one.value), "affiliate_key": digest(one.affiliate_id)}
    return [row | {"alert_id": alert_id} for alert_id in alerts or ("",)]
