"""`fraud pull` and `fraud tell` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fraud.cli.main import app as command
from fraud.errors import Conflict
from tests.trackers.conftest import feed_text
from tests.trackers.fakes import KEY, FakeEverflow, every
from tests.trackers.servers import document, running

RUN = CliRunner()


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace, with the key in the environment."""
    monkeypatch.setenv("TRACKER_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "workspace").mkdir()
    return tmp_path / "workspace"


def test_pull_prints_what_it_did(workspace: Path) -> None:
    with running(FakeEverflow(conversions=every(1, 12))) as tracker:
        tables = "{conversions: {window: 365d, since: 2026-03-01}}"
        (workspace / "feeds.yaml").write_text(feed_text("everflow", tracker.url, tables=tables))
        shown = RUN.invoke(command, ["pull", "--workspace", str(workspace)])
        as_json = RUN.invoke(command, ["pull", "everflow", "--json", "--workspace", str(workspace)])
        later = RUN.invoke(command, ["pull", "--due", "--workspace", str(workspace)])
    assert (shown.exit_code, later.exit_code) == (0, 0)
    assert "conversions" in shown.output
    assert "12" in shown.output
    (report,) = json.loads(as_json.stdout)
    assert (report["feed"], report["tables"][0]["rows"], report["error"]) == ("everflow", 12, "")
    assert "No feed is due." in later.output


def test_pull_fails_in_one_sentence(workspace: Path) -> None:
    with running(lambda _: document({"error": "expired"}, 401)) as tracker:
        (workspace / "feeds.yaml").write_text(feed_text("everflow", tracker.url))
        done = RUN.invoke(command, ["pull", "--workspace", str(workspace)])
    assert done.exit_code == 1
    assert "did not accept the credentials in TRACKER_KEY" in done.output
    assert KEY not in done.output


def test_tell_tries_out_and_sends_only_when_allowed(workspace: Path) -> None:
    words = ["tell", "everflow", "block_affiliate", "--affiliate", "12", "--id", "a1", "--workspace", str(workspace)]
    with running(lambda _: document({"result": True})) as tracker:
        (workspace / "feeds.yaml").write_text(feed_text("everflow", tracker.url, actions="dry_run"))
        tried = RUN.invoke(command, words)
        refused = RUN.invoke(command, [*words, "--send"])
        assert tracker.asked == []
        (workspace / "feeds.yaml").write_text(feed_text("everflow", tracker.url, actions="send"))
        sent = RUN.invoke(command, [*words, "--send", "--json"])
    assert tried.exit_code == 0
    assert "would be sent: PATCH v1/networks/patch/affiliates/apply" in tried.output
    assert isinstance(refused.exception, Conflict)
    assert json.loads(sent.stdout)["state"] == "done"
    assert len(tracker.asked) == 1
