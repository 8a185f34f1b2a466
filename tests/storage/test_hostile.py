"""Names and texts from outside: kept exactly, or refused in the same words on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from fraud.domain.actors import SYSTEM, Role
from fraud.errors import InputError
from fraud.storage.actors import SqlActors
from fraud.storage.alerts import SqlAlerts
from fraud.storage.applications import SqlApplications
from fraud.storage.audit import SqlAudit
from fraud.storage.columns import MAX_NAME_BYTES, legible
from fraud.storage.database import Database
from fraud.storage.decisions import SqlDecisions
from fraud.storage.jobs import SqlJobs
from fraud.storage.programs import SqlPrograms
from fraud.storage.scans import SqlScans
from tests.storage.samples import NOON, alert, application, decision, dossier, profile, scan

ODD = ["'; DROP TABLE decisions; --", "Ω≈ç√ 🦉\u200f", "e\u0301", "é", "line\nbreak\ttab", "%_\\", "\x01\x7f", "x" * MAX_NAME_BYTES]

USES: dict[str, Callable[[Database, str], object]] = {
    "decision id": lambda database, name: SqlDecisions(database).add([decision(name)]),
    "decision subject": lambda database, name: SqlDecisions(database).add([decision(subject_id=name)]),
    "decision program": lambda database, name: SqlDecisions(database).add([decision(program_id=name)]),
    "decision asked for": lambda database, name: SqlDecisions(database).get("shoes", name),
    "decision asked for anywhere": lambda database, name: SqlDecisions(database).find(name),
    "scan": lambda database, name: SqlScans(database).add(scan(name)),
    "scan's program asked for": lambda database, name: SqlScans(database).latest(name),
    "alert": lambda database, name: SqlAlerts(database).record([alert(name)]),
    "application": lambda database, name: SqlApplications(database).save(application(name)),
    "dossier": lambda database, name: SqlApplications(database).add_dossier(dossier(name)),
    "program": lambda database, name: SqlPrograms(database).save(profile(name)),
    "key's name": lambda database, name: SqlActors(database).create_key(name, Role.SCORE, ["*"], NOON),
    "audit subject": lambda database, name: SqlAudit(database).record(SYSTEM, "shoes", "seen", name, NOON, {}),
    "job kind": lambda database, name: SqlJobs(database).enqueue("shoes", name, {}, SYSTEM, NOON),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("name", ["a\x00b", "\x00"])
def test_nul_is_refused_in_one_sentence(database: Database, use: Callable[[Database, str], object], name: str) -> None:
    with pytest.raises(InputError, match="contains a NUL character"):
        use(database, name)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_half_a_surrogate_pair_is_refused_in_one_sentence(database: Database, use: Callable[[Database, str], object]) -> None:
    with pytest.raises(InputError, match="not valid Unicode"):
        use(database, "a\ud800")


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_kept_and_found_exactly(database: Database, name: str) -> None:
    SqlDecisions(database).add([decision(name, program_id=name)])
    SqlPrograms(database).save(profile(name))
    SqlAlerts(database).record([alert(name, program_id=name)])
    assert SqlDecisions(database).get(name, name).decision_id == name
    assert SqlPrograms(database).get(name).program_id == name
    assert SqlAlerts(database).get(name, name).alert_id == name


def test_names_that_only_look_alike_are_different(database: Database) -> None:
    SqlDecisions(database).add([decision(name) for name in ("é", "e\u0301", "É", "e")])
    assert SqlDecisions(database).find("e\u0301").decision_id == "e\u0301"


def test_a_name_too_long_for_an_index_is_refused_in_one_sentence(database: Database) -> None:
    with pytest.raises(InputError, match="longer than 1000 bytes"):
        SqlDecisions(database).add([decision("é" * MAX_NAME_BYTES)])
    with pytest.raises(InputError, match="longer than 1000 bytes"):
        SqlApplications(database).get("shoes", "x" * (MAX_NAME_BYTES + 1))


def test_a_refusal_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(InputError):
        SqlAlerts(database).record([alert("alr_1"), alert("alr_2\x00")])
    assert SqlAlerts(database).open_alerts("shoes") == []


def test_a_jobs_error_may_quote_anything(database: Database) -> None:
    jobs = SqlJobs(database)
    job = jobs.enqueue("shoes", "vet", {}, SYSTEM, NOON)
    jobs.lease(["vet"], "worker-1", NOON, timedelta(minutes=5))
    jobs.fail(job.job_id, "worker-1", "bad byte \x00 and half \ud800 pair", NOON, retry=False)
    assert jobs.get("shoes", job.job_id).error == "bad byte \ufffd and half ? pair"


def test_legible_text_is_left_alone() -> None:
    assert legible("Ω≈ç√ 🦉") == "Ω≈ç√ 🦉"
