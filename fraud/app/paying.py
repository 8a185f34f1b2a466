"""The payment run, wired: conversions from the lake, what was decided and found of them from the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from fraud.app.parts import App
from fraud.app.recorded import conversion_of_row
from fraud.cases.paying import Records, line_of, totals_of
from fraud.checks.standing import ENDED
from fraud.domain.clock import as_utc
from fraud.domain.decisions import Decision, DecisionKind, SubjectKind
from fraud.domain.events import Conversion
from fraud.domain.payments import PaymentRun
from fraud.domain.reviews import Review
from fraud.domain.scans import Period
from fraud.errors import InputError

LOOK_BACK = timedelta(days=90)
"""How long before a period its conversions may have been decided: longer than any attribution window."""


def payment_run(app: App, program_id: str, period: Period) -> PaymentRun:
    """The run of a period `[start, end)` by event time, as of now. `InputError` when nothing happened in it."""
    records = _records(app, program_id, period)
    lines = tuple(line_of(conversion, records, ENDED) for conversion in _conversions(app, program_id, period))
    if not lines:
        raise InputError(
            f"There is no conversion between {period.start:%Y-%m-%d} and {period.end:%Y-%m-%d} in the program {program_id!r}; "
            "ingest them first, or name another period."
        )
    return PaymentRun(program_id=program_id, period=period, made_at=app.clock.now(), lines=lines, totals=totals_of(lines))


def _conversions(app: App, program_id: str, period: Period) -> Iterator[Conversion]:
    columns = ", ".join(name for name in Conversion.__struct_fields__ if name != "program_id")
    query = (
        f"select {columns} from conversions where converted_at >= $start and converted_at < $end "  # noqa: S608 - names of our own columns
        "order by converted_at, conversion_id"
    )
    bounds = {"start": _naive(period.start), "end": _naive(period.end)}
    with app.lake.connect(program_id) as events:
        for batch in events.sql(query, params=bounds).to_arrow_reader(10_000):
            yield from (conversion_of_row(row, program_id) for row in batch.to_pylist())


def _records(app: App, program_id: str, period: Period) -> Records:
    newest = app.stores.scans.latest(program_id)
    reviews = app.stores.reviews.recent(program_id, 2**31)
    return Records(
        statuses=_statuses(app, program_id),
        scanned={subject.affiliate_id: subject for subject in newest.affiliates} if newest else {},
        decided=_decided(app, program_id, as_utc(period.start) - LOOK_BACK),
        reviews=_newest(reviews, SubjectKind.CONVERSION),
        found=_newest(reviews, SubjectKind.AFFILIATE),
    )


def _statuses(app: App, program_id: str) -> dict[str, str]:
    with app.lake.connect(program_id) as events:
        return dict(events.sql("select affiliate_id, status from affiliates where status is not null").fetchall())


def _decided(app: App, program_id: str, since: datetime) -> dict[str, Decision]:
    """The newest decision on each conversion; without its inputs, which a run does not need."""
    made = app.stores.decisions.decided(program_id, DecisionKind.CONVERSION, since)
    return {decision.subject_id: msgspec.structs.replace(decision, inputs={}, signals=()) for decision in made}


def _newest(reviews: list[Review], kind: SubjectKind) -> dict[str, Review]:
    return {review.subject_id: review for review in reversed(reviews) if review.subject_kind is kind}


def _naive(moment: datetime) -> datetime:
    return as_utc(moment).replace(tzinfo=None)
