"""Privacy, wired: what is kept about a person handed out or erased, and each class of data kept no longer than it may be."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from fraud.app.keeping import journal_of
from fraud.app.memory import prints_of
from fraud.app.parts import App
from fraud.decisions.erasing import bare_signal, erased, is_erased
from fraud.domain.actors import SYSTEM, Actor
from fraud.domain.clock import isoformat
from fraud.domain.decisions import Decision, DecisionKind
from fraud.domain.dossiers import Dossier
from fraud.domain.events import Click, Conversion
from fraud.domain.hashing import keyed_hash
from fraud.domain.privacy import FOLLOWING, FOUND_BY, HASHED, Erasure, PersonalData, PersonKind
from fraud.errors import InputError
from fraud.events.personal import hashed
from fraud.storage.erasure import SqlErasure, bare_application
from fraud.storage.journal import every_segment, read_records
from fraud.workflows.carrying import events_of

_EVERYTHING = 1 << 62
"""Records of a segment that are read at once: a segment is bounded."""

_AT_ONCE = 500
"""Decisions whose inputs are erased in one transaction."""
_PERSONAL_KINDS = (DecisionKind.VET, DecisionKind.SCORE, DecisionKind.CONVERSION)
"""The decisions whose inputs are about one person: applicants, and those who clicked or bought."""


def export_person(app: App, program_id: str, who: tuple[PersonKind, str], actor: Actor) -> PersonalData:
    """Everything that is kept about a person; the request stands in the audit log under a keyed hash of the name."""
    kind, value = _named(who)
    stored, subject, store = _stored(app, kind, value), _subject(app, kind, value), SqlErasure(app.database)
    application, dossiers = _application(app, program_id, kind, value)
    found = PersonalData(
        kind=kind,
        subject=subject,
        at=app.clock.now(),
        rows=_rows(app, program_id, kind, stored),
        decisions=[msgspec.to_builtins(one) for one in _decisions(store, program_id, kind, stored)],
        application=application,
        dossiers=dossiers,
    )
    app.stores.audit.record(actor, program_id, "privacy.exported", subject, found.at, {"kind": kind.value, **_counted(found)})
    return found


def erase_person(app: App, program_id: str, who: tuple[PersonKind, str], why: tuple[Actor, str]) -> Erasure:
    """Erases a person: rows say no longer who it was, decisions keep their outcome and the SHA-256 of what they were.

    What a tracker sends again afterwards is new data: erase it there first. `InputError` without a reason.
    """
    actor, reason = why
    if not reason.strip():
        raise InputError("Say why with --reason, such as the number of the request; it stands in the record.")
    kind, value = _named(who)
    stored, now, store = _stored(app, kind, value), app.clock.now(), SqlErasure(app.database)
    if kind is PersonKind.APPLICANT:
        app.stores.applications.get(program_id, value)
    on_their_way = _on_their_way(app, program_id, kind, stored)  # before the rows: what arrives meanwhile may be missed
    rows = _erase_rows(app, program_id, kind, stored)
    whole = [one for one in _decisions(store, program_id, kind, stored) if not is_erased(one)]
    changed = [erased(one, [stored], now) for one in whole]
    store.rewrite(changed)
    _forget_evidence(app, whole)
    names = [stored, value, *(one.decision_id for one in whole)]
    done = Erasure(
        kind=kind,
        subject=_subject(app, kind, value),
        at=now,
        rows=rows,
        quarantined=app.lake.forget_quarantined(program_id, value, now),
        proofs={one.decision_id: one.inputs["erased"]["document_sha256"] for one in changed},
        applications=_forget_applicant(app, program_id, value) if kind is PersonKind.APPLICANT else 0,
        events=store.forget_events(program_id, names),
        on_their_way=on_their_way,
    )
    # The graph's counted days name devices and addresses; they are made again from the lake when they are asked for.
    shutil.rmtree(link_days_of(app, program_id), ignore_errors=True)
    detail = {"kind": kind.value, "reason": reason.strip(), "rows": rows, "proofs": done.proofs}
    app.stores.audit.record(actor, program_id, "privacy.erased", done.subject, now, detail)
    return done


def keep_no_longer(app: App, program_id: str) -> dict[str, int]:
    """What the settings let be kept no longer: inputs of decisions about persons, and applications; how many of each were erased."""
    settings, now, done = app.settings, app.clock.now(), {"decisions": 0, "applications": 0}
    store = SqlErasure(app.database)
    if settings.retention_decisions_days:
        before = now - timedelta(days=settings.retention_decisions_days)
        while old := store.decisions_before(program_id, _PERSONAL_KINDS, before, _AT_ONCE):
            store.rewrite([erased(one, [], now) for one in old])
            _forget_evidence(app, old)
            done["decisions"] += len(old)
    if settings.retention_applications_days:
        for one in store.applications_before(program_id, now - timedelta(days=settings.retention_applications_days)):
            made = [made for made in store.decisions_on(program_id, DecisionKind.VET, one.application_id) if not is_erased(made)]
            store.rewrite([erased(decision, [], now) for decision in made])
            _forget_evidence(app, made)
            done["applications"] += _forget_applicant(app, program_id, one.application_id)
    if any(done.values()):
        app.stores.audit.record(SYSTEM, program_id, "privacy.retention", program_id, now, done)
    return done


def link_days_of(app: App, program_id: str) -> Path:
    """Where the graph's counted days of a program stand."""
    return app.workspace.root / "links" / quote(program_id, safe="")


