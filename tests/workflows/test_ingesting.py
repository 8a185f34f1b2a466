from __future__ import annotations

import csv
import gzip
import io
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraud.errors import InputError
from fraud.storage.lake import ParquetLake
from fraud.workflows.ingesting import IngestOptions, IngestReport, KindCounts, ingest

OPTIONS = IngestOptions(pepper=b"pepper", ingested_at=datetime(2026, 3, 2, tzinfo=UTC))
SAMPLES = Path(__file__).parents[1] / "events" / "samples"
HEADER = "click_id,clicked_at,affiliate_id,country\n"
GOOD = HEADER + "a,2026-03-01,7,DE\nb,2026-03-01,7,\n"


@pytest.fixture
def lake(tmp_path: Path) -> ParquetLake:
    return ParquetLake(tmp_path / "lake")


def _file(tmp_path: Path, text: str, name: str = "clicks.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def _balanced(report: IngestReport) -> None:
    for counts in report.kinds.values():
        assert counts.rows == counts.kept + counts.duplicates + counts.rejected


def test_every_row_is_accounted_for(lake: ParquetLake, tmp_path: Path) -> None:
    report = ingest(lake, "p", "clicks", [_file(tmp_path, GOOD + "a,2026-03-01,7,DE\nc,tomorrow,7,DE\nd,2026-03-01,7\n")], OPTIONS)
    assert (report.rows_read, report.kept, report.duplicates, report.rejected) == (5, 2, 1, 2)
    assert [rejected.line for rejected in report.rejects] == [5, 6]
    assert report.format == "contract"
    assert report.quarantine_path is not None
    kept = [msgspec.json.decode(line) for line in Path(report.quarantine_path).read_bytes().splitlines()]
    assert [(row["line"], row["raw"]) for row in kept] == [(5, "c,tomorrow,7,DE"), (6, "d,2026-03-01,7")]


def test_ingesting_a_file_again_adds_nothing(lake: ParquetLake, tmp_path: Path) -> None:
    file = _file(tmp_path, GOOD)
    ingest(lake, "p", "clicks", [file], OPTIONS)
    assert ingest(lake, "p", "clicks", [file], OPTIONS).kinds == {"clicks": KindCounts(rows=2, kept=0, duplicates=2)}
    assert lake.count("clicks", "p") == 2


def test_folders_and_patterns_name_files_once(lake: ParquetLake, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    _file(folder, GOOD, "1.csv")
    _file(folder, HEADER + "c,2026-03-01,7,\n", "2.csv")
    told: list[str] = []
    options = IngestOptions(pepper=b"x", ingested_at=OPTIONS.ingested_at, progress=told.append)
    report = ingest(lake, "p", "clicks", [folder, str(folder / "*.csv"), folder / "1.csv"], options)
    assert (len(report.files), report.kept, len(told)) == (2, 3, 2)


def test_rows_may_name_their_program(lake: ParquetLake, tmp_path: Path) -> None:
    file = _file(tmp_path, "program_id,affiliate_id\none,a\ntwo,a\n,a\n")
    assert ingest(lake, None, "affiliates", [file], OPTIONS).kept == 3
    assert lake.programs() == ["default", "one", "two"]


def test_every_table_can_be_ingested(lake: ParquetLake, tmp_path: Path) -> None:
    for kind, text in {
        "conversions": "conversion_id,converted_at,affiliate_id\n1,2026-03-01,a\n",
        "affiliates": "affiliate_id,email,websites\na,a@b.example,x.example;y.example\n",
        "offers": "offer_id,attribution_window_hours\no,720\n",
        "labels": "affiliate_id,label,labelled_at\na,BAD,2026-03-01\n",
        "calendar": "starts_at,ends_at,kind\n2026-03-01,2026-03-02,promotion\n",
    }.items():
        assert ingest(lake, "p", kind, [_file(tmp_path, text)], OPTIONS).kept == 1
        assert lake.count(kind, "p") == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEADER, "not one usable row"),
        (HEADER + "a,never,7,\n", "The first reason, on line 2: clicked_at 'never' is no time"),
        ("who,when\n1,2\n", "missing: .*found: who, when"),
    ],
)
def test_a_file_without_a_usable_row_is_an_error(lake: ParquetLake, tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        ingest(lake, "p", "clicks", [_file(tmp_path, text)], OPTIONS)
    assert lake.count("clicks", "p") == 0


def test_an_unusable_file_costs_none_of_the_others(lake: ParquetLake, tmp_path: Path) -> None:
    folder = tmp_path / "month"
    folder.mkdir()
    _file(folder, GOOD, "1.csv")
    _file(folder, HEADER, "2-a-day-without-clicks.csv")
    _file(folder, "", "3.csv")
    _file(folder, HEADER + "c,2026-03-01,7,\n", "4.csv")
    words = r"2 of 4 files cannot be used; the others were read \(3 rows kept, 0 duplicates, 0 set aside\)\..*2-a-day.*3\.csv is empty"
    with pytest.raises(InputError, match=words):
        ingest(lake, "p", "clicks", [folder], OPTIONS)
    assert lake.count("clicks", "p") == 3


def test_what_is_wrong_with_every_file_is_said_once(lake: ParquetLake, tmp_path: Path) -> None:
    files = [_file(tmp_path, GOOD, f"{number}.csv") for number in range(3)]
    options = IngestOptions(pepper=b"x", ingested_at=OPTIONS.ingested_at, format="abacus")
    with pytest.raises(InputError, match=r"^There is no format 'abacus'"):
        ingest(lake, "p", "clicks", files, options)


def test_what_is_not_there_is_named(lake: ParquetLake, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.csv cannot be read: No such file"):
        ingest(lake, "p", "clicks", [tmp_path / "nothing.csv"], OPTIONS)
    with pytest.raises(InputError, match=r"no file .*csv"):
        ingest(lake, "p", "clicks", [tmp_path / "*.csv"], OPTIONS)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"The folder .*empty holds no files"):
        ingest(lake, "p", "clicks", [tmp_path / "empty"], OPTIONS)
    with pytest.raises(InputError, match="no table 'parties'"):
        ingest(lake, "p", "parties", [], OPTIONS)


def test_standard_input_is_a_file_like_any_other(lake: ParquetLake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(GOOD.encode()))))
    report = ingest(lake, "p", "clicks", ["-"], OPTIONS)
    assert (report.files, report.kept) == (("-",), 2)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(InputError, match=r"^standard input is empty"):
        ingest(lake, "p", "clicks", ["-"], OPTIONS)


