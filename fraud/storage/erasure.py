"""Persons in the database: the decisions that name one, and what becomes of them and of an applicant when they are erased."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select, update

from fraud.domain.decisions import Decision, DecisionKind
from fraud.domain.dossiers import Dossier
from fraud.domain.programs import Application
from fraud.storage.applicants import keep_applicant
from fraud.storage.database import Database
from fraud.storage.documents import decode, digest, encode, encode_value
from fraud.storage.tables import applications, decisions, deliveries, dossiers, outbox


class SqlErasure:
    """Finds and erases a person in a database. Besides an applicant's own, only documents that name the person are touched."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decisions_naming(self, program_id: str, value: str) -> list[Decision]:
        """The decisions whose documents hold the value as a whole text, or in a text."""
        query = select(decisions.c.document).where(
            decisions.c.program_id == program_id, decisions.c.document.contains(_inside(value), autoescape=True)
        )
        return self._read(query)

    def decisions_on(self, program_id: str, kind: DecisionKind, subject_id: str) -> list[Decision]:
        """Every decision of a kind on one subject."""
        mine = (decisions.c.program_id == program_id, decisions.c.kind == kind.value, decisions.c.subject_key == digest(subject_id))
        return self._read(select(decisions.c.document).where(*mine))

    def decisions_before(self, program_id: str, kinds: Sequence[DecisionKind], before: datetime, most: int) -> list[Decision]:
        """At most so many decisions of these kinds made before a moment that still have inputs, oldest first."""
        mine = (decisions.c.program_id == program_id, decisions.c.kind.in_([kind.value for kind in kinds]), decisions.c.decided_at < before)
        kept = ~decisions.c.document.contains('"inputs":{"erased":', autoescape=True)
        return self._read(select(decisions.c.document).where(*mine, kept).order_by(decisions.c.position).limit(most))

    def is_evidence(self, sha256: str) -> bool:
        """Whether a decision of any program still rests on these bytes."""
        query = select(decisions.c.position).where(decisions.c.document.contains(sha256, autoescape=True)).limit(1)
        with self._database.reading() as connection:
            return connection.execute(query).scalar() is not None

    def rewrite(self, changed: Sequence[Decision]) -> None:
        """Puts erased decisions in the place of the whole ones."""
        with self._database.transaction() as connection:
            for decision in changed:
                mine = (decisions.c.decision_id == decision.decision_id, decisions.c.program_id == decision.program_id)
                connection.execute(update(decisions).where(*mine).values(document=encode(decision)))

    def dossiers(self, program_id: str, application_id: str) -> list[Dossier]:
        """Every dossier of an applicant, oldest first."""
        mine = (dossiers.c.program_id == program_id, dossiers.c.application_id == application_id)
        with self._database.reading() as connection:
            texts = connection.execute(select(dossiers.c.document).where(*mine).order_by(dossiers.c.position)).scalars().all()
        return [decode(text, Dossier) for text in texts]

    def forget_applicant(self, bare: Application, how: Callable[[Dossier], Dossier]) -> None:
        """Replaces an application by a bare one, and each of its dossiers by what `how` makes of it, all at once."""
        mine = (dossiers.c.program_id == bare.program_id, dossiers.c.application_id == bare.application_id)
        named = (applications.c.program_id == bare.program_id, applications.c.application_id == bare.application_id)
        with self._database.transaction() as connection:
            for position, text in connection.execute(select(dossiers.c.position, dossiers.c.document).where(*mine)).all():
                changed = encode(how(decode(text, Dossier)))
                connection.execute(update(dossiers).where(dossiers.c.position == position).values(document=changed))
            connection.execute(update(applications).where(*named).values(document=encode(bare)))
            keep_applicant(connection, bare)

    def forget_events(self, program_id: str, values: Sequence[str]) -> int:
        """Removes what was told to others, or is still to be told, where it names the person; how many events."""
        naming = or_(*(outbox.c.document.contains(_inside(value), autoescape=True) for value in values))
        with self._database.transaction() as connection:
            wanted = select(outbox.c.event_id).where(outbox.c.program_id == program_id, naming)
            ids = connection.execute(wanted).scalars().all()
            connection.execute(delete(deliveries).where(deliveries.c.event_id.in_(ids)))
            connection.execute(delete(outbox).where(outbox.c.event_id.in_(ids)))
        return len(ids)

    def applications_before(self, program_id: str, before: datetime) -> list[Application]:
        """The applications made before a moment that still say who applied."""
        query = select(applications.c.document).where(applications.c.program_id == program_id)
        with self._database.reading() as connection:
            kept = [decode(text, Application) for text in connection.execute(query).scalars()]
        return [one for one in kept if one.applied_at is not None and one.applied_at < before and one != bare_application(one)]

    def _read(self, query: object) -> list[Decision]:
        with self._database.reading() as connection:
            return [decode(text, Decision) for text in connection.execute(query).scalars()]  # type: ignore[call-overload]  # a select of texts


def bare_application(application: Application) -> Application:
    """What is left of an application when its applicant is erased: that there was one, and when."""
    return Application(application_id=application.application_id, program_id=application.program_id, applied_at=application.applied_at)


def _inside(value: str) -> str:
    """The value as it stands in a JSON text."""
    return encode_value(value)[1:-1]