def _named(who: tuple[PersonKind, str]) -> tuple[PersonKind, str]:
    kind, value = who[0], who[1].strip()
    if len(value) < 3:
        raise InputError(f"{value!r} is too short to name one person; give the whole {kind.value.replace('_', ' ')}.")
    return kind, value


def _stored(app: App, kind: PersonKind, value: str) -> str:
    """The value as the stores hold it."""
    return hashed(app.pepper, kind.value, value).hash if kind in HASHED else value


def _subject(app: App, kind: PersonKind, value: str) -> str:
    """The person's name in the audit log: nobody reads from it who it was, and who asks again finds it."""
    return keyed_hash(app.pepper, f"audit {kind.value}", value.lower())[:24]


def _rows(app: App, program_id: str, kind: PersonKind, stored: str) -> dict[str, list[dict[str, Any]]]:
    """The rows about a person, and those that belong to them."""
    rows = {table: app.lake.rows_about(program_id, table, columns, stored) for table, columns in FOUND_BY[kind].items()}
    for table, (column, other) in FOLLOWING.items():
        if other in rows:
            names = _named_in(app, program_id, table, (column, _names(rows[other], column)))
            rows[table] = [row for name in names for row in app.lake.rows_about(program_id, table, (column,), name)]
    return rows


def _erase_rows(app: App, program_id: str, kind: PersonKind, stored: str) -> dict[str, int]:
    """Erases the rows about a person, and first those that belong to them: afterwards nobody could tell which."""
    now, about, erased_rows = app.clock.now(), _rows(app, program_id, kind, stored), dict[str, int]()
    for table, (column, _) in FOLLOWING.items():
        if table in about:
            erased_rows[table] = sum(app.lake.erase(program_id, table, ((column,), name), now) for name in _names(about[table], column))
    return {
        **erased_rows,
        **{table: app.lake.erase(program_id, table, (columns, stored), now) for table, columns in FOUND_BY[kind].items()},
    }


def _on_their_way(app: App, program_id: str, kind: PersonKind, stored: str) -> int:
    """Events about a person that were answered, and that the journals of running and of killed processes still hold."""
    count = 0
    for segment in every_segment(journal_of(app)):
        with suppress(FileNotFoundError):  # its events have arrived meanwhile
            records, _ = read_records(segment, 0, _EVERYTHING)
            count += sum(_is_about(event, program_id, kind, stored) for record in records for event in events_of(record))
    return count


def _is_about(event: Click | Conversion, program_id: str, kind: PersonKind, stored: str) -> bool:
    table = "clicks" if isinstance(event, Click) else "conversions"
    return event.program_id == program_id and any(getattr(event, column) == stored for column in FOUND_BY[kind].get(table, ()))


def _named_in(app: App, program_id: str, table: str, about: tuple[str, list[str]]) -> list[str]:
    """Those of the names (column, names) that a table has rows of: seldom more than a few."""
    column, names = about
    if not names:
        return []
    query = f"SELECT DISTINCT {column} FROM {table} WHERE list_contains($names, {column}) ORDER BY {column}"  # noqa: S608 - names of our own
    with app.lake.connect(program_id) as events:
        return [str(row[0]) for row in events.execute(query, {"names": names}).fetchall()]


def _names(rows: Sequence[dict[str, Any]], column: str) -> list[str]:
    return sorted({str(row[column]) for row in rows})


def _decisions(store: SqlErasure, program_id: str, kind: PersonKind, stored: str) -> list[Decision]:
    if kind is PersonKind.APPLICANT:
        return store.decisions_on(program_id, DecisionKind.VET, stored)
    return store.decisions_naming(program_id, stored)


def _application(app: App, program_id: str, kind: PersonKind, value: str) -> tuple[object, list[object]]:
    if kind is not PersonKind.APPLICANT:
        return None, []
    application = app.stores.applications.get(program_id, value)
    return msgspec.to_builtins(application), [msgspec.to_builtins(one) for one in SqlErasure(app.database).dossiers(program_id, value)]


def _forget_applicant(app: App, program_id: str, application_id: str) -> int:
    application, at = app.stores.applications.get(program_id, application_id), isoformat(app.clock.now())

    def without_person(dossier: Dossier) -> Dossier:
        return msgspec.structs.replace(dossier, signals=tuple(bare_signal(one) for one in dossier.signals), facts={"erased": {"at": at}})

    SqlErasure(app.database).forget_applicant(bare_application(application), without_person)
    prints_of(app).forget(program_id, application_id)
    return 1


def _forget_evidence(app: App, decisions: Sequence[Decision]) -> None:
    """Removes the pages that were kept for decisions that are erased now, but for those that another decision rests on too."""
    store = SqlErasure(app.database)
    for name in {name for decision in decisions for name in decision.evidence_manifest}:
        if not store.is_evidence(name):
            app.evidence.remove(name)


def _counted(found: PersonalData) -> dict[str, int]:
    return {**{table: len(rows) for table, rows in found.rows.items()}, "decisions": len(found.decisions)}


def programs_of(app: App) -> list[str]:
    """Every program with anything in it."""
    known = {profile.program_id for profile in app.stores.programs.all()} | set(app.lake.programs())
    return sorted(known)
