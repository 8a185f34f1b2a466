"""The other commands, as a user at a terminal of eighty columns and as a script sees them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from fraud.app.parts import App
from fraud.policy.loading import load_pack
from fraud.settings import Settings
from tests.app.products import tamper
from tests.cli.commands import command, environment, fraud, fraud_process, sentence_of

COMMANDS = [
    *(("ingest",), ("scan",), ("score",), ("simulate",), ("evaluate",), ("demo",), ("vet",), ("replay",), ("policy", "show")),
    *(("serve",), ("doctor",), ("enrichment", "refresh"), ("enrichment", "show"), ("features",)),
]


@pytest.fixture(scope="module")
def scanned(program_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A workspace with the decisions of a one-shot scan, and an affiliate's and a sub-ID's of them."""
    workspace = tmp_path_factory.mktemp("commands")
    ran = fraud(
        *("scan", program_folder / "clicks.parquet", "--conversions", program_folder / "conversions.parquet"),
        *("--affiliates", program_folder / "affiliates.csv", "--json", "--workspace", workspace),
    )
    absolute = next(row for row in ran.json["affiliates"] if any(reason["code"] == "identity.self_referral" for reason in row["reasons"]))
    return workspace, {"affiliate": absolute["decision_id"], "sub_id": ran.json["sub_ids"][0]["decision_id"]}


@pytest.mark.parametrize("command", [(), *COMMANDS], ids=" ".join)
def test_help_fits_and_says_what_every_option_is_for(command: tuple[str, ...]) -> None:
    ran = fraud(*command, "--help")
    assert ran.code == 0
    assert max(len(line) for line in ran.out.splitlines()) <= 80
    assert "Usage: fraud" in ran.out
    assert "<list" not in ran.out.partition("Options")[2]


def test_without_arguments_the_commands_are_listed() -> None:
    listed = fraud("--help").out
    assert all(command[0] in listed for command in COMMANDS)


def test_the_version_is_said() -> None:
    assert re.fullmatch(r"fraud \d+\.\d+\.\d+\n", fraud("--version").out)


@pytest.mark.parametrize("kind", ["affiliate", "sub_id"])
def test_a_decision_of_a_scan_is_replayed_exactly(scanned: tuple[Path, dict[str, str]], kind: str) -> None:
    workspace, decisions = scanned
    ran = fraud("replay", decisions[kind], "--workspace", workspace)
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "Exactly the same."
    as_json = fraud("replay", decisions[kind], "--json", "--workspace", workspace)
    assert as_json.json["same"] is True
    assert as_json.json["then"] == as_json.json["now"]


