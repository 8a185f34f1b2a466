"""The doctor: every part is looked at, and what is missing comes with what to do."""

from __future__ import annotations

from pathlib import Path

from fraud.app.examining import examine
from fraud.app.finding import Finding
from fraud.app.keys import ensure_keys
from fraud.app.parts import App
from fraud.domain.programs import ProgramProfile
from fraud.settings import Settings
from tests.app.conftest import Scanned


def by_name(app: App) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(app)}


def test_an_empty_workspace_misses_what_it_has_not_and_says_what_to_do(app: App) -> None:
    found = by_name(app)
    missing = {name for name, finding in found.items() if finding.state == "missing"}
    assert missing == {"program", "events", "click model", "baseline", "networks", "keys"}
    assert all("`fraud " in finding.text for finding in found.values() if finding.state == "missing")
    assert {found[name].state for name in ("workspace", "database", "policy", "crawler")} == {"ok"}


def test_a_scanned_workspace_has_events_and_a_model(scanned: Scanned) -> None:
    found = by_name(scanned.app)
    assert {found["events"].state, found["click model"].state} == {"ok"}
    assert found["events"].text.startswith("from 2026-03-")


def test_profile_and_keys_are_found_once_they_are_there(app: App) -> None:
    app.stores.programs.save(ProgramProfile(name="Shoes"))
    ensure_keys(app)
    found = by_name(app)
    assert (found["program"].state, found["program"].text) == ("ok", "Shoes")
    assert str(app.workspace.keys_file) in found["keys"].text


def test_a_policy_that_does_not_hold_together_is_failing(app: App) -> None:
    app.stores.programs.save(ProgramProfile(name="Shoes", policy="no-such-pack"))
    assert (found := by_name(app)["policy"]).state == "failing"
    assert "no-such-pack" in found.text


def test_an_altered_model_is_failing(scanned_copy: App) -> None:
    for manifest in scanned_copy.workspace.models.rglob("*.json"):
        manifest.write_text(manifest.read_text().replace('"size": ', '"size": 1'))
    assert by_name(scanned_copy)["click model"].state == "failing"


def test_an_unusable_setting_of_the_crawler_is_failing(tmp_path: Path) -> None:
    broken = App(Settings(workspace=tmp_path, crawl_ca_file=tmp_path / "no.pem", _env_file=None))  # type: ignore[call-arg]  # pydantic's own
    found = by_name(broken)["crawler"]
    broken.close()
    assert found.state == "failing"
    assert found.text.startswith("FRAUD_CRAWL_CA_FILE")
