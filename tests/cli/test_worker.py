"""`fraud worker` as a process: it works, ends when told to, and when it is killed another takes up what it had in hand."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from fraud.app.parts import App
from fraud.domain.actors import SYSTEM
from fraud.domain.jobs import Job, JobState
from tests.cli.commands import command, environment, fraud
from tests.conftest import settings_of

WAIT_SECONDS = 60


def started(workspace: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(command("worker", "--workspace", workspace), env=environment(), stderr=subprocess.PIPE, text=True)


def awaited(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(settings_of(tmp_path))


def queued(app: App) -> Job:
    """A scan of a program without events: it fails at once, and says why."""
    return app.stores.jobs.enqueue("default", "scan", {}, SYSTEM, app.clock.now())


def test_it_works_until_it_is_told_to_end(app: App, tmp_path: Path) -> None:
    job = queued(app)
    process = started(tmp_path)
    try:
        awaited(lambda: app.stores.jobs.get("default", job.job_id).state is JobState.FAILED, process)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=WAIT_SECONDS)
    finally:
        process.kill()
    assert (process.returncode, "Working on" in said, "Traceback" in said) == (0, True, False)
    app.close()


def test_a_worker_that_is_killed_lets_go_of_nothing_it_had_not_finished(app: App, tmp_path: Path) -> None:
    """The jobs of a worker that got SIGKILL are all ended by the next one: none lost, none held for ever."""
    jobs = [queued(app) for _ in range(30)]
    process = started(tmp_path)
    try:
        awaited(lambda: any(app.stores.jobs.get("default", job.job_id).state is not JobState.QUEUED for job in jobs), process)
    finally:
        process.kill()
        process.communicate()
    with app.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE jobs SET lease_until = '2020-01-01 00:00:00' WHERE state = 'running'")
    assert fraud("worker", "--once", "--workspace", tmp_path).code == 0
    assert {app.stores.jobs.get("default", job.job_id).state for job in jobs} == {JobState.FAILED}
    app.close()


def test_what_a_killed_worker_had_in_hand_is_taken_up_by_another(app: App, tmp_path: Path) -> None:
    job = queued(app)
    long_ago = app.clock.now() - timedelta(minutes=5)
    assert app.stores.jobs.lease(["scan"], "a-worker-that-was-killed", long_ago, timedelta(minutes=2)) is not None
    assert fraud("worker", "--once", "--workspace", tmp_path).code == 0
    ended = app.stores.jobs.get("default", job.job_id)
    assert (ended.state, ended.attempts) == (JobState.FAILED, 2)
    app.close()