def test_what_another_policy_would_have_said_is_no_failure(scanned: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    workspace, decisions = scanned
    pack = load_pack()
    file = tmp_path / "stricter.yaml"
    stricter = msgspec.structs.replace(pack, id="stricter", scan=msgspec.structs.replace(pack.scan, half_risk_evidence=0.5))
    file.write_bytes(msgspec.yaml.encode(stricter))
    ran = fraud("replay", decisions["affiliate"], "--policy", file, "--workspace", workspace)
    assert ran.code == 0
    assert "stricter@1" in ran.out
    assert ran.out.splitlines()[-1] == "Different."
    assert "score: " in ran.err


def test_altered_inputs_fail_and_the_differing_fields_are_named(scanned: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    workspace, decisions = scanned
    app = App(Settings(workspace=workspace, _env_file=None))  # type: ignore[call-arg]  # pydantic-settings' own argument
    original = app.stores.decisions.find(decisions["affiliate"])
    altered = msgspec.convert(msgspec.to_builtins(original), type(original))
    tamper(app, altered, lambda inputs: inputs["facts"]["counts"].pop("self_matches"))
    try:
        ran = fraud("replay", decisions["affiliate"], "--workspace", workspace)
        assert ran.code == 1
        assert "score: " in ran.err
        assert "reasons: " in ran.err
        assert ran.err.splitlines()[-1].startswith(f"Error: Decision {decisions['affiliate']} did not come out the same")
        as_json = fraud("replay", decisions["affiliate"], "--json", "--workspace", workspace)
        assert as_json.code == 1
        assert {"score", "reasons"} <= {difference["field"] for difference in as_json.json["differences"]}
    finally:
        tamper(app, original, lambda inputs: None)
        app.close()


def test_clicks_are_scored_offline(program_folder: Path, tmp_path: Path) -> None:
    ran = fraud("score", program_folder / "clicks.parquet", "--json", "--workspace", tmp_path)
    answers = ran.json
    assert len(answers) == len(pd.read_parquet(program_folder / "clicks.parquet", columns=["click_id"]))
    assert {answer["decision"] for answer in answers} <= {"allow", "review", "block"}
    assert all(0 <= answer["score"] <= 1 for answer in answers)
    again = fraud("replay", answers[0]["decision_id"], "--workspace", tmp_path)
    assert again.code == 0


def test_scoring_without_a_model_says_how_to_get_one(tmp_path: Path) -> None:
    file = tmp_path / "clicks.csv"
    file.write_text("click_id,clicked_at,affiliate_id\nc1,2026-03-01T10:00:00Z,a\n")
    ran = fraud("score", file, "--workspace", tmp_path / "workspace")
    assert [line.split() for line in ran.out.splitlines()[2:]] == [["allow", "│", "1"], ["review", "│", "0"], ["block", "│", "0"]]
    assert "run `fraud scan` to fit one" in " ".join(ran.err.split())


def test_the_doctor_looks_at_everything(tmp_path: Path) -> None:
    ran = fraud("doctor", "--json", "--workspace", tmp_path)
    assert ran.code == 0
    assert {finding["state"] for finding in ran.json} <= {"ok", "missing", "failing"}
    shown = fraud("doctor", "--workspace", tmp_path).out
    assert all(finding["name"] in shown for finding in ran.json)


def test_a_policys_thresholds_come_with_their_reasons() -> None:
    shown = fraud("policy", "show").out
    pack = load_pack()
    assert all(check_id in shown for check_id in pack.checks)
    assert all(threshold.reason in shown for check in pack.checks.values() for threshold in check.thresholds.values())
    assert msgspec.convert(fraud("policy", "show", "--json").json, type(pack)) == pack


def test_a_program_is_made_up_scanned_and_measured(tmp_path: Path) -> None:
    folder = tmp_path / "sim"
    made = fraud("simulate", "--out", folder, "--affiliates", 25, "--days", 5, "--clicks-per-day", 4, "--seed", 5)
    assert made.code == 0, made.err
    assert f"Wrote {folder}. Next: fraud evaluate --truth {folder}" in made.err
    assert json.loads((folder / "truth" / "truth.json").read_text())["affiliates"]
    measured = fraud("evaluate", "--truth", folder, "--days", 2, "--workspace", tmp_path / "workspace")
    assert measured.code == 0, measured.err
    assert "isolation" in measured.out
    assert max(len(line) for line in measured.out.splitlines()) <= 80
    assert fraud("evaluate", "--truth", folder, "--days", 2, "--json", "--workspace", tmp_path / "workspace").json["affiliates"] > 0


@pytest.mark.parametrize("days", [1, 2])
def test_a_program_of_fewer_days_than_a_window_can_be_made_up(tmp_path: Path, days: int) -> None:
    made = fraud("simulate", "--out", tmp_path, "--affiliates", 5, "--days", days, "--clicks-per-day", 2)
    assert made.code == 0, made.err


def test_an_unknown_scenario_lists_those_there_are(tmp_path: Path) -> None:
    said = sentence_of(fraud("simulate", "--out", tmp_path, "--affiliates", 5, "--days", 5, "--scenario", "nonsense"))
    assert "click_flood" in said


@pytest.mark.parametrize("arguments", [("policy", "show"), ("policy", "show", "--json"), ("doctor", "--json")], ids=" ".join)
def test_a_reader_that_has_gone_is_not_complained_about(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """As in `fraud policy show | head -1`; doctor's answer is so short that it would stand in the buffer to the end."""
    process = subprocess.Popen(command(*arguments), env=environment(), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (1, b"")


def test_json_is_all_there_is_on_stdout(tmp_path: Path) -> None:
    ran = fraud_process("doctor", "--json", "--workspace", tmp_path)
    assert ran.code == 0
    assert ran.json
    assert ran.err == ""
