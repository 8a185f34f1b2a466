"""Which alerts a list asks for, as conditions on their table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, or_

from fraud.domain.alerts import AlertQuery, AlertScope, AlertState
from fraud.storage.columns import legible
from fraud.storage.facets import alerts_with
from fraud.storage.tables import alerts as table

SEPARATOR = ";"
_SEARCHED = 100
"""Characters: with two names of the largest size, an index entry of them still fits PostgreSQL's limit."""


def told_typologies(codes: Sequence[str]) -> str:
    """Typologies as they stand in their column: each between two separators, so that one is found whole."""
    return f"{SEPARATOR}{SEPARATOR.join(codes)}{SEPARATOR}" if codes else ""


def searchable(subject_id: str) -> str:
    """A subject's name as it is searched: its beginning, in lower case."""
    return subject_id[:_SEARCHED].lower()


def alert_conditions(program_id: str, at: datetime, query: AlertQuery) -> list[ColumnElement[bool]]:
    """The conditions of a query as of a time."""
    return [table.c.program_id == program_id, *_in_scope(query.scope, at), *_about(program_id, query), *_opened(query), *_named(query)]


def _in_scope(scope: AlertScope, at: datetime) -> Iterator[ColumnElement[bool]]:
    asleep = table.c.snoozed_until > at
    is_open = table.c.state == AlertState.OPEN.value
    if scope is AlertScope.WAITING:
        yield from (is_open, table.c.suppressed_by.is_(None), or_(table.c.snoozed_until.is_(None), table.c.snoozed_until <= at))
    elif scope is AlertScope.SNOOZED:
        yield from (is_open, asleep)
    elif scope is AlertScope.SUPPRESSED:
        yield from (is_open, table.c.suppressed_by.is_not(None))
    elif scope is not AlertScope.ALL:
        yield table.c.state == AlertState(scope.value).value


def _about(program_id: str, query: AlertQuery) -> Iterator[ColumnElement[bool]]:
    if query.search:
        yield table.c.subject_name.contains(legible(query.search).lower(), autoescape=True)
    if query.kind is not None:
        yield table.c.subject_kind == query.kind.value
    if query.severity is not None:
        yield table.c.severity == query.severity.value
    if query.typology:
        yield table.c.typologies.contains(told_typologies([legible(query.typology)]), autoescape=True)
    for kind, value in query.facets:
        yield table.c.alert_id.in_(alerts_with(program_id, kind, value))


def _opened(query: AlertQuery) -> Iterator[ColumnElement[bool]]:
    if query.opened_from is not None:
        yield table.c.opened_at >= query.opened_from
    if query.opened_before is not None:
        yield table.c.opened_at < query.opened_before


def _named(query: AlertQuery) -> Iterator[ColumnElement[bool]]:
    if query.among is not None:
        yield table.c.alert_id.in_(query.among)
    if query.without:
        yield table.c.alert_id.not_in(query.without)
