"""Telling clicks from conversions by what stands in a file."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from fraud.app.history import by_kind, kind_of
from fraud.errors import InputError

CLICK = "click_id,clicked_at,affiliate_id\nc1,2026-03-01T10:00:00Z,a\n"
SALE = "conversion_id,converted_at,affiliate_id,click_id\ns1,2026-03-01T10:00:00Z,a,c1\n"
TRACKER = "ip,app,device,os,channel,click_time,attributed_time,is_attributed\n1,2,3,4,5,2017-11-07 09:30:38,,0\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (CLICK, "clicks"),
        (SALE, "conversions"),
        (CLICK.replace(",", ";"), "clicks"),
        (SALE.upper().replace("2026", " 2026"), "conversions"),
        ('{"conversion_id": "s1", "converted_at": 1, "affiliate_id": "a"}\n', "conversions"),
        (TRACKER, "clicks"),
        # A sale that tells everything of its click is a sale: a click could not know of it.
        ("conversion_id,converted_at,affiliate_id,click_id,clicked_at\ns1,2026-03-02,a,c1,2026-03-01\n", "conversions"),
    ],
)
def test_the_columns_tell(tmp_path: Path, text: str, kind: str) -> None:
    file = tmp_path / "events"
    file.write_text(text)
    assert kind_of(file, "auto") == kind


def test_whatever_the_container(tmp_path: Path) -> None:
    packed, table = tmp_path / "a.gz", tmp_path / "b"
    packed.write_bytes(gzip.compress(SALE.encode()))
    pd.DataFrame([{"click_id": "c", "clicked_at": "2026-03-01", "affiliate_id": "a"}]).to_parquet(table)
    assert [kind_of(file, "auto") for file in (packed, table)] == ["conversions", "clicks"]


def test_a_folder_is_sorted_out_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text(SALE)
    (tmp_path / "two.csv").write_text(CLICK)
    (tmp_path / "three.csv").write_text(SALE)
    found = by_kind([tmp_path], "auto")
    assert found == [("clicks", [tmp_path / "two.csv"]), ("conversions", [tmp_path / "one.csv", tmp_path / "three.csv"])]


def test_a_named_format_decides_where_the_columns_alone_would_not(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text(TRACKER)
    assert kind_of(file, "talkingdata") == "clicks"


@pytest.mark.parametrize("format_name", ["auto", "contract", "no-such-format"])
def test_neither_names_what_each_would_need_and_what_was_found(tmp_path: Path, format_name: str) -> None:
    file = tmp_path / "events.csv"
    file.write_text("when,who\n1,2\n")
    with pytest.raises(InputError, match=r"events\.csv holds neither .*clicks need .*clicked_at.*conversions need .*; found: when, who\.$"):
        kind_of(file, format_name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv cannot be read"):
        by_kind([tmp_path / "nowhere.csv"], "auto")
