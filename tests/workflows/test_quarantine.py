"""What was set aside is listed, and read again when it can be."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fraud.cli.main import app
from fraud.errors import InputError
from fraud.storage.lake import ParquetLake
from fraud.workflows.ingesting import IngestOptions, ingest
from fraud.workflows.quarantine import quarantine_report, retry

SAMPLES = Path(__file__).parents[1] / "events" / "samples"
AT = datetime(2026, 3, 2, tzinfo=UTC)
OPTIONS = IngestOptions(pepper=b"pepper", ingested_at=AT)
MAPPING = """
format: mine
title: Mine
recognise: [id]
tables:
  clicks:
    columns:
      click_id: [id, {number: n-}]
      clicked_at: when
      affiliate_id: who
"""
CORRECTED = MAPPING.replace("clicked_at: when", 'clicked_at: {column: when, times: "%d.%m.%Y"}')
CSV = 'id;when;who\na;2026-03-01;7\nb;01.03.2026;7\nc;tomorrow;8\n;02.03.2026;9\n"d;3\n'
ROWS = [{"id": "a", "when": "2026-03-01", "who": 7}, {"id": "b", "when": "01.03.2026", "who": 7}, {"id": "c", "when": "tomorrow", "who": 8}]

NO_TIME = "clicked_at is no time between 1990-01-01 and 2100-01-01: use ISO 8601 or epoch seconds, or say in a mapping how it is written"


@pytest.fixture
def lake(tmp_path: Path) -> ParquetLake:
    return ParquetLake(tmp_path / "lake")


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


def _options(mapping: Path) -> IngestOptions:
    return IngestOptions(pepper=b"pepper", ingested_at=AT, format=str(mapping))


def _clicks(lake: ParquetLake) -> list[tuple[str, str, str]]:
    with lake.connect("p") as con:
        return [
            (str(name), str(at), str(who)) for name, at, who in con.sql("SELECT click_id, clicked_at, affiliate_id FROM clicks").fetchall()
        ]


def _file(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    if name.endswith(".csv"):
        path.write_text(CSV, encoding="utf-8")
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode()))
    elif name.endswith(".json"):
        path.write_text(json.dumps(ROWS, indent=1), encoding="utf-8")
    else:
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415

        pq.write_table(pa.table({"id": ["a", "b", "c"], "when": [row["when"] for row in ROWS], "who": [7, 7, 8]}), path)
    return path


def test_what_is_set_aside_is_counted_by_file_and_reason(lake: ParquetLake, tmp_path: Path, mapping: Path) -> None:
    ingest(lake, "p", "clicks", [_file(tmp_path, "1.csv")], _options(mapping))
    report = quarantine_report(lake, "p", show=1)
    assert report.rows == 4
    assert [(count.reason, count.rows) for count in report.reasons] == [
        (NO_TIME, 3),
        ("a quote is opened and not closed as it should be", 1),
    ]
    assert [(row.line, row.raw) for row in report.shown] == [(3, "b;01.03.2026;7")]
    assert quarantine_report(lake, "other").rows == 0


@pytest.mark.parametrize("name", ["1.csv", "1.ndjson.gz", "1.json", "1.parquet"])
def test_after_the_mapping_is_corrected_the_rows_join_the_others(lake: ParquetLake, tmp_path: Path, mapping: Path, name: str) -> None:
    first = ingest(lake, "p", "clicks", [_file(tmp_path, name)], _options(mapping))
    assert first.kept == 1
    mapping.write_text(CORRECTED, encoding="utf-8")
    done = retry(lake, "p", OPTIONS)
    csv_only = int(name.endswith(".csv"))
    assert (done.rows, done.kept, done.duplicates, done.set_aside) == (first.rejected, 1 + csv_only, 0, 1 + csv_only)
    assert ("b", "2026-03-01 00:00:00", "7") in _clicks(lake)
    left = quarantine_report(lake, "p", show=9)
    assert left.rows == 1 + csv_only
    assert [row.raw for row in left.shown if "01.03.2026" in row.raw] == []
    assert retry(lake, "p", OPTIONS).kept == 0


def test_a_row_that_was_read_again_is_the_row_that_reading_the_file_gives(lake: ParquetLake, tmp_path: Path, mapping: Path) -> None:
    file = _file(tmp_path, "1.csv")
    ingest(lake, "p", "clicks", [file], _options(mapping))
    mapping.write_text(CORRECTED, encoding="utf-8")
    retry(lake, "p", OPTIONS)
    again = ingest(lake, "p", "clicks", [file], _options(mapping))
    assert (again.kept, again.duplicates, again.rejected) == (0, 3, 2)
    assert quarantine_report(lake, "p").rows == 2


@pytest.mark.parametrize("name", ["access.log", "everflow-clicks.ndjson"])
def test_rows_that_are_still_broken_stay(lake: ParquetLake, tmp_path: Path, name: str) -> None:
    torn = tmp_path / name
    torn.write_bytes((SAMPLES / name).read_bytes() + b'{"torn": ')
    rejected = ingest(lake, "p", "clicks", [torn], OPTIONS).rejected
    done = retry(lake, "p", OPTIONS)
    assert (done.rows, done.kept, done.set_aside) == (rejected, 0, rejected)
    assert quarantine_report(lake, "p").rows == rejected > 0


def test_ingesting_a_file_again_sets_its_rows_aside_once(lake: ParquetLake, tmp_path: Path, mapping: Path) -> None:
    file = _file(tmp_path, "1.csv")
    paths = {ingest(lake, "p", "clicks", [file], _options(mapping)).quarantine_path for _ in range(2)}
    assert len(paths) == 1
    assert quarantine_report(lake, "p").rows == 4


def test_files_before_a_bad_one_keep_their_quarantine(lake: ParquetLake, tmp_path: Path, mapping: Path) -> None:
    bad = tmp_path / "2.csv"
    bad.write_text("nothing;of;it\n1;2;3\n", encoding="utf-8")
    with pytest.raises(InputError, match="missing"):
        ingest(lake, "p", "clicks", [_file(tmp_path, "1.csv"), bad], _options(mapping))
    assert (quarantine_report(lake, "p").rows, lake.count("clicks", "p")) == (4, 1)


def test_rows_of_an_earlier_version_are_listed_and_cannot_be_retried(lake: ParquetLake) -> None:
    lake.quarantine("clicks", "p", [{"file": "old.csv", "line": 3, "reason": "click_id is empty", "raw": ",x"}], AT)
    assert quarantine_report(lake, "p").reasons[0].file == "old.csv"
    with pytest.raises(InputError, match=r"Ingest old\.csv again"):
        retry(lake, "p", OPTIONS)


def test_the_command_lists_and_retries(tmp_path: Path, mapping: Path) -> None:
    run, workspace = CliRunner(), ["--workspace", str(tmp_path / "workspace")]
    assert "Nothing is set aside" in run.invoke(app, ["quarantine", *workspace]).stdout
    file = str(_file(tmp_path, "[1].csv"))
    assert run.invoke(app, ["ingest", "clicks", file, "--format", str(mapping), *workspace]).exit_code == 0
    listed = json.loads(run.invoke(app, ["quarantine", "--json", "--show", "2", *workspace]).stdout)
    assert (listed["rows"], len(listed["shown"]), listed["reasons"][0]["file"]) == (4, 2, file)
    shown = run.invoke(app, ["quarantine", "--show", "1", *workspace]).stdout
    assert "b;01.03.2026;7" in shown
    other = tmp_path / "corrected.yaml"
    other.write_text(CORRECTED, encoding="utf-8")
    retried = run.invoke(app, ["quarantine", "--retry", "--format", str(other), *workspace])
    assert "4 rows read again: 2 kept, 0 duplicates, 2 still set aside." in retried.stdout
    assert json.loads(run.invoke(app, ["quarantine", "--retry", "--json", *workspace]).stdout)["set_aside"] == 2
