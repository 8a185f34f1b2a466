"""What a look at a file's bytes tells: never that no cell ends in space when one does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.events import sources
from fraud.events.sources import inspect
from tests.events.conftest import Read

HEAD = "click_id,clicked_at,affiliate_id,sub_id\n"
CELL = st.text(alphabet=' \t\r\n",;|a', max_size=4)


@given(cells=st.lists(CELL, min_size=1, max_size=12), delimiter=st.sampled_from(",;|\t"), chunk=st.integers(1, 9))
def test_a_cell_that_ends_in_space_is_noticed_wherever_chunks_end(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str], delimiter: str, chunk: int
) -> None:
    file = tmp_path_factory.mktemp("cells") / "cells.csv"
    written = delimiter.join(_written(cell, delimiter) for cell in cells)
    file.write_bytes(f"id{delimiter}rest\n{written}\n".encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "_CHUNK", chunk)
        patch.setattr(sources, "_HEAD", max(chunk, 2))
        seen = inspect(file, file.parent)
    if any(cell.endswith((" ", "\t", "\r", "\n")) for cell in cells):
        assert seen.spaced


def _written(cell: str, delimiter: str) -> str:
    quoted = any(character in cell for character in f'"\r\n{delimiter}')
    return '"' + cell.replace('"', '""') + '"' if quoted else cell


def test_ordinary_files_are_spared_the_look_at_every_cell(tmp_path: Path) -> None:
    file = tmp_path / "clicks.csv"
    file.write_text(HEAD + 'c1,2026-03-01T10:00:00Z,a1,"two words, one comma"\n')
    assert not inspect(file, tmp_path).spaced


@pytest.mark.parametrize("cell", ["s ", "s\t", '"s "', '"s\t"', '"s\n"', '"s\r\n"', " s", "\ts", '"\n s"', "s\r"])
def test_space_around_a_cell_is_never_part_of_it(read: Read, cell: str) -> None:
    _, rows = read(f"{HEAD}c1,2026-03-01T10:00:00Z,a1,{cell}\n")
    assert [row["sub_id"] for row in rows] == ["s"]


def test_the_last_cell_of_a_file_without_a_last_line_end_is_trimmed_too(read: Read) -> None:
    _, rows = read(f"{HEAD}c1,2026-03-01T10:00:00Z,a1,s ")
    assert [row["sub_id"] for row in rows] == ["s"]
