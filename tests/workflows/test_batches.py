"""Batches: a faulty row is set aside with its line, the rest goes on, and a run that broke off goes on where it stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraud.errors import ProfileError
from fraud.workflows.batches import Journal, read_batch

ROWS = """application_id,websites,claimed_monthly_visits
first,http://one.test/,
broken,http://two.test/,many
,not a website,
third,http://three.test/,20
first,http://four.test/,
,http://five.test/,
,http://five.test/,
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "batch.csv"
    path.write_text(text)
    return path


def test_faulty_rows_are_set_aside_with_line_and_reason(tmp_path: Path) -> None:
    read = read_batch(written(tmp_path, ROWS))
    assert [one.websites for one in read.applications] == [
        ("http://one.test/",), ("http://three.test/",), ("http://five.test/",), ("http://five.test/",)
    ]  # fmt: skip
    assert len({one.application_id for one in read.applications}) == 4
    assert [(one.line, one.application_id) for one in read.set_aside] == [(3, ""), (4, ""), (6, "first")]
    assert "write a whole number" in read.set_aside[0].reason
    assert "is not a website" in read.set_aside[1].reason
    assert "repeats 'first'" in read.set_aside[2].reason


def test_the_same_rows_are_the_same_batch(tmp_path: Path) -> None:
    one, other = read_batch(written(tmp_path, ROWS)).name, read_batch(written(tmp_path, ROWS + ",http://six.test/,\n")).name
    assert one == read_batch(written(tmp_path, ROWS)).name != other


@pytest.mark.parametrize("text", ["websites\n", "", "colour\nred\n"])
def test_a_file_without_applications_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProfileError):
        read_batch(written(tmp_path, text))


def test_a_journal_knows_what_was_done_before_a_crash(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "batches" / "one")
    assert journal.done() == {}
    journal.add("first", "dec_1")
    journal.add("second", "dec_2")
    with (tmp_path / "batches" / "one").open("ab") as file:
        file.write(b'["third","dec_')  # the machine went down here
    assert Journal(tmp_path / "batches" / "one").done() == {"first": "dec_1", "second": "dec_2"}
    journal.close()
    assert journal.done() == {}
