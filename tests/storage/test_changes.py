"""A lookout finds all work there is, whoever brings it, and asks for none while nothing has changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from fraud.domain.actors import SYSTEM
from fraud.domain.jobs import JobState
from fraud.errors import StorageError
from fraud.sinks.webhook import Webhook
from fraud.storage.changes import Lookout
from fraud.storage.database import Database, open_database
from fraud.storage.jobs import SqlJobs, jobs_due
from fraud.storage.outbox import SqlOutbox, deliveries_due
from tests.sinks.test_sinks import event
from tests.storage.processes import LEASE
from tests.storage.samples import NOON, later

HOOK = Webhook(name="hook", url="http://x", secrets=("s",))


class Counted:
    """When the next scan is due, and how often that was asked."""

    def __init__(self) -> None:
        self._due, self.times = jobs_due(["scan"]), 0

    def __call__(self, connection: Connection, at: datetime) -> datetime | None:
        self.times += 1
        return self._due(connection, at)


@pytest.fixture
def jobs(database: Database) -> SqlJobs:
    return SqlJobs(database)


@pytest.fixture
def lookout(database: Database) -> Iterator[Lookout]:
    made = Lookout(database, jobs_due(["scan"]))
    yield made
    made.close()


def queue(jobs: SqlJobs, kind: str = "scan") -> str:
    return jobs.enqueue("shoes", kind, {}, SYSTEM, NOON).job_id


def test_a_job_is_seen_from_its_queueing_until_it_is_taken(lookout: Lookout, jobs: SqlJobs) -> None:
    assert not lookout.sees(NOON)
    queue(jobs)
    assert lookout.sees(NOON)
    assert lookout.sees(NOON), "whoever saw it may not have taken it"
    jobs.lease(["scan"], "worker-1", NOON, LEASE)
    assert not lookout.sees(NOON)


def test_a_job_of_another_kind_is_nobodys(lookout: Lookout, jobs: SqlJobs) -> None:
    queue(jobs, "vet")
    assert not lookout.sees(NOON)


def test_a_lost_job_is_seen_when_its_lease_has_passed_and_not_before(lookout: Lookout, jobs: SqlJobs) -> None:
    job_id = queue(jobs)
    jobs.lease(["scan"], "worker-1", NOON, LEASE)
    assert not lookout.sees(NOON + LEASE - timedelta(microseconds=1))
    assert lookout.sees(NOON + LEASE)
    jobs.extend(job_id, "worker-1", NOON + 3 * LEASE)
    assert not lookout.sees(NOON + LEASE)


def test_a_delivery_that_is_tried_later_is_seen_then(database: Database) -> None:
    outbox = SqlOutbox(database)
    lookout = Lookout(database, deliveries_due(["hook"]))
    assert not lookout.sees(later(10))
    outbox.publish([event(1), event(2)], [HOOK])
    assert lookout.sees(later(10))
    (taken,) = outbox.lease(["hook"], later(10), LEASE, 10)
    assert not lookout.sees(later(10)), "the second event waits for the first"
    assert lookout.sees(later(10) + LEASE)
    outbox.settle(msgspec.structs.replace(taken, due_at=later(20)), later(10))
    assert not lookout.sees(later(20) - timedelta(microseconds=1))
    assert lookout.sees(later(20))
    lookout.close()
    for others in (["other"], []):
        lookout = Lookout(database, deliveries_due(others))
        assert not lookout.sees(later(20))
        lookout.close()


@given(st.lists(st.sampled_from(["queue", "other", "finish", "wait", "rest"]), max_size=25))
def test_what_it_sees_is_what_can_be_taken(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path, steps: list[str]) -> None:
    """Whatever happens in whatever order, it sees work exactly where a lease would get some."""
    copy = tmp_path_factory.mktemp("steps") / "fraud.sqlite3"
    copy.write_bytes(migrated_file.read_bytes())
    database = open_database(f"sqlite:///{copy}")
    jobs, now = SqlJobs(database), NOON
    held: set[str] = set()
    lookout = Lookout(database, jobs_due(["scan"]))
    for step in steps:
        if step in {"queue", "other"}:
            queue(jobs, "scan" if step == "queue" else "vet")
        elif step == "finish" and held:
            jobs.finish(held.pop(), "worker", {}, now)
        elif step == "wait":
            now += LEASE / 2
        given_up, seen = jobs.counts()[JobState.FAILED], lookout.sees(now)
        taken = jobs.lease(["scan"], "worker", now, LEASE) if step != "rest" else None
        if taken is not None:
            held.add(taken.job_id)
        failed = jobs.counts()[JobState.FAILED] > given_up
        held = {job_id for job_id in held if jobs.get("shoes", job_id).state is JobState.RUNNING}
        assert seen == (taken is not None or failed) or step == "rest"
    lookout.close()
    database.close()


def test_while_nothing_changes_nothing_is_asked(tmp_path: Path, migrated_file: Path) -> None:
    (tmp_path / "fraud.sqlite3").write_bytes(migrated_file.read_bytes())
    database = open_database(f"sqlite:///{tmp_path / 'fraud.sqlite3'}")
    jobs = SqlJobs(database)
    due = Counted()
    lookout = Lookout(database, due)
    assert [lookout.sees(later(minute)) for minute in range(50)] == [False] * 50
    assert due.times == 1
    jobs.enqueue("shoes", "vet", {}, SYSTEM, NOON)
    assert [lookout.sees(later(minute)) for minute in range(50)] == [False] * 50
    assert due.times == 2
    lookout.close()
    database.close()


def test_a_database_that_fails_says_so_and_is_looked_at_again(lookout: Lookout, database: Database, jobs: SqlJobs) -> None:
    if database.engine.dialect.name != "sqlite":
        pytest.skip("one query, as every other")
    file = Path(database.engine.url.database or "")
    assert not lookout.sees(NOON)
    lookout.close()
    away = file.rename(file.with_suffix(".away"))
    file.mkdir()
    with pytest.raises(StorageError, match="fraud doctor"):
        lookout.sees(NOON)
    file.rmdir()
    away.rename(file)
    queue(jobs)
    assert lookout.sees(NOON)
