"""The nightly scan by the product's own clock: once a night and program, in the program's zone."""

from __future__ import annotations

import errno
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from time import monotonic, sleep
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from fraud.app.background import background, work_off
from fraud.app.parts import App
from fraud.app.scheduling import NightWatch, Repeated, night_of
from fraud.domain.clock import FixedClock
from fraud.domain.jobs import Job, JobState
from fraud.domain.programs import ProgramProfile
from tests.conftest import MORNING

AT = time(2, 30)
MOMENTS = st.integers(1_577_836_800, 1_893_456_000).map(lambda second: datetime.fromtimestamp(second, UTC))


def nightly(app: App) -> App:
    app.settings = app.settings.model_copy(update={"nightly": "02:30"})
    return app


@pytest.mark.parametrize(
    ("now", "zone", "night"),
    [
        (datetime(2026, 3, 1, 2, 29, tzinfo=UTC), "", "2026-02-28"),
        (datetime(2026, 3, 1, 2, 30, tzinfo=UTC), "", "2026-03-01"),
        (datetime(2026, 3, 1, 2, 30, tzinfo=UTC), "America/New_York", "2026-02-28"),
        (datetime(2026, 3, 1, 2, 30, tzinfo=UTC), "Pacific/Auckland", "2026-03-01"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "Europe/Berlin", "2026-03-29"),  # 02:30 does not exist; it is 03:00 already
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Europe/Berlin", "2026-10-25"),  # 02:30 for the first time
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Europe/Berlin", "2026-10-25"),  # and again
    ],
)
def test_which_night_is_due(now: datetime, zone: str, night: str) -> None:
    assert night_of(now, AT, zone) == night


@given(MOMENTS, st.sampled_from(["Europe/Berlin", "America/St_Johns", "Asia/Kolkata"]))
def test_in_two_days_no_night_is_left_out(start: datetime, zone: str) -> None:
    nights = {night_of(start + timedelta(minutes=10 * step), AT, zone) for step in range(6 * 48 + 1)}
    assert len(nights) == 3


def test_without_the_setting_nothing_is_queued(scanned_copy: App) -> None:
    assert NightWatch(scanned_copy).queue_due() == []


def test_one_scan_for_a_night_whoever_looks(scanned_copy: App, clock: FixedClock) -> None:
    watch = NightWatch(nightly(scanned_copy))
    with ThreadPoolExecutor(4) as pool:
        queued = [job for jobs in pool.map(lambda _: watch.queue_due(), range(8)) for job in jobs]
    assert [(job.kind, job.program_id, job.payload) for job in queued] == [("scan", "default", {"night": "2026-04-01"})]
    clock.move_to(MORNING + timedelta(days=3))
    assert [job.payload["night"] for job in watch.queue_due()] == ["2026-04-04"]


def test_a_program_without_events_is_left_alone(scanned_copy: App) -> None:
    scanned_copy.stores.programs.save(ProgramProfile(name="New", program_id="new"))
    assert {job.program_id for job in NightWatch(nightly(scanned_copy)).queue_due()} == {"default"}


def test_what_is_due_is_worked_off_and_the_night_is_scanned(scanned_copy: App) -> None:
    done: list[str] = []
    app = nightly(scanned_copy)

    def scan(_: App, job: Job) -> dict[str, Any]:
        done.append(job.payload["night"])
        return {}

    assert work_off(app, {"scan": scan}) == 1
    assert done == ["2026-04-01"]
    job = app.stores.jobs.newest("default", "scan", "night", "2026-04-01")
    assert job is not None
    assert job.state is JobState.DONE


def test_what_works_behind_the_answers_ends_with_them(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "s3cret")
    (app.workspace.root / "sinks.yaml").write_text(
        "sinks: [{kind: webhook, name: hook, url: 'http://127.0.0.1:9', secret_env: HOOK_SECRET}]"
    )
    names = {"courier", "nights"}
    with background(app, {}):
        assert names <= {thread.name for thread in threading.enumerate()}
    assert not names & {thread.name for thread in threading.enumerate()}


def test_what_breaks_is_done_again_and_the_thread_lives() -> None:
    done: list[int] = []

    def act() -> None:
        done.append(1)
        if len(done) < 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    repeated = Repeated("breaking", act, 0.01)
    with capture_logs() as logs:
        repeated.start()
        ends = monotonic() + 20
        while len(done) < 3 and monotonic() < ends:
            sleep(0.01)
        repeated.stop()
    assert len(done) >= 3
    assert [entry["event"] for entry in logs] == ["repeated_failed"] * 2


def test_where_nobody_is_to_be_told_no_courier_looks_for_news(app: App) -> None:
    with background(app, {}):
        assert "courier" not in {thread.name for thread in threading.enumerate()}
