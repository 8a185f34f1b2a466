"""Commands on a disk that is full, read-only or somebody else's."""

from __future__ import annotations

import errno
from pathlib import Path

import duckdb
import pytest

from fraud.cli import main
from fraud.cli.disks import disk_fault


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_said_whichever_library_meets_it() -> None:
    with pytest.raises(OSError, match="No space") as by_python:
        Path("/dev/full").write_text("x")
    with pytest.raises(duckdb.IOException) as by_duckdb, duckdb.connect() as con:
        con.execute("COPY (SELECT 1 AS a) TO '/dev/full' (FORMAT parquet, USE_TMP_FILE false)")
    why = "the disk is full; make room and run the command again."
    assert disk_fault(by_python.value) == f"A file cannot be used: {why}"
    assert disk_fault(by_duckdb.value) == f"/dev/full cannot be used: {why}"


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EROFS, "read-only"), (errno.EACCES, "this user may not"), (errno.EDQUOT, "quota"), (errno.EPERM, "may not")]
)
def test_what_the_disk_refuses_comes_with_what_to_do(number: int, said: str) -> None:
    told = disk_fault(OSError(number, "refused", "/var/lib/fraud/lake"))
    assert told is not None
    assert told.startswith("/var/lib/fraud/lake cannot be used: ")
    assert said in told


@pytest.mark.parametrize(
    "fault", [ValueError("ours"), OSError(errno.EIO, "broken"), duckdb.IOException("another"), ConnectionError("gone")]
)
def test_every_other_failure_stays_visible(fault: Exception) -> None:
    assert disk_fault(fault) is None


def test_the_command_ends_with_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/data/lake/tmp/x.parquet")

    monkeypatch.setattr(main, "app", full)
    with pytest.raises(SystemExit) as end:
        main.run()
    assert end.value.code == 1
    told = " ".join(capsys.readouterr().err.split())
    assert told == "Error: /data/lake/tmp/x.parquet cannot be used: the disk is full; make room and run the command again."


def test_a_failure_nobody_expected_is_shown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(main, "app", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        main.run()
