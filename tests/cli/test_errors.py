"""What a user does wrong, and the one sentence they get for it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.cli.commands import fraud, fraud_process, sentence_of

SAMPLES = Path(__file__).parents[1] / "events" / "samples"
HEADER = "click_id,clicked_at,affiliate_id"
GOOD = f"{HEADER}\nc1,2026-03-01T10:00:00Z,a\nc2,2026-03-01T11:00:00Z,b\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


@pytest.fixture
def clicks(tmp_path: Path) -> Path:
    file = tmp_path / "clicks.csv"
    file.write_text(GOOD)
    return file


@pytest.mark.parametrize("command", [("scan",), ("ingest", "clicks"), ("score",)])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"foo,bar\n1,2\n", "missing: affiliate_id, click_id, clicked_at; found: foo, bar."),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a binary file"),
        (os.urandom(4000) + b"\0", "is a binary file"),
        (f"{HEADER}\nc1,yesterday,a\n".encode(), "has not one usable row of clicks. The first reason, on line 2: clicked_at 'yesterday'"),
        (None, "No such file or directory"),
    ],
    ids=["empty", "blank", "no usable column", "picture", "noise", "no usable row", "missing"],
)
def test_a_file_that_is_no_table(tmp_path: Path, workspace: Path, command: tuple[str, ...], content: bytes | None, sentence: str) -> None:
    file = tmp_path / "given.csv"
    if content is not None:
        file.write_bytes(content)
    ran = fraud(*command, file, "--json", "--workspace", workspace)
    said = sentence_of(ran)
    assert str(file) in said
    assert sentence in said
    assert ran.out == ""


def test_a_row_with_a_bad_time_is_set_aside_by_file_and_line_and_the_others_are_used(tmp_path: Path, workspace: Path) -> None:
    file = tmp_path / "clicks.csv"
    file.write_text(f"{GOOD}c3,yesterday,a\n")
    ran = fraud("scan", file, "--json", "--workspace", workspace)
    assert ran.code == 0
    assert ran.json["counts"] == {"clicks": 2, "conversions": 0, "affiliates": 2, "duplicate_rows": 0, "rejected_rows": 1}
    assert f"Set aside {file}:4: clicked_at 'yesterday' is no time" in ran.err


def test_of_many_rows_set_aside_the_first_are_shown_and_the_others_counted(tmp_path: Path, workspace: Path) -> None:
    file = tmp_path / "clicks.csv"
    file.write_text(GOOD + "".join(f"x{n},never,a\n" for n in range(30)))
    ran = fraud("ingest", "clicks", file, "--workspace", workspace)
    assert ran.out == "2 rows kept, 0 duplicates, 30 set aside (contract).\n"
    *shown, more, where = ran.err.splitlines()
    assert [line.split(": ")[0] for line in shown] == [f"Set aside {file}:{line}" for line in range(4, 9)]
    assert more == "... and 25 more rows set aside."
    assert len(Path(where.partition("reasons: ")[2]).read_text().splitlines()) == 30


def test_what_else_came_of_a_file_is_said(tmp_path: Path, workspace: Path) -> None:
    file = tmp_path / "clicks.csv"
    file.write_text("click_id,clicked_at,affiliate_id,user_agnet\nc1,2026-03-01,a,x\n")
    ran = fraud("ingest", "clicks", file, "--workspace", workspace)
    assert ran.out.splitlines()[1:] == ["Columns without a meaning here, left out: user_agnet."]
    log = tmp_path / "access.log"
    line = '203.0.113.9 - - [01/Mar/2026:10:00:00 +0100] "GET {} HTTP/1.1" 302 0 "-" "Mozilla/5.0"\n'
    log.write_text(line.format("/c?aff=a1") + line.format("/favicon.ico"))
    assert "Rows passed over, which are no clicks: 1." in fraud("ingest", "clicks", log, "--workspace", workspace).out
    both = fraud("ingest", "clicks", SAMPLES / "talkingdata.csv", "--workspace", workspace).out
    assert "Besides conversions: 1 rows kept, 0 duplicates, 0 set aside." in both


@pytest.mark.parametrize(
    ("pack", "sentence"),
    [
        ("checks: [", "is not valid YAML"),
        ("id: x\nversion: 1\n", "missing required field `title`"),
        (None, "cannot be opened"),
    ],
)
def test_a_policy_file_that_does_not_hold_together(tmp_path: Path, workspace: Path, clicks: Path, pack: str | None, sentence: str) -> None:
    file = tmp_path / "pack.yaml"
    if pack is not None:
        file.write_text(pack)
    for arguments in (("scan", clicks, "--policy", file, "--json", "--workspace", workspace), ("policy", "show", file, "--json")):
        ran = fraud(*arguments)
        assert sentence in sentence_of(ran)
        assert ran.out == ""


@pytest.mark.parametrize(
    ("name", "value", "command"),
    [
        ("FRAUD_CRAWL_DELAY", "soon", ("doctor",)),
        ("FRAUD_CRAWL_DELAY", "-1", ("doctor",)),
        ("FRAUD_LOG_LEVEL", "loud", ("scan",)),
        ("FRAUD_CRAWL_CONNECT_TO", "nonsense", ("vet", "example.com")),
        ("FRAUD_CRAWL_ALLOW_NETWORKS", "10.0.0.0/99", ("vet", "example.com")),
        ("FRAUD_CRAWL_CA_FILE", "/nowhere.pem", ("vet", "example.com")),
        ("FRAUD_CRAWL_DNS", "here", ("vet", "example.com")),
    ],
)
def test_an_unusable_setting_is_named(workspace: Path, name: str, value: str, command: tuple[str, ...]) -> None:
    ran = fraud(*command, "--workspace", workspace, env={name: value})
    assert name in sentence_of(ran)
    assert ran.out == ""


@pytest.mark.parametrize("url", ["mysql://localhost/fraud", "postgresql://user:secret@127.0.0.1:1/none", "nonsense"])
def test_a_database_that_cannot_be_used_is_named_without_its_password(workspace: Path, clicks: Path, url: str) -> None:
    said = sentence_of(fraud("scan", clicks, "--workspace", workspace, env={"FRAUD_DATABASE_URL": url}))
    assert "secret" not in said


def test_a_workspace_that_is_a_file(clicks: Path) -> None:
    assert "a file is in its place; name a folder" in sentence_of(fraud("scan", clicks, "--json", "--workspace", clicks))


def test_a_folder_of_results_that_is_a_file_is_said_before_the_work_is_done(clicks: Path, workspace: Path) -> None:
    for arguments in (("scan", clicks), ("vet", "example.com")):
        said = sentence_of(fraud(*arguments, "--out", clicks, "--workspace", workspace))
        assert "Name another with --out" in said
    assert not workspace.exists()


def test_a_decision_that_is_not_there(workspace: Path) -> None:
    ran = fraud("replay", "dec_nowhere", "--json", "--workspace", workspace)
    assert "no decision 'dec_nowhere'" in sentence_of(ran)
    assert ran.out == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("scan",), "run `fraud ingest clicks FILE` first"),
        (("scan", "--conversions", "sales.csv"), "--conversions belongs to a one-shot scan: name the click files too"),
        (("scan", "--as-of", "tomorrow"), "--as-of 'tomorrow' is no time: write it like 2026-03-01"),
        (("vet",), "Name exactly one of: a URL, --application FILE.json, --batch FILE.csv."),
        (("vet", "a.com", "--batch", "b.csv"), "Name exactly one of"),
        (("vet", "not a url"), "which is not a website; write it as https://example.com"),
        (("vet", "file:///etc/passwd"), "is not a website"),
        (("vet", "--application", "nowhere.json"), "nowhere.json cannot be opened"),
        (("vet", "a.com", "--program", "nowhere.yaml"), "nowhere.yaml cannot be opened"),
        (("evaluate", "--truth", "nowhere"), "Name the folder that `fraud simulate --out` wrote"),
        (("ingest", "clicks", "no-such-*.csv"), "There is no file no-such-*.csv. Check the name."),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(workspace: Path, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in sentence_of(fraud(*arguments, "--workspace", workspace))


def test_a_port_in_use(workspace: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = sentence_of(fraud("serve", "--port", port, "--workspace", workspace))
    assert f"Port {port} on 127.0.0.1 cannot be used" in said
    assert said.endswith("Choose another with --port.")


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "clicks.csv", "--budget", "-1"),
        ("scan", "clicks.csv", "--days", "0"),
        ("scan", "clicks.csv", "--days", "three"),
        ("serve", "--port", "70000"),
        ("simulate", "--out", "x", "--affiliates", "0"),
        ("ingest", "cliks", "clicks.csv"),
        ("replay",),
        ("no-such-command",),
        ("scan", "--no-such-option"),
    ],
)
def test_wrong_usage_ends_with_two_and_a_hint(arguments: tuple[str, ...]) -> None:
    ran = fraud(*arguments)
    assert ran.code == 2
    assert ran.err.startswith("Usage: fraud")
    assert "Traceback" not in ran.err
    assert ran.out == ""


def test_the_installed_command_ends_like_that_too(tmp_path: Path) -> None:
    """As a process of its own, with nothing of this one's to help it."""
    file = tmp_path / "empty.csv"
    file.touch()
    ran = fraud_process("scan", file, "--json", cwd=tmp_path)
    assert "is empty" in sentence_of(ran)
    assert ran.out == ""
    assert (tmp_path / "fraud-data").is_dir(), "where a workspace is when none is named"
