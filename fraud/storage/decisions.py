"""Decisions in SQL: added once, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.exc import IntegrityError

from fraud.domain.decisions import Decision, DecisionKind
from fraud.errors import Conflict, NotFound, StorageError
from fraud.storage.database import Database
from fraud.storage.documents import decode, digest, encode
from fraud.storage.tables import decisions as table

_READ = tuple(table.c[name] for name in ("decision_id", "program_id", "kind", "subject_kind", "subject_id", "document"))


_PAGE = 1_000
"""Decisions read at once: some tens of megabytes at most."""


class SqlDecisions:
    """The `DecisionStore` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, decisions: Sequence[Decision]) -> None:
        """Keeps new decisions, all of them or none; an id that is already kept is a `Conflict`."""
        rows = [_row(decision) for decision in decisions]
        if not rows:
            return
        with self._database.transaction() as connection:
            try:
                connection.execute(table.insert(), rows)
            except IntegrityError as error:
                raise Conflict("A decision with the same id is already kept; nothing was added.") from error

    def known(self, decision_ids: Sequence[str]) -> frozenset[str]:
        """Which of these ids are kept already, whatever their program."""
        query = select(table.c.decision_id).where(table.c.decision_id.in_(decision_ids))
        with self._database.reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def get(self, program_id: str, decision_id: str) -> Decision:
        """The decision as it was made, or `NotFound`."""
        return self._one(decision_id, table.c.program_id == program_id)

    def find(self, decision_id: str) -> Decision:
        """The decision in whichever program, for the machine's own operator; or `NotFound`."""
        return self._one(decision_id)

    def latest(self, program_id: str, kind: DecisionKind, subject_id: str) -> Decision | None:
        """The newest decision of that kind on that subject, by the time it was decided, then by arrival."""
        query = (
            select(*_READ)
            .where(table.c.program_id == program_id, table.c.kind == kind.value, table.c.subject_key == digest(subject_id))
            .order_by(table.c.decided_at.desc(), table.c.position.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _decision(row)

    def decided(self, program_id: str, kind: DecisionKind, since: datetime) -> Iterator[Decision]:
        """The decisions of that kind made at or after `since`, in the order they were made, a page at a time."""
        after = 0
        while page := self._page(program_id, kind, since, after):
            after = page[-1]["position"]
            yield from (_decision(row) for row in page)

    def _page(self, program_id: str, kind: DecisionKind, since: datetime, after: int) -> Sequence[RowMapping]:
        query = (
            select(table.c.position, *_READ)
            .where(table.c.program_id == program_id, table.c.kind == kind.value, table.c.decided_at >= since, table.c.position > after)
            .order_by(table.c.position)
            .limit(_PAGE)
        )
        with self._database.reading() as connection:
            return connection.execute(query).mappings().all()

    def subjects(self, program_id: str, kind: DecisionKind, since: datetime) -> list[str]:
        """The subjects of that kind decided at or after `since`, in the order they were decided."""
        query = (
            select(table.c.subject_id)
            .where(table.c.program_id == program_id, table.c.kind == kind.value, table.c.decided_at >= since)
            .order_by(table.c.position)
        )
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def newest_scores(self, program_id: str, kind: DecisionKind, limit: int) -> list[float]:
        """The scores of a program's newest decisions of a kind, newest first."""
        mine = (table.c.program_id == program_id, table.c.kind == kind.value)
        query = select(table.c.score).where(*mine).order_by(table.c.position.desc()).limit(limit)
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def _one(self, decision_id: str, *conditions: Any) -> Decision:
        with self._database.reading() as connection:
            row = connection.execute(select(*_READ).where(table.c.decision_id == decision_id, *conditions)).mappings().one_or_none()
        if row is None:
            raise NotFound(f"There is no decision {decision_id!r} in this program.")
        return _decision(row)


def _decision(row: RowMapping) -> Decision:
    """The document of a row; a `StorageError` when it speaks of another decision than the columns it is searched by."""
    decision = decode(row["document"], Decision)
    told = _row_names(decision)
    wrong = [name for name, value in told.items() if row[name] != value]
    if wrong:
        raise StorageError(
            f"The stored decision {row['decision_id']} contradicts itself in {', '.join(wrong)} and was altered; restore a backup."
        )
    return decision


def _row_names(decision: Decision) -> dict[str, str]:
    """What a row and its document both say of whose decision this is, and on what."""
    return {
        "decision_id": decision.decision_id,
        "program_id": decision.program_id,
        "kind": decision.kind.value,
        "subject_kind": decision.subject_kind.value,
        "subject_id": decision.subject_id,
    }


def _row(decision: Decision) -> dict[str, Any]:
    return {
        **_row_names(decision),
        "subject_key": digest(decision.subject_id),
        "as_of": decision.as_of,
        "decided_at": decision.decided_at,
        "outcome": decision.verdict.outcome.value,
        "score": decision.verdict.score,
        "run_id": decision.run_id,
        "document": encode(decision),
    }
