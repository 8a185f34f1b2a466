"""Every job is done, by one worker at a time, whoever dies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from fraud.domain.actors import SYSTEM
from fraud.domain.jobs import Job, JobState
from fraud.errors import Conflict, NotFound
from fraud.storage.database import Database
from fraud.storage.jobs import MOST_ATTEMPTS, SqlJobs
from tests.storage.processes import LEASE, killed, lease_and_die, together, work_off
from tests.storage.samples import NOON, later


@pytest.fixture
def jobs(database: Database) -> SqlJobs:
    return SqlJobs(database)


def queued(jobs: SqlJobs, kind: str = "scan", at: datetime = NOON) -> Job:
    """A job that waits."""
    return jobs.enqueue("shoes", kind, {"window": [1, None, "é"]}, SYSTEM, at)


def test_a_job_goes_from_queued_to_running_to_done(jobs: SqlJobs) -> None:
    job = queued(jobs)
    assert jobs.get("shoes", job.job_id) == job
    assert (job.state, job.created_by, job.attempts) == (JobState.QUEUED, "system", 0)

    leased = jobs.lease(["vet", "scan"], "worker-1", later(1), LEASE)
    assert leased == jobs.get("shoes", job.job_id)
    assert leased is not None
    assert (leased.state, leased.worker, leased.attempts) == (JobState.RUNNING, "worker-1", 1)
    assert leased.lease_until == later(1) + LEASE
    assert leased.payload == {"window": [1, None, "é"]}

    jobs.finish(job.job_id, "worker-1", {"scan_id": "scn_1"}, later(2))
    done = jobs.get("shoes", job.job_id)
    assert (done.state, done.result, done.finished_at, done.lease_until) == (JobState.DONE, {"scan_id": "scn_1"}, later(2), None)


def test_what_is_queued_once_is_one_job_however_many_ask_at_the_same_moment(database: Database, jobs: SqlJobs) -> None:
    def ask(number: int) -> Job:
        return SqlJobs(database).enqueue("shoes", "scan", {"asked": number}, SYSTEM, later(number), "request-1")

    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(ask, range(16)))
    assert len({job.job_id for job in given}) == len({str(job.payload) for job in given}) == 1
    others = [jobs.enqueue(*about, {}, SYSTEM, NOON, "request-1") for about in (("shoes", "vet"), ("hats", "scan"))]
    assert len({job.job_id for job in (*others, given[0], queued(jobs), queued(jobs))}) == 5


def test_the_oldest_job_of_the_kinds_asked_for_comes_first(jobs: SqlJobs) -> None:
    newer, older, _ = queued(jobs, at=later(1)), queued(jobs), queued(jobs, kind="vet", at=later(-1))
    leased = [jobs.lease(["scan"], "worker-1", later(2), LEASE) for _ in range(3)]
    assert [job and job.job_id for job in leased] == [older.job_id, newer.job_id, None]
    assert jobs.lease([], "worker-1", later(2), LEASE) is None


def test_a_job_is_taken_over_only_when_its_lease_has_passed(jobs: SqlJobs) -> None:
    job = queued(jobs)
    jobs.lease(["scan"], "worker-1", NOON, LEASE)
    assert jobs.lease(["scan"], "worker-2", NOON + LEASE - timedelta(microseconds=1), LEASE) is None
    taken = jobs.lease(["scan"], "worker-2", NOON + LEASE, LEASE)
    assert taken is not None
    assert (taken.job_id, taken.worker, taken.attempts) == (job.job_id, "worker-2", 2)


def test_an_extended_lease_holds_longer(jobs: SqlJobs) -> None:
    job = queued(jobs)
    jobs.lease(["scan"], "worker-1", NOON, LEASE)
    jobs.extend(job.job_id, "worker-1", later(1))
    assert jobs.lease(["scan"], "worker-2", NOON + LEASE, LEASE) is None
    assert jobs.lease(["scan"], "worker-2", later(1), LEASE) is not None


def test_a_worker_that_lost_its_lease_can_change_nothing(jobs: SqlJobs) -> None:
    job = queued(jobs)
    jobs.lease(["scan"], "worker-1", NOON, LEASE)
    jobs.lease(["scan"], "worker-2", later(1), LEASE)
    before = jobs.get("shoes", job.job_id)
    with pytest.raises(Conflict, match="no longer held by the worker 'worker-1'"):
        jobs.extend(job.job_id, "worker-1", later(9))
    with pytest.raises(Conflict):
        jobs.finish(job.job_id, "worker-1", {}, later(1))
    with pytest.raises(Conflict):
        jobs.fail(job.job_id, "worker-1", "late", later(1), retry=True)
    assert jobs.get("shoes", job.job_id) == before


@pytest.mark.parametrize("retry", [True, False])
def test_a_failed_job_is_queued_again_or_stays_failed(jobs: SqlJobs, retry: bool) -> None:
    job = queued(jobs)
    jobs.lease(["scan"], "worker-1", NOON, LEASE)
    jobs.fail(job.job_id, "worker-1", "the lake was unreachable", later(1), retry=retry)
    failed = jobs.get("shoes", job.job_id)
    assert failed.error == "the lake was unreachable"
    assert (failed.state, failed.finished_at) == ((JobState.QUEUED, None) if retry else (JobState.FAILED, later(1)))
    again = jobs.lease(["scan"], "worker-1", later(2), LEASE)
    assert (again and again.attempts) == (2 if retry else None)


def test_an_ended_job_is_nobodys(jobs: SqlJobs) -> None:
    job = queued(jobs)
    jobs.lease(["scan"], "worker-1", NOON, LEASE)
    jobs.finish(job.job_id, "worker-1", {}, NOON)
    with pytest.raises(Conflict):
        jobs.finish(job.job_id, "worker-1", {"again": True}, NOON)
    with pytest.raises(Conflict):
        jobs.extend("job_unknown", "worker-1", NOON)
    with pytest.raises(NotFound, match="'job_unknown'"):
        jobs.get("shoes", "job_unknown")


def test_times_come_back_aware_and_in_utc(jobs: SqlJobs) -> None:
    job = jobs.enqueue("shoes", "scan", {}, SYSTEM, datetime(2026, 3, 29, 2, 30, 0, 123456))  # noqa: DTZ001 -- no zone means UTC
    assert job.created_at == jobs.get("shoes", job.job_id).created_at == datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=UTC)
    assert jobs.get("shoes", job.job_id).created_at.tzinfo is UTC


def test_threads_do_every_job_exactly_once(jobs: SqlJobs) -> None:
    expected = {queued(jobs).job_id for _ in range(60)}

    def work(number: int) -> list[str]:
        done = []
        while job := jobs.lease(["scan"], f"worker-{number}", NOON, LEASE):
            jobs.finish(job.job_id, f"worker-{number}", {}, NOON)
            done.append(job.job_id)
        return done

    with ThreadPoolExecutor(8) as pool:
        done = [job_id for part in pool.map(work, range(8)) for job_id in part]
    assert sorted(done) == sorted(expected)


def test_processes_do_every_job_exactly_once(jobs: SqlJobs, database_url: str) -> None:
    expected = {queued(jobs).job_id for _ in range(60)}
    done = [job_id for part in together(work_off, database_url, 3) for job_id in part]
    assert sorted(done) == sorted(expected)
    assert {jobs.get("shoes", job_id).attempts for job_id in expected} == {1}


def test_a_killed_worker_loses_its_job_to_another(jobs: SqlJobs, database_url: str) -> None:
    job = queued(jobs)
    killed(lease_and_die, database_url)
    assert jobs.lease(["scan"], "worker-2", NOON, LEASE) is None
    taken = jobs.lease(["scan"], "worker-2", NOON + LEASE, LEASE)
    assert (taken and taken.job_id) == job.job_id
    with pytest.raises(Conflict):
        jobs.finish(job.job_id, "the one that dies", {}, later(1))


def test_a_job_that_its_workers_never_come_back_from_is_failed(jobs: SqlJobs) -> None:
    deadly, other = queued(jobs), queued(jobs, at=later(1))
    for attempt in range(MOST_ATTEMPTS):
        taken = jobs.lease(["scan"], f"worker-{attempt}", later(2 * attempt), LEASE)
        assert taken is not None
        assert (taken.job_id, taken.attempts) == (deadly.job_id, attempt + 1)
    assert jobs.lease(["vet"], "worker-8", later(100), LEASE) is None
    assert jobs.get("shoes", deadly.job_id).state is JobState.RUNNING
    following = jobs.lease(["scan"], "worker-9", later(100), LEASE)
    assert following is not None
    assert following.job_id == other.job_id
    failed = jobs.get("shoes", deadly.job_id)
    assert (failed.state, failed.attempts, failed.finished_at, failed.lease_until) == (JobState.FAILED, MOST_ATTEMPTS, later(100), None)
    assert "5 times" in failed.error
    with pytest.raises(Conflict):
        jobs.finish(deadly.job_id, "worker-4", {}, later(101))


def test_the_newest_job_about_something(jobs: SqlJobs) -> None:
    def job(value: str, at: datetime, kind: str = "vet", program_id: str = "shoes") -> str:
        return jobs.enqueue(program_id, kind, {"application_id": value, "note": {"application_id": "inner"}}, SYSTEM, at).job_id

    first, second = job("app_1", later(1)), job("app_1", later(2))
    job("APP_1", later(3))
    job("app_10", later(3))
    job("app_1", later(3), kind="scan")
    job("app_1", later(3), program_id="hats")
    found = jobs.newest("shoes", "vet", "application_id", "app_1")
    assert found is not None
    assert found.job_id == second != first
    assert jobs.newest("shoes", "vet", "application_id", "inner") is None
    assert jobs.newest("shoes", "vet", "application_id", "%") is None
    odd = job('50%_"off"\\ü', later(1))
    assert (jobs.newest("shoes", "vet", "application_id", '50%_"off"\\ü') or queued(jobs)).job_id == odd


def test_how_far_a_job_is_stands_where_its_result_will_be(jobs: SqlJobs) -> None:
    job = jobs.enqueue("shoes", "scan", {}, SYSTEM, NOON)
    with pytest.raises(Conflict):
        jobs.note(job.job_id, "worker-1", "Reading")
    jobs.lease(["scan"], "worker-1", NOON, LEASE)
    jobs.note(job.job_id, "worker-1", "Reading clicks")
    assert jobs.get("shoes", job.job_id).result == {"progress": "Reading clicks"}
    jobs.finish(job.job_id, "worker-1", {"alerts": 2}, NOON)
    assert jobs.get("shoes", job.job_id).result == {"alerts": 2}
