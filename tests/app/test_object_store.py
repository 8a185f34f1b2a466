"""Events in an object store, by the setting alone: commands, the doctor and the backup know of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fraud.app.backup import back_up, restore
from fraud.app.examining_service import examine_service
from fraud.app.parts import App
from fraud.cli.main import app as commands
from fraud.domain.clock import FixedClock
from fraud.settings import Settings
from tests.conftest import MORNING
from tests.storage.object_servers import new_bucket, object_server

CLICKS = "click_id,clicked_at,affiliate_id\n" + "".join(f"c{number},2026-03-01T10:00:{number:02}Z,a\n" for number in range(20)) + "torn\n"


@pytest.fixture(scope="module", autouse=True)
def _server() -> Iterator[None]:
    with object_server():
        yield


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> str:
    url = new_bucket()
    monkeypatch.setenv("FRAUD_LAKE_URL", url)
    return url


def run(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(commands, [*arguments, "--workspace", str(workspace)], catch_exceptions=False)


def opened(workspace: Path, url: str) -> App:
    return App(Settings(workspace=workspace, lake_url=url, _env_file=None), FixedClock(MORNING))  # type: ignore[call-arg]  # pydantic-settings' own argument


def test_what_one_machine_ingests_another_has(url: str, tmp_path: Path) -> None:
    file = tmp_path / "clicks.csv"
    file.write_text(CLICKS)
    assert run(tmp_path / "here", "ingest", "clicks", str(file)).exit_code == 0
    assert run(tmp_path / "there", "ingest", "clicks", str(file)).exit_code == 0
    there = opened(tmp_path / "there", url)
    assert there.lake.count("clicks", "default") == 20
    assert [row["raw"] for kept in there.lake.quarantined("default") for row in kept.rows] == ["torn"]
    assert not (tmp_path / "here" / "lake" / "clicks").exists()


def test_the_doctor_says_where_events_are_or_what_is_wrong(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def finding(of: str) -> tuple[str, str]:
        app = opened(tmp_path / "here", of)
        return next((one.state, one.text) for one in examine_service(app) if one.name == "lake")

    assert finding(url) == ("ok", f"events of 0 programs at {url}")
    monkeypatch.setattr("fraud.storage.objects._RETRIES", 0)
    state, text = finding("s3://not-there/lake")
    assert state == "failing"
    assert text.startswith("The lake at s3://not-there/lake cannot be used")


def test_a_backup_leaves_events_where_they_are_and_says_so(url: str, tmp_path: Path) -> None:
    file = tmp_path / "clicks.csv"
    file.write_text(CLICKS)
    run(tmp_path / "here", "ingest", "clicks", str(file))
    made = back_up(opened(tmp_path / "here", url), tmp_path / "backup")
    assert made.lake_url == url
    assert not any(kept.path.startswith("lake") for kept in made.files)
    restore(Settings(workspace=tmp_path / "new", _env_file=None), tmp_path / "backup")  # type: ignore[call-arg]  # pydantic-settings' own argument
    assert opened(tmp_path / "new", url).lake.count("clicks", "default") == 20
