from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from fraud.app.parts import App
from fraud.app.upkeep import keep_up, retain
from fraud.cli.main import app as commands
from fraud.domain.clock import FixedClock
from fraud.errors import InputError
from fraud.settings import Settings

NOW = datetime(2026, 4, 1, 6, tzinfo=UTC)


def _clicks(app: App, days: int, at: datetime = NOW) -> None:
    for day in range(days):
        row = {"click_id": f"c{day}", "clicked_at": at - timedelta(days=day), "affiliate_id": "a"}
        app.lake.append("clicks", "default", pa.Table.from_pylist([row]), at)


def test_the_night_removes_what_is_older_than_the_setting_and_says_so(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path, retention_days=30, _env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own argument
    app, told = App(settings, FixedClock(NOW)), list[str]()
    _clicks(app, 40)
    keep_up(app, told.append)
    assert told == ["Removed for their age: 9 clicks of default (2026-02-21 to 2026-03-01)."]
    assert app.lake.count("clicks", "default") == 31
    app.close()


def test_without_a_setting_nothing_is_removed_by_itself(app: App) -> None:
    _clicks(app, 3)
    keep_up(app, lambda _: None)
    assert app.lake.count("clicks", "default") == 3
    with pytest.raises(InputError, match="FRAUD_RETENTION_DAYS"):
        retain(app)


def test_the_commands(app: App) -> None:
    now = datetime.now(UTC)
    _clicks(app, 3, now)
    app.lake.append("clicks", "default", pa.table({"click_id": ["x"], "clicked_at": [now], "affiliate_id": ["a"]}), now)
    run, workspace = CliRunner(), ["--workspace", str(app.workspace.root)]
    merged = run.invoke(commands, ["lake", "compact", "--most-files", "1", "--json", *workspace])
    assert json.loads(merged.stdout) == {"folders": 1, "before": 2, "after": 1}
    removed = run.invoke(commands, ["lake", "retain", "--days", "1", *workspace])
    assert "Removed for their age: 1 clicks of default" in removed.stdout
    assert "No event is older" in run.invoke(commands, ["lake", "retain", "--days", "1", *workspace]).stdout
