"""What a file is, told by its content: compression, container and encoding; and the same text as plain UTF-8."""

from __future__ import annotations

import codecs
import hashlib
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from fraud.errors import InputError
from fraud.events import documents, weblogs
from fraud.events.casting import NUL_MARK
from fraud.events.compression import DAMAGED, MARK_LENGTH, Compression, compression_of, is_workbook, opened
from fraud.events.delimited import DELIMITERS

Container = Literal["csv", "ndjson", "json", "log", "parquet", "excel"]

STDIN = Path("-")
"""The name under which standard input is read."""

STDIN_SHOWN = Path("standard input")
"""The name under which it is spoken of."""

LARGEST_EXPANSION = 1000
"""A text that compresses better than this many times is no log but an attempt to fill the disk: gzip cannot do better on any input."""

_CHUNK = 1 << 20
_HEAD = 1 << 16
_SMALL = 1 << 28
_LOOK = 16
_PAGE = ("<!doctype html", "<html")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ESCAPED_NUL = rb"\u0000"


def _ends_in_space() -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """By a byte of space and the next byte: whether a cell may end between them, with that space in it."""
    table = np.zeros((ord(" ") + 1, 256), bool)
    table[[ord(" "), ord("\t")]] = np.isin(np.arange(256), list(('"\r\n' + "".join(DELIMITERS)).encode()))
    table[ord("\n"), ord('"')] = True
    table[ord("\r")] = True
    return table


_ENDS_IN_SPACE = _ends_in_space()


@dataclass(frozen=True)
class Source:
    """One input file. `text` is the file to read (a UTF-8 copy when the original is not plain UTF-8), `sha256` the original's;
    `odd` says that some text may hold NUL characters (`NUL_MARK` in the copy), `spaced` that some cell may end in space."""

    path: Path
    container: Container
    compression: Compression
    encoding: str
    sha256: str
    text: Path
    odd: bool = field(default=False, compare=False)
    spaced: bool = field(default=True, compare=False)


@dataclass
class _Seen:
    """What a look at all bytes of a text tells."""

    valid: bool = True
    odd: bool = False
    spaced: bool = False


def inspect(path: Path, workspace: Path) -> Source:
    """Recognises a file (`-` is standard input); text that is not plain UTF-8 is copied as UTF-8 into `workspace`.

    `InputError` says why a file is unusable."""
    given, path = (_spooled(workspace), STDIN_SHOWN) if path == STDIN else (path, path)
    with ThreadPoolExecutor(1) as beside:  # hashing and looking at the bytes take about as long, and neither waits for the other
        try:
            head = _first_bytes(given)
            digest = beside.submit(_sha256, given)
            if not head:
                raise InputError(f"{path} is empty. Give a file with a header and at least one row.")
            source = _told(Source(path, "parquet", compression_of(head), "", "", given), head)
            source = replace(source, sha256=digest.result())
        except (OSError, ValueError) as fault:
            why = getattr(fault, "strerror", None) or fault
            raise InputError(f"{path} cannot be read: {why}. Check the name and the permissions.") from fault
    if not source.encoding:
        return source
    try:
        return _as_utf8(source, workspace)
    except DAMAGED as fault:
        raise _damaged(path, fault) from fault


def _damaged(path: Path, fault: Exception) -> InputError:
    return InputError(f"{path} is damaged: {fault}. Export or compress it again.")


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(MARK_LENGTH)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _told(source: Source, head: bytes) -> Source:
    """The source with its container, and its encoding if it is text."""
    if head.startswith(b"PAR1"):
        return replace(source, odd=True)
    try:
        if source.compression == "zip" and is_workbook(source.text):
            return replace(source, container="excel", compression="", odd=True)
        return _recognised(source)
    except DAMAGED as fault:
        raise _damaged(source.path, fault) from fault


def _spooled(workspace: Path) -> Path:
    copy = workspace / "standard-input"
    with copy.open("wb") as target:
        shutil.copyfileobj(sys.stdin.buffer, target)
    return copy


