"""The doctor on what the service relies on: what is wrong is failing, and says what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from fraud.app.examining_service import LONG_QUEUED, examine_service
from fraud.app.finding import Finding
from fraud.app.parts import App
from fraud.domain.actors import SYSTEM
from fraud.domain.clock import FixedClock
from fraud.domain.programs import ProgramProfile
from fraud.settings import Settings
from tests.conftest import MORNING
from tests.servers import redis_server

Open = Callable[..., App]


@pytest.fixture
def with_settings(tmp_path: Path) -> Iterator[Open]:
    opened: list[App] = []

    def open_one(**settings: object) -> App:
        given = Settings(workspace=tmp_path / "workspace", _env_file=None, **settings)  # type: ignore[arg-type,call-arg]  # pydantic's
        opened.append(App(given, FixedClock(MORNING)))
        return opened[-1]

    yield open_one
    for app in opened:
        app.close()


def found(app: App, name: str) -> Finding:
    return next(finding for finding in examine_service(app) if finding.name == name)


def test_on_a_fresh_workspace_nothing_fails(app: App) -> None:
    assert {finding.state for finding in examine_service(app)} == {"ok"}


def test_secrets_that_others_may_read(app: App) -> None:
    assert app.pepper
    (app.workspace.secrets / "pepper").chmod(0o644)
    told = found(app, "secrets")
    assert (told.state, "pepper" in told.text, "chmod" in told.text) == ("failing", True, True)


def test_jobs_that_nobody_takes(app: App, clock: FixedClock) -> None:
    app.stores.programs.save(ProgramProfile(name="Shoes", program_id="shoes"))
    app.stores.jobs.enqueue("shoes", "vet", {}, SYSTEM, clock.now())
    assert found(app, "jobs").text.startswith("1 waiting, 0 failed")
    clock.move_to(MORNING + LONG_QUEUED + timedelta(seconds=1))
    told = found(app, "jobs")
    assert (told.state, "fraud worker" in told.text) == ("failing", True)


def test_a_file_of_sinks_that_cannot_be_used(app: App) -> None:
    (app.workspace.root / "sinks.yaml").write_text("sinks: 7")
    assert found(app, "deliveries").state == "failing"


def test_a_full_disk(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**9))
    told = found(app, "disk")
    assert (told.state, "1.0 GB" in told.text) == ("failing", True)


def test_a_redis_that_is_there_and_one_that_is_not(with_settings: Open) -> None:
    with redis_server() as server:
        assert found(with_settings(counters_url=server.url), "counters").state == "ok"
    told = found(with_settings(counters_url="redis://127.0.0.1:1/0"), "counters")
    assert (told.state, "does not answer" in told.text) == ("failing", True)


def test_a_browser_that_cannot_be_run(with_settings: Open) -> None:
    assert found(with_settings(browser="/no/such/chromium"), "browser").state == "failing"


def test_the_schedule_is_said(with_settings: Open) -> None:
    assert found(with_settings(nightly="02:30"), "nightly scan").text.startswith("at 02:30")
    assert found(with_settings(telemetry=True), "telemetry").state == "ok"
