"""Excel workbooks: the rows of the one sheet that has any, as text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from fraud.errors import InputError


def rows(path: Path, shown: Path) -> Iterator[tuple[int, tuple[str | None, ...]]]:
    """Row number (1-based) and cells of every row that is not blank; `shown` is the name for errors.

    Times are ISO 8601, whole numbers have no point. `InputError` when the workbook cannot be read or several sheets have rows."""
    import openpyxl  # noqa: PLC0415 - half a second, and few files are workbooks

    try:
        with path.open("rb") as stream:
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            filled = [sheet for sheet in book.worksheets if any(True for _ in _filled(sheet))]
            if len(filled) <= 1:
                yield from (row for sheet in filled for row in _filled(sheet))
                return
    except Exception as fault:  # whatever the library stumbles over in a damaged workbook, the file is what is wrong
        raise InputError(f"{shown} is no Excel workbook that can be read ({type(fault).__name__}: {fault}). Save it again.") from fault
    names = ", ".join(sheet.title for sheet in filled)
    raise InputError(f"{shown} has rows on several sheets ({names}). Save each as a file of its own.")


def _filled(sheet: Any) -> Iterator[tuple[int, tuple[str | None, ...]]]:
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        texts = tuple(_text(cell) for cell in cells)
        if any(texts):
            yield number, texts


def _text(cell: object) -> str | None:
    match cell:
        case None:
            return None
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case datetime() | date() | time():
            return cell.isoformat()
        case _:
            return str(cell)