def test_one_export_may_feed_two_tables_and_another_only_its_own(lake: ParquetLake) -> None:
    both = ingest(lake, "p", "clicks", [SAMPLES / "talkingdata.csv"], OPTIONS)
    assert both.kinds == {"clicks": KindCounts(2, 2), "conversions": KindCounts(1, 1)}
    one = ingest(lake, "p", "conversions", [SAMPLES / "voluum-conversions.csv"], OPTIONS)
    assert one.kinds == {"conversions": KindCounts(2, 2)}


def test_rows_that_are_no_such_events_are_passed_over_and_counted(lake: ParquetLake) -> None:
    report = ingest(lake, "p", "clicks", [SAMPLES / "access.log"], OPTIONS)
    assert (report.rows_read, report.kept, report.rejected, report.passed_over) == (3, 2, 1, 1)
    organic = ingest(lake, "p", "conversions", [SAMPLES / "appsflyer-installs.csv"], OPTIONS)
    assert (organic.kept, organic.passed_over) == (1, 1)


def test_the_quarantine_of_several_files_is_a_folder(lake: ParquetLake, tmp_path: Path) -> None:
    files = [_file(tmp_path, GOOD + f"{name},never,7,\n", f"{name}.csv") for name in "xy"]
    report = ingest(lake, "p", "clicks", files, OPTIONS)
    assert report.quarantine_path is not None
    assert len(list(Path(report.quarantine_path).glob("*.ndjson"))) == 2


CELLS = st.one_of(
    st.sampled_from(["", "a", "2026-03-01", "1772359200", "31/31/2026", '"', 'x"y', '"x', "'", ";", "\t", "DE", "\\", "\x00", "\u2028"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=8), st.booleans())
def test_whatever_the_rows_are_none_is_lost(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], quoted: bool) -> None:
    folder = tmp_path_factory.mktemp("rows")
    sink = io.StringIO()
    writer = csv.writer(sink, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="\n")
    writer.writerows([[cell.replace("\x00", "") for cell in row] for row in rows])
    file = _file(folder, GOOD + sink.getvalue())
    report = ingest(ParquetLake(folder / "lake"), "p", "clicks", [file], OPTIONS)
    _balanced(report)
    assert report.kept >= 2
    assert report.rows_read >= 2 + sum(any(cell.strip() for cell in row) for row in rows)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=30), max_size=8))
def test_raw_text_among_good_rows_is_kept_or_set_aside(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    folder = tmp_path_factory.mktemp("lines")
    file = _file(folder, GOOD + "".join(f"{line}\n" for line in lines) + "z,2026-03-01,7,DE\n")
    _balanced(ingest(ParquetLake(folder / "lake"), "p", "clicks", [file], OPTIONS))


@pytest.mark.data
def test_the_sample_of_talkingdata_is_read_whole(lake: ParquetLake) -> None:
    folder = os.environ.get("FRAUD_TEST_DATA")
    if not folder:
        pytest.skip("FRAUD_TEST_DATA is not set")
    report = ingest(lake, "p", "clicks", [Path(folder) / "talkingdata" / "train_sample.csv"], OPTIONS)
    assert report.format == "talkingdata"
    assert report.kinds == {"clicks": KindCounts(rows=100_000, kept=100_000), "conversions": KindCounts(rows=227, kept=227)}
    assert ingest(lake, "p", "clicks", [Path(folder) / "talkingdata" / "train_sample.csv"], OPTIONS).kept == 0
