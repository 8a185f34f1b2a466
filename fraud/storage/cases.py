"""Cases in SQL: each change against the version it was made on, each with its line in the timeline."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select, update

from fraud.domain.cases import Case, CaseEvent, CaseState
from fraud.errors import Conflict, NotFound
from fraud.storage.database import Database
from fraud.storage.documents import decode, encode, insert_new, page_size
from fraud.storage.tables import case_events
from fraud.storage.tables import cases as table


class SqlCases:
    """The `CaseStore` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, case: Case) -> Case:
        """Keeps a new case; the one that is kept under its id already otherwise."""
        with self._database.transaction() as connection:
            insert_new(connection, table, _row(case))
        return self.get(case.program_id, case.case_id)

    def get(self, program_id: str, case_id: str) -> Case:
        """One case, or `NotFound`."""
        query = select(table.c.document).where(table.c.program_id == program_id, table.c.case_id == case_id)
        with self._database.reading() as connection:
            text = connection.execute(query).scalar()
        if text is None:
            raise NotFound(f"There is no case {case_id!r} in this program.")
        return decode(text, Case)

    def all(self, program_id: str) -> list[Case]:
        """Every case of a program, oldest first."""
        query = select(table.c.document).where(table.c.program_id == program_id).order_by(table.c.opened_at, table.c.case_id)
        with self._database.reading() as connection:
            return [decode(text, Case) for text in connection.execute(query).scalars()]

    def standing(self, program_id: str, states: Sequence[CaseState]) -> list[Case]:
        """The cases that stand in one of these states, oldest first."""
        query = (
            select(table.c.document)
            .where(table.c.program_id == program_id, table.c.state.in_([state.value for state in states]))
            .order_by(table.c.opened_at, table.c.case_id)
        )
        with self._database.reading() as connection:
            return [decode(text, Case) for text in connection.execute(query).scalars()]

    def page(self, program_id: str, states: Sequence[CaseState], limit: int, offset: int = 0) -> tuple[list[Case], int]:
        """A page of what `standing` gives, and how many the whole list has."""
        mine = (table.c.program_id == program_id, table.c.state.in_([state.value for state in states]))
        query = select(table.c.document).where(*mine).order_by(table.c.opened_at.desc(), table.c.case_id)
        with self._database.reading() as connection:
            found = connection.execute(query.limit(page_size(limit)).offset(offset)).scalars()
            cases = [decode(text, Case) for text in found]
            return cases, int(connection.execute(select(func.count()).select_from(table).where(*mine)).scalar_one())

    def change(self, case: Case, event: CaseEvent) -> None:
        """Replaces a case by its next version and adds the line of its timeline, both or neither.

        `Conflict` when somebody else changed it first: the version that this one follows is no longer the newest.
        """
        seen = (table.c.program_id == case.program_id, table.c.case_id == case.case_id, table.c.version == case.version - 1)
        with self._database.transaction() as connection:
            if connection.execute(update(table).where(*seen).values(_row(case))).rowcount != 1:
                raise Conflict(f"Somebody else has changed the case {case.case_id} meanwhile; look at it again.")
            line = {"program_id": event.program_id, "case_id": event.case_id, "at": event.at, "document": encode(event)}
            connection.execute(case_events.insert().values(line))

    def timeline(self, program_id: str, case_id: str) -> list[CaseEvent]:
        """What was done with a case, oldest first."""
        query = (
            select(case_events.c.document)
            .where(case_events.c.program_id == program_id, case_events.c.case_id == case_id)
            .order_by(case_events.c.position)
        )
        with self._database.reading() as connection:
            return [decode(text, CaseEvent) for text in connection.execute(query).scalars()]


def _row(case: Case) -> dict[str, object]:
    return {
        "program_id": case.program_id,
        "case_id": case.case_id,
        "state": case.state.value,
        "version": case.version,
        "opened_at": case.opened_at,
        "document": encode(case),
    }