def _recognised(source: Source) -> Source:
    """The source with its container and encoding, after a look at all of its bytes."""
    with opened(source.text, source.compression) as stream:
        head = stream.read(_HEAD)
        if not head.strip():
            raise InputError(f"{source.path} is empty. Give a file with a header and at least one row.")
        _refuse_binary(source.path, head)
        encoding, seen = _encoding(head), _Seen(odd=True, spaced=True)
        if not encoding.startswith("utf-16"):
            seen = _scan(source, head, stream)
            encoding = "utf-8-sig" if seen.valid else "cp1252"
    start = head[: len(head) // 2 * 2].decode(encoding, "replace").lstrip("\ufeff \t\r\n")
    if start[:_LOOK].lower().startswith(_PAGE):
        raise InputError(
            f"{source.path} is a web page, such as a login or an error, and no export. Look at it in a browser and export again."
        )
    return replace(source, container=_container(start), encoding=encoding, odd=seen.odd, spaced=seen.spaced)


def _container(start: str) -> Container:
    if documents.is_document(start):
        return "json"
    if start.startswith("{"):
        return "ndjson"
    return "log" if weblogs.is_log(start) else "csv"


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


def _refuse_binary(path: Path, head: bytes) -> None:
    """A program, a picture or a database: NUL bytes at the very start, or among hardly any text."""
    if head.startswith(b"PAR1"):
        raise InputError(f"{path} is a compressed Parquet file. Decompress it first; Parquet is compressed inside.")
    if head.startswith(_OLD_OFFICE):
        raise InputError(f"{path} is an Excel workbook of the old kind (.xls) or has a password. Save it as .xlsx without one.")
    if _encoding(head).startswith("utf-16"):
        return
    control = sum(head.count(byte) for byte in range(32) if byte not in b"\t\n\r\x1b\x1c\x1d\x1e\x1f\f")
    if b"\0" in head[:16] or control > max(8, len(head) // 20):
        raise InputError(f"{path} is a binary file. Give CSV, JSON, NDJSON, Parquet or Excel, compressed or not.")


def _scan(source: Source, head: bytes, rest: BinaryIO) -> _Seen:
    """Whether the text is UTF-8, whether it may hold NUL characters, and whether a cell may end in space."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    limit = max(_SMALL, source.text.stat().st_size * LARGEST_EXPANSION)
    seen, size, end, chunk = _Seen(), 0, b"", head
    while chunk:
        size += len(chunk)
        if size > limit:
            raise InputError(f"{source.path} unpacks to more than {LARGEST_EXPANSION} times its size. Unpack it and look at what is in it.")
        seen.odd = seen.odd or b"\0" in chunk or (b"\\" in chunk and _ESCAPED_NUL in end + chunk) or _ESCAPED_NUL in end + chunk[:8]
        seen.valid = seen.valid and (_is_ascii(chunk, decoder) or _decodes(decoder.decode, chunk))
        seen.spaced = seen.spaced or _may_end_in_space(chunk) or _may_end_in_space(end[-1:] + chunk[:1])
        end, chunk = chunk[-8:], rest.read(_CHUNK)
    seen.valid = seen.valid and not decoder.getstate()[0]
    seen.spaced = seen.spaced or end.endswith((b" ", b"\t", b"\r"))
    return seen


def _may_end_in_space(chunk: bytes) -> bool:
    """Whether some cell of a CSV that is made of these bytes may end in space."""
    codes = np.frombuffer(chunk, np.uint8)
    spaces = np.flatnonzero(codes[:-1] <= ord(" "))
    return bool(_ENDS_IN_SPACE[codes[spaces], codes[spaces + 1]].any())


def _is_ascii(chunk: bytes, decoder: codecs.IncrementalDecoder) -> bool:
    """Whether a chunk needs no decoding, which is most of a scan's time."""
    return chunk.isascii() and not decoder.getstate()[0]


def _decodes(decode: Callable[[bytes], str], chunk: bytes) -> bool:
    try:
        decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def _as_utf8(source: Source, workspace: Path) -> Source:
    """The source itself when DuckDB can read it as it is, else a UTF-8 copy (decompressed, without mark, line ends untouched, with
    `NUL_MARK` for NUL characters)."""
    with opened(source.text, source.compression) as stream:
        marked = stream.read(3) == codecs.BOM_UTF8
    if source.encoding == "utf-8-sig" and not marked and not source.compression and not source.odd:
        return source
    copy = workspace / f"{source.sha256[:16]}.txt"
    errors = "replace" if source.encoding == "cp1252" else "strict"
    try:
        with opened(source.text, source.compression) as stream, copy.open("w", encoding="utf-8", newline="") as target:
            reader = codecs.getreader(source.encoding)(stream, errors)
            while text := reader.read(_CHUNK):
                target.write(text.replace("\0", NUL_MARK))
    except UnicodeError as fault:
        raise InputError(f"{source.path} is neither UTF-8 nor {source.encoding}: {fault}. Export it as UTF-8.") from fault
    return replace(source, text=copy)
