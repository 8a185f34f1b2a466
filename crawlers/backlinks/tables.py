"""Exports as rows of cells: gzip, Excel, any usual encoding and delimiter, lines before the header, all streamed."""

from __future__ import annotations

import csv
import gzip
import io
import sys
import warnings
import zipfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from crawlers.errors import CrawlError

DELIMITERS = ("\t", ",", ";", "|")
MOST_UNPACKED = 4 * 1024**3
"""Bytes an Excel file may unpack to."""
LONGEST_CELL = 1_000_000
SNIFFED = 64 * 1024
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


class UnreadableExport(CrawlError):
    """The file is no export that can be read; the message says what was found and what would do."""


@contextmanager
def cells(path: Path) -> Iterator[Iterator[list[str]]]:
    """Give the rows of a file one after the other. Raises UnreadableExport when it cannot be opened or is no table."""
    csv.field_size_limit(min(sys.maxsize, LONGEST_CELL))
    try:
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(0)
            if start.startswith(b"PK"):
                with closing(_excel(file, path.name)) as rows:
                    yield rows
            elif start.startswith(b"\x1f\x8b"):
                with gzip.open(file) as inner, closing(_text(io.BufferedReader(inner))) as rows:
                    yield rows
            else:
                with closing(_text(file)) as rows:
                    yield rows
    except (OSError, EOFError, zipfile.BadZipFile) as fault:
        raise UnreadableExport(f"{path.name} cannot be read: {fault}. Export it again, as CSV or Excel.") from fault


def _text(file: IO[bytes]) -> Generator[list[str]]:
    head = file.peek(SNIFFED)[:SNIFFED] if hasattr(file, "peek") else b""
    encoding = encoding_of(head)
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    return _rows(text, delimiter_of(head.decode(encoding, errors="replace")))


def _rows(text: io.TextIOWrapper, delimiter: str) -> Generator[list[str]]:
    reader = csv.reader((line.replace("\0", "") for line in text), delimiter=delimiter)
    try:
        while True:
            try:
                yield next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield []
    finally:
        text.detach()  # whoever opened the file closes it


def encoding_of(head: bytes) -> str:
    """Return the encoding of a text by its mark, its NUL bytes, or by whether it is UTF-8; Windows-1252 otherwise."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if head.count(b"\0") > len(head) // 4:
        return "utf-16-le" if head[1::2].count(b"\0") > head[::2].count(b"\0") else "utf-16-be"
    try:
        head[: len(head) - 4].decode("utf-8")
    except UnicodeDecodeError as fault:
        if fault.start < len(head) - 8:
            return "cp1252"
    return "utf-8"


def delimiter_of(text: str) -> str:
    """Return the delimiter that the first lines have most, on most of them."""
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    return max(DELIMITERS, key=lambda mark: (sum(mark in line for line in lines), sum(line.count(mark) for line in lines)))


def _excel(file: IO[bytes], name: str) -> Generator[list[str]]:
    import openpyxl  # noqa: PLC0415 (slow to import, and rarely needed)

    with zipfile.ZipFile(file) as archive:
        if sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED:
            raise UnreadableExport(f"{name} unpacks to more than {MOST_UNPACKED >> 30} GB; export it as CSV.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except (KeyError, ValueError) as fault:
        raise UnreadableExport(f"{name} is no Excel workbook ({fault}); export it again, as CSV or Excel.") from fault
    try:
        for sheet in book.worksheets[:1]:
            for row in sheet.iter_rows(values_only=True):
                yield ["" if value is None else str(value) for value in row]
    finally:
        book.close()
