"""What a file is, told by its content: compression, container and encoding; and the same text as plain UTF-8."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

import zstandard

from fraud.errors import InputError

Container = Literal["csv", "ndjson", "parquet"]
Compression = Literal["", "gzip", "zstd"]

_CHUNK = 1 << 20
_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DAMAGED = (EOFError, gzip.BadGzipFile, zstandard.ZstdError, OSError)


@dataclass(frozen=True)
class Source:
    """One input file. `text` is the file to read (a UTF-8 copy when the original is not plain UTF-8), `sha256` the original's."""

    path: Path
    container: Container
    compression: Compression
    encoding: str
    sha256: str
    text: Path


def inspect(path: Path, workspace: Path) -> Source:
    """Recognises a file; text that is not plain UTF-8 is copied as UTF-8 into `workspace`. `InputError` says why a file is unusable."""
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as fault:
        raise InputError(f"{path} cannot be read: {fault.strerror or fault}. Check the name and the permissions.") from fault
    if not head:
        raise InputError(f"{path} is empty. Give a file with a header and at least one row.")
    if head == b"PAR1":
        return Source(path, "parquet", "", "", digest, path)
    source = Source(path, "csv", _compression(head), "", digest, path)
    try:
        return _as_utf8(_recognised(source), workspace)
    except _DAMAGED as fault:
        raise InputError(f"{path} is damaged: {fault}. Export or compress it again.") from fault


@contextmanager
def opened(path: Path, compression: Compression) -> Iterator[BinaryIO]:
    """The file's bytes, decompressed."""
    with path.open("rb") as raw:
        if compression == "gzip":
            with gzip.open(raw) as inner:
                yield inner  # type: ignore[misc]  # a GzipFile reads like any binary stream
        elif compression == "zstd":
            with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as reader:
                yield io.BufferedReader(reader)
        else:
            yield raw


def _compression(head: bytes) -> Compression:
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if head == b"\x28\xb5\x2f\xfd" else ""


def _recognised(source: Source) -> Source:
    with opened(source.path, source.compression) as stream:
        head = stream.read(4096)
        if not head.strip():
            raise InputError(f"{source.path} is empty. Give a file with a header and at least one row.")
        if head.startswith(b"PAR1"):
            raise InputError(f"{source.path} is a compressed Parquet file. Decompress it first; Parquet is compressed inside.")
        encoding = _encoding(head)
        if not encoding.startswith("utf-16"):
            _refuse_binary(source.path, head)
            encoding = "utf-8-sig" if _is_utf8(head, stream, source.path) else "cp1252"
    first = head.decode(encoding, "replace").lstrip("\ufeff \t\r\n")[:1]
    if first == "[":
        raise InputError(f"{source.path} is a JSON array. Give one JSON object a line (NDJSON), CSV or Parquet.")
    return replace(source, container="ndjson" if first == "{" else "csv", encoding=encoding)


def _encoding(head: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    pairs = head[: len(head) // 2 * 2]
    if pairs and pairs[1::2].count(0) > len(pairs) * 0.4 and pairs[::2].count(0) == 0:
        return "utf-16-le"
    if pairs and pairs[::2].count(0) > len(pairs) * 0.4 and pairs[1::2].count(0) == 0:
        return "utf-16-be"
    return "utf-8"


def _refuse_binary(path: Path, data: bytes) -> None:
    if b"\0" in data:
        raise InputError(f"{path} is a binary file. Give CSV, NDJSON or Parquet (plain, gzip or zstd).")


def _is_utf8(head: bytes, rest: BinaryIO, path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    valid = True
    chunk = head
    while chunk:
        _refuse_binary(path, chunk)
        if valid:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                valid = False
        chunk = rest.read(_CHUNK)
    return valid and not decoder.getstate()[0]


def _as_utf8(source: Source, workspace: Path) -> Source:
    """The source itself when DuckDB can read it as it is, else a UTF-8 copy (decompressed, without mark, line ends untouched)."""
    with opened(source.path, source.compression) as stream:
        marked = stream.read(3) == codecs.BOM_UTF8
    if source.encoding == "utf-8-sig" and not marked and not source.compression:
        return source
    copy = workspace / f"{source.sha256[:16]}.txt"
    errors = "replace" if source.encoding == "cp1252" else "strict"
    try:
        with opened(source.path, source.compression) as stream, copy.open("w", encoding="utf-8", newline="") as target:
            reader = codecs.getreader(source.encoding)(stream, errors)
            while text := reader.read(_CHUNK):
                target.write(text)
    except UnicodeError as fault:
        raise InputError(f"{source.path} is neither UTF-8 nor {source.encoding}: {fault}. Export it as UTF-8.") from fault
    return replace(source, text=copy)
