"""Every service's export is read by its columns, whatever its encoding; what is missing is unknown, what is no export says so."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.backlinks.exports import Export, day_of, formats, plain, referring_domain
from crawlers.backlinks.facts import Backlink
from crawlers.backlinks.profile import read_profile
from crawlers.backlinks.tables import UnreadableExport
from tests.crawlers.backlinks import samples
from tests.crawlers.backlinks.samples import ABOUT

SAMPLES = {
    "Ahrefs": (samples.AHREFS, 2),
    "Ahrefs domains": (samples.AHREFS_DOMAINS, 2),
    "Semrush": (samples.SEMRUSH, 2),
    "Majestic": (samples.MAJESTIC, 2),
    "Majestic spaced": (samples.MAJESTIC_SPACED, 1),
    "Moz": (samples.MOZ, 1),
    "Google Search Console": (samples.LATEST_LINKS, 2),
    "Google Search Console sites": (samples.LINKING_SITES, 2),
    "Generic": (samples.GENERIC, 2),
}


def read(path: Path) -> tuple[Export, list[Backlink]]:
    export = Export(path)
    return export, list(export)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "links.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("name", SAMPLES)
def test_each_service_is_recognised_in_every_encoding(tmp_path: Path, name: str, encoding: str) -> None:
    text, rows = SAMPLES[name]
    export, links = read(written(tmp_path, text.encode(encoding)))
    assert name.startswith(export.source)
    assert len(links) == export.rows == rows
    assert export.unreadable == 0
    assert links[0].domain == "outdoor-mag.example"


def test_the_fields_of_ahrefs_are_read(tmp_path: Path) -> None:
    first, second = read(written(tmp_path, samples.AHREFS.encode("utf-16")))[1]
    assert first.title == "Ten tents for the “wet” season – tested"
    assert (first.anchor, first.authority, first.traffic, first.outbound) == ("Trail Notes", 61, 15400, 41)
    assert (first.follow, first.lost, first.first_seen) == (True, False, date(2023, 4, 2))
    assert (second.domain, second.follow, second.lost) == ("bergfreunde.example", False, True)


def test_a_column_that_is_missing_is_unknown_and_said_so(tmp_path: Path) -> None:
    export, links = read(written(tmp_path, samples.LATEST_LINKS.encode()))
    assert links[0].anchor is None
    assert links[0].follow is None
    assert read_profile(export.path, ABOUT).anchors == {}
    export, links = read(written(tmp_path, b"source_url\nhttps://a.example/\n"))
    assert {"anchor", "first_seen", "target_url"} <= set(export.missing)
    assert links[0].lost is None


def test_a_domain_row_stands_for_its_links(tmp_path: Path) -> None:
    links = read(written(tmp_path, samples.LINKING_SITES.encode()))[1]
    assert [link.links for link in links] == [1204, 2]


def test_excel_and_gzip_are_read_by_content_not_by_ending(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in samples.SEMRUSH.splitlines():
        sheet.append(line.replace('"Tents, tested"', "Tents").split(","))
    book.save(tmp_path / "links.csv")
    assert len(read(tmp_path / "links.csv")[1]) == 2
    assert len(read(written(tmp_path, gzip.compress(samples.SEMRUSH.encode())))[1]) == 2


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 50, b"PK\x03\x04broken", b"\x1f\x8bbroken", b"click_id,clicked_at\n1,2\n", b'"' * 200, b"\xff\xfe\x00"]
)
def test_what_is_no_export_says_so(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content)
    with pytest.raises(UnreadableExport, match=r"links\.csv"):
        read(path)
    assert "links.csv" in read_profile(path, ABOUT).failure


def test_a_file_that_is_not_there_is_a_reason_not_a_crash(tmp_path: Path) -> None:
    assert "cannot be read" in read_profile(tmp_path / "none.csv", ABOUT).failure


def test_rows_that_name_no_site_are_counted(tmp_path: Path) -> None:
    found = read_profile(written(tmp_path, b"source_url,anchor\nnot a url,x\nhttps://a.example/,x\n,\n"), ABOUT)
    assert (found.rows, found.unreadable, found.referring_domains) == (2, 1, 1)
    assert "no usable row" in read_profile(written(tmp_path, b"source_url,anchor\nnothing,x\n"), ABOUT).failure


@given(st.text(max_size=200))
def test_no_address_breaks_the_reading(text: str) -> None:
    found = referring_domain(text)
    assert found == "" or "." in found
    day_of(text)


def test_free_hosts_are_told_apart_by_their_full_name() -> None:
    assert referring_domain("https://me.blogspot.com/x") == "me.blogspot.com"
    assert referring_domain("https://www.shop.example.co.uk/x") == "example.co.uk"


def test_the_names_of_columns_are_plain() -> None:
    names = [name for form in formats() for fields in form.fields.values() for name in fields]
    assert names == [plain(name) for name in names]
