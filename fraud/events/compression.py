"""Compressed files, told by their first bytes and opened as plain ones: gzip, zstd, bzip2, xz, and zip archives of one file."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

import zstandard

from fraud.errors import InputError

Compression = Literal["", "gzip", "zstd", "bzip2", "xz", "zip"]

DAMAGED = (EOFError, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile, zlib.error, zstandard.ZstdError, OSError)
"""What reading a damaged compressed file may raise."""

_MARKS: dict[bytes, Compression] = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
}

MARK_LENGTH = 6
"""Bytes that tell a compression."""


def compression_of(head: bytes) -> Compression:
    """The compression that a file's first bytes announce."""
    return next((name for mark, name in _MARKS.items() if head.startswith(mark)), "")


@contextmanager
def opened(path: Path, compression: Compression) -> Iterator[BinaryIO]:
    """The file's bytes, decompressed; one of `DAMAGED` on the way when it is damaged, `InputError` for an archive of several files."""
    with path.open("rb") as raw:
        match compression:
            case "gzip":
                with gzip.open(raw) as inner:
                    yield inner  # type: ignore[misc]  # a GzipFile reads like any binary stream
            case "zstd":
                with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as reader:
                    yield io.BufferedReader(reader)
            case "bzip2":
                with bz2.open(raw) as inner:
                    yield inner  # type: ignore[misc]  # a BZ2File reads like any binary stream
            case "xz":
                with lzma.open(raw) as inner:
                    yield inner  # type: ignore[misc]  # an LZMAFile reads like any binary stream
            case "zip":
                with zipfile.ZipFile(raw) as archive, _member(path, archive) as inner:
                    yield inner
            case _:
                yield raw


def is_workbook(path: Path) -> bool:
    """Whether a zip archive is an Excel workbook."""
    with zipfile.ZipFile(path) as archive:
        return "xl/workbook.xml" in archive.namelist()


@contextmanager
def _member(path: Path, archive: zipfile.ZipFile) -> Iterator[BinaryIO]:
    files = [entry for entry in archive.infolist() if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")]
    if len(files) != 1:
        raise InputError(f"{path} is an archive of {len(files)} files. Unpack it, and give the files or their folder.")
    try:
        stream = archive.open(files[0])
    except (RuntimeError, NotImplementedError) as fault:  # encrypted, or a method that Python does not know
        raise InputError(f"{path} cannot be unpacked: {fault}. Unpack it and give the file inside.") from fault
    with stream:
        yield stream  # type: ignore[misc]  # a ZipExtFile reads like any binary stream
