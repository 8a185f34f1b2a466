"""Applicants in lines: one row for each, kept beside applications and dossiers, so that queues are read without documents."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, exists, func, not_, select

from fraud.domain.decisions import Outcome, SubjectKind
from fraud.domain.dossiers import ApplicantLine, ApplicantQuery, ApplicantState, Dossier
from fraud.domain.programs import Application, applicant_name
from fraud.storage.columns import legible
from fraud.storage.documents import digest, page_size, upsert
from fraud.storage.tables import application_lines as table
from fraud.storage.tables import reviews

_LONGEST_NAME = 300
_LINE = tuple(table.c[name] for name in ApplicantLine.__struct_fields__)


def keep_applicant(connection: Connection, application: Application) -> None:
    """The line of an application, new or changed; what its dossier says stays."""
    name = legible(applicant_name(application))[:_LONGEST_NAME]
    row = {**_key(application.program_id, application.application_id), "name": name, "applied_at": application.applied_at}
    upsert(connection, table, row)


def keep_dossier(connection: Connection, dossier: Dossier) -> None:
    """Writes a dossier into its applicant's line, unless a newer one stands there."""
    mine = (table.c.program_id == dossier.program_id, table.c.application_id == dossier.application_id)
    standing = connection.execute(select(table.c.as_of, table.c.name).where(*mine)).one_or_none()
    if standing is not None and standing.as_of is not None and standing.as_of > dossier.as_of:
        return
    row = {
        **_key(dossier.program_id, dossier.application_id),
        "name": standing.name if standing is not None else legible(dossier.application_id)[:_LONGEST_NAME],
        "decision_id": dossier.decision_id,
        "as_of": dossier.as_of,
        "outcome": dossier.outcome.value,
        "score": dossier.score,
        "coverage": dossier.coverage,
        "findings": sum(signal.found for signal in dossier.signals),
    }
    upsert(connection, table, row)


def read_applicants(connection: Connection, program_id: str, query: ApplicantQuery) -> tuple[list[ApplicantLine], int]:
    """A page of the applicants that were asked for, and how many the whole list has."""
    mine = [table.c.program_id == program_id, *_matching(query)]
    risky = (table.c.score.desc(), table.c.application_id)
    newest = (table.c.as_of.desc().nulls_first(), table.c.application_id)
    order = risky if query.state is ApplicantState.WAITING else newest
    page = select(*_LINE).where(*mine).order_by(*order).limit(page_size(query.limit)).offset(query.offset)
    counted = select(func.count()).select_from(table).where(*mine)
    lines = [_line(row) for row in connection.execute(page).mappings()]
    return lines, int(connection.execute(counted).scalar_one())


def _key(program_id: str, application_id: str) -> dict[str, str]:
    return {"program_id": program_id, "application_id": application_id, "application_key": digest(application_id)}


def _matching(query: ApplicantQuery) -> list[ColumnElement[bool]]:
    wanted = [*_STATES[query.state]]
    if query.named:
        wanted.append(table.c.application_id.in_(query.named))
    if query.outcome is not None:
        wanted.append(table.c.outcome == query.outcome.value)
    if query.search:
        named = table.c.name.icontains(query.search, autoescape=True)
        wanted.append(named | table.c.application_id.icontains(query.search, autoescape=True))
    return wanted


def _decided() -> ColumnElement[bool]:
    of_it = and_(
        reviews.c.program_id == table.c.program_id,
        reviews.c.subject_kind == SubjectKind.APPLICATION.value,
        reviews.c.subject_key == table.c.application_key,
    )
    return exists(select(1).select_from(reviews).where(of_it).correlate(table))


_STATES: dict[ApplicantState, tuple[ColumnElement[bool], ...]] = {
    ApplicantState.WAITING: (table.c.outcome != Outcome.APPROVE.value, not_(_decided())),
    ApplicantState.CHECKING: (table.c.outcome.is_(None), not_(_decided())),
    ApplicantState.APPROVED: (table.c.outcome == Outcome.APPROVE.value, not_(_decided())),
    ApplicantState.DECIDED: (_decided(),),
    ApplicantState.ALL: (),
}


def _line(row: RowMapping) -> ApplicantLine:
    values: dict[str, Any] = dict(row)
    return ApplicantLine(**values | {"outcome": Outcome(values["outcome"]) if values["outcome"] else None})
