"""What tests run in processes of their own, and how they start them together."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from fraud.domain.actors import Role
from fraud.storage.actors import SqlActors
from fraud.storage.alerts import SqlAlerts
from fraud.storage.database import open_database
from fraud.storage.jobs import SqlJobs
from fraud.storage.programs import SqlPrograms
from fraud.storage.workspace import Workspace
from tests.storage.samples import NOON, alert, profile

_SPAWN = multiprocessing.get_context("spawn")
_PATIENCE = 120
LEASE = timedelta(minutes=5)

Work = Callable[[str, int], Any]


def together(work: Work, target: str, count: int) -> list[Any]:
    """Runs `work(target, number)` in `count` processes that begin at the same moment; returns what each returned."""
    barrier = _SPAWN.Barrier(count)
    answers: SimpleQueue[Any] = _SPAWN.SimpleQueue()
    processes = [_SPAWN.Process(target=_run, args=(work, target, number, barrier, answers)) for number in range(count)]
    for process in processes:
        process.start()
    results = []
    for process in processes:
        process.join(_PATIENCE)
        assert process.exitcode == 0, f"a process ended with {process.exitcode}"
        results.append(answers.get())
    return results


def killed(work: Work, target: str) -> None:
    """Runs `work(target, 0)`, which is expected to end its process without a farewell."""
    process = _SPAWN.Process(target=work, args=(target, 0))
    process.start()
    process.join(_PATIENCE)
    assert process.exitcode == 9


def _run(work: Work, target: str, number: int, barrier: Barrier, answers: SimpleQueue[Any]) -> None:
    barrier.wait(_PATIENCE)
    answers.put(work(target, number))


def migrate_and_use(url: str, number: int) -> list[str]:
    """Opens a database that may have no tables yet, and writes to it."""
    database = open_database(url)
    SqlPrograms(database).save(profile(f"program-{number}"))
    names = [one.program_id for one in SqlPrograms(database).all()]
    database.close()
    return names


def work_off(url: str, number: int) -> list[str]:
    """Leases and finishes jobs until there are none; returns their ids."""
    database = open_database(url)
    jobs, worker, done = SqlJobs(database), f"worker-{number}", []
    while job := jobs.lease(["scan"], worker, NOON, LEASE):
        jobs.finish(job.job_id, worker, {"by": worker}, NOON)
        done.append(job.job_id)
    database.close()
    return done


def see_alert(url: str, number: int) -> None:
    """Records twenty sightings of one alert."""
    database = open_database(url)
    for sighting in range(20):
        SqlAlerts(database).record([alert(decision_id=f"dec_{number}_{sighting}")])
    database.close()


def accept_key(url: str, number: int) -> str:
    """Accepts the same key as everybody else."""
    database = open_database(url)
    actor = SqlActors(database).accept_key("chosen outside", "env", Role.ADMIN, ["*"], NOON)
    database.close()
    return actor.actor_id


def lease_and_die(url: str, number: int) -> None:
    """Takes a job and ends as a killed worker does."""
    SqlJobs(open_database(url)).lease(["scan"], "the one that dies", NOON, LEASE)
    os._exit(9)


def write_and_die(url: str, number: int) -> None:
    """Ends in the middle of a transaction."""
    with open_database(url).transaction() as connection:
        connection.exec_driver_sql("INSERT INTO programs (program_id, document) VALUES ('half', '{}')")
        os._exit(9)


def open_workspace(path: str, number: int) -> tuple[bytes, bytes]:
    """Opens a workspace and reads its secrets."""
    workspace = Workspace.open(Path(path))
    return workspace.secret_key(), workspace.pepper()
