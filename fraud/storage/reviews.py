"""Reviews in SQL: rows are only ever added."""

from __future__ import annotations

from sqlalchemy import select

from fraud.domain.decisions import SubjectKind
from fraud.domain.reviews import Review
from fraud.errors import Conflict
from fraud.storage.database import Database
from fraud.storage.documents import decode, digest, encode, insert_new, page_size
from fraud.storage.tables import reviews as table


class SqlReviews:
    """The `ReviewStore` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, review: Review) -> Review:
        """Keeps a review; the one that is kept under its id already, if it says the same, else a `Conflict`."""
        row = {
            "program_id": review.program_id,
            "review_id": review.review_id,
            "subject_kind": review.subject_kind.value,
            "subject_key": digest(review.subject_id),
            "disposition": review.disposition.value,
            "reviewed_at": review.reviewed_at,
            "document": encode(review),
        }
        with self._database.transaction() as connection:
            if insert_new(connection, table, row):
                return review
            kept = (table.c.program_id == review.program_id, table.c.review_id == review.review_id)
            known = decode(connection.execute(select(table.c.document).where(*kept)).scalar_one(), Review)
        if _words(known) != _words(review):
            raise Conflict("Another review is kept under this Idempotency-Key; use a new key for a new review.")
        return known

    def of_subject(self, program_id: str, kind: SubjectKind, subject_id: str) -> list[Review]:
        """Every review of a subject, newest first."""
        query = (
            select(table.c.document)
            .where(table.c.program_id == program_id, table.c.subject_kind == kind.value, table.c.subject_key == digest(subject_id))
            .order_by(table.c.reviewed_at.desc(), table.c.review_id.desc())
        )
        with self._database.reading() as connection:
            return [decode(text, Review) for text in connection.execute(query).scalars()]

    def recent(self, program_id: str, limit: int) -> list[Review]:
        """The newest reviews of a program, newest first."""
        query = (
            select(table.c.document)
            .where(table.c.program_id == program_id)
            .order_by(table.c.reviewed_at.desc(), table.c.review_id.desc())
            .limit(page_size(limit))
        )
        with self._database.reading() as connection:
            return [decode(text, Review) for text in connection.execute(query).scalars()]


def _words(review: Review) -> tuple[object, ...]:
    return review.subject_kind, review.subject_id, review.source, review.disposition, review.reason, review.alert_id, review.decision_id
