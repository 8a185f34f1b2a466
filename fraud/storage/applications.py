"""Applications and their dossiers in SQL."""

from __future__ import annotations

from typing import Any, TypeVarTuple

from sqlalchemy import Select, Subquery, func, select

from fraud.domain.dossiers import ApplicantLine, ApplicantQuery, Dossier
from fraud.domain.programs import Application
from fraud.errors import InputError, NotFound
from fraud.storage.applicants import keep_applicant, keep_dossier, read_applicants
from fraud.storage.database import Database
from fraud.storage.documents import decode, encode, insert_new, page_size, upsert
from fraud.storage.tables import applications, dossiers

_Row = TypeVarTuple("_Row")


class SqlApplications:
    """The `ApplicationStore` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, application: Application) -> None:
        """Keeps an application, or the changed one under the same id; one without an id is an `InputError`."""
        with self._database.transaction() as connection:
            upsert(connection, applications, _row(application))
            keep_applicant(connection, application)

    def add(self, application: Application) -> Application:
        """Keeps a new application; the one that is kept under the id, which is another when there was one already."""
        with self._database.transaction() as connection:
            if insert_new(connection, applications, _row(application)):
                keep_applicant(connection, application)
                return application
        return self.get(application.program_id, application.application_id)

    def get(self, program_id: str, application_id: str) -> Application:
        """One application, or `NotFound`."""
        table = applications.c
        query = select(table.document).where(table.program_id == program_id, table.application_id == application_id)
        with self._database.reading() as connection:
            text = connection.execute(query).scalar()
        if text is None:
            raise NotFound(f"There is no application {application_id!r} in this program.")
        return decode(text, Application)

    def add_dossier(self, dossier: Dossier) -> None:
        """Keeps a dossier; earlier ones of the same application stay."""
        row = {
            "program_id": dossier.program_id,
            "application_id": dossier.application_id,
            "decision_id": dossier.decision_id,
            "as_of": dossier.as_of,
            "outcome": dossier.outcome.value,
            "score": dossier.score,
            "document": encode(dossier),
        }
        with self._database.transaction() as connection:
            connection.execute(dossiers.insert().values(row))
            keep_dossier(connection, dossier)

    def dossier(self, program_id: str, application_id: str) -> Dossier:
        """The newest dossier of an application, by `as_of` and then by arrival; or `NotFound`."""
        table = dossiers.c
        query = (
            select(table.document)
            .where(table.program_id == program_id, table.application_id == application_id)
            .order_by(table.as_of.desc(), table.position.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            text = connection.execute(query).scalar()
        if text is None:
            raise NotFound(f"There is no dossier of application {application_id!r} in this program.")
        return decode(text, Dossier)

    def dossiers(self, program_id: str, limit: int) -> list[Dossier]:
        """The newest dossier of each application, newest first."""
        table, newest = dossiers.c, _newest(program_id)
        query = select(table.document).join(newest, newest.c.position == table.position).where(newest.c.age == 1)
        with self._database.reading() as connection:
            texts = connection.execute(_newest_first(query, limit)).scalars().all()
        return [decode(text, Dossier) for text in texts]

    def vetted(self, program_id: str, limit: int) -> list[tuple[Application, str]]:
        """The applications that have a dossier, with the newest one's outcome, newest first."""
        table, newest, known = dossiers.c, _newest(program_id), applications.c
        same = (known.application_id == table.application_id) & (known.program_id == table.program_id)
        query = select(known.document, table.outcome).join(newest, newest.c.position == table.position).join(applications, same)
        with self._database.reading() as connection:
            rows = connection.execute(_newest_first(query.where(newest.c.age == 1), limit)).all()
        return [(decode(text, Application), outcome) for text, outcome in rows]

    def page(self, program_id: str, query: ApplicantQuery) -> tuple[list[ApplicantLine], int]:
        """A page of the applicants that were asked for, in lines, and how many the whole list has."""
        with self._database.reading() as connection:
            return read_applicants(connection, program_id, query)


def _newest(program_id: str) -> Subquery:
    """The dossiers of a program by position and `age`: 1 is an application's newest."""
    table = dossiers.c
    age = func.row_number().over(partition_by=table.application_id, order_by=(table.as_of.desc(), table.position.desc()))
    return select(table.position, age.label("age")).where(table.program_id == program_id).subquery()


def _newest_first(query: Select[*_Row], limit: int) -> Select[*_Row]:
    return query.order_by(dossiers.c.as_of.desc(), dossiers.c.position.desc()).limit(page_size(limit))


def _row(application: Application) -> dict[str, Any]:
    if not application.application_id:
        raise InputError("An application needs an application_id before it can be kept; give it one.")
    return {
        "program_id": application.program_id,
        "application_id": application.application_id,
        "applied_at": application.applied_at,
        "document": encode(application),
    }
