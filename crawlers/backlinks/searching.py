"""Finds the lines of a very large tab-separated file whose name is wanted, at about the speed at which the file can be read.

The next piece is read (and unpacked) in a second thread while compiled code looks through this one. It goes from line end to line end and
compares a hash of four bytes, then one of the whole name; only lines that pass both are ever taken apart. Memory does not grow with the
file.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crawlers.compiling import compiled

PIECE = 1 << 20
LONGEST_LINE = 1 << 16
_PACKED = b"\x1f\x8b"
_SMALL = 1 << 16
_OFFSET, _PRIME, _FOUR = 14695981039346656037, 1099511628211, 2654435761  # FNV-1a, and Knuth's multiplier for the four bytes


class LineTooLong(ValueError):
    """A line is longer than any of such a file can be, so it is another kind of file."""


class Wanted:
    """Names to look for. `within(block, after)` gives the lines of a block that may have one of them before their `after` last columns."""

    def __init__(self, names: Iterable[str]) -> None:
        encoded = [name.encode() for name in names if len(name) > 2]
        size = 1 << min(24, max(16, (256 * len(encoded)).bit_length()))
        self._ends, self._names = np.zeros(_SMALL, np.bool_), np.zeros(size, np.bool_)
        for name in encoded:
            self._ends[_end_hash(name)] = True
            self._names[_hash(name) % size] = True

    def within(self, block: bytes, after: int) -> list[bytes]:
        """Return those lines of a block of whole lines, without their ends; some of them hold no wanted name."""
        letters = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(letters == 10)
        hits = np.empty(len(ends), np.int64)
        count = int(_search(letters, ends, after, (self._ends, self._names), hits))
        return [block[0 if place == 0 else ends[place - 1] + 1 : ends[place]].rstrip(b"\r") for place in hits[:count].tolist()]


def lines_with(path: Path, names: Iterable[str], after: int) -> Iterator[list[str]]:
    """Yield the columns of the lines that may have one of the names (UTF-8) before their `after` last columns.

    A hash decides, so the caller compares the name itself. Raises OSError, EOFError, zlib.error or LineTooLong.
    """
    wanted = Wanted(names)
    for block in whole_lines(ahead(pieces(path))):
        for line in wanted.within(block, after):
            yield line.decode("utf-8", "replace").split("\t")


def whole_lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield parts cut anew so that each ends with a line. Raises LineTooLong."""
    left = b""
    for part in parts:
        cut = part.rfind(b"\n") + 1
        if not cut:
            left += part
        else:
            yield left + part[:cut]
            left = part[cut:]
        if len(left) > LONGEST_LINE:
            raise LineTooLong(f"a line of more than {LONGEST_LINE:,} bytes")
    if left:
        yield left + b"\n"


def ahead(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same parts, the next one being made in a second thread meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, parts, b"")
        while part := coming.result():
            coming = pool.submit(next, parts, b"")
            yield part


def pieces(path: Path) -> Iterator[bytes]:
    """Yield a file's content, unpacked where it is gzip, in pieces of at most a MiB. Raises OSError, EOFError or zlib.error."""
    with path.open("rb") as file:
        packed = file.read(2) == _PACKED
        file.seek(0)
        raw = iter(lambda: file.read(PIECE), b"")
        yield from _unpacked(raw) if packed else raw


def _unpacked(raw: Iterator[bytes]) -> Iterator[bytes]:
    """Every member of a gzip file, one after the other; zeros behind the last one are padding."""
    unpacking, begun = zlib.decompressobj(31), False
    for part in raw:
        left = part if begun else part.lstrip(b"\0")
        while left:
            made = unpacking.decompress(left, PIECE)
            left, begun = unpacking.unconsumed_tail, True
            if made:
                yield made
            if unpacking.eof:
                left, begun = unpacking.unused_data.lstrip(b"\0"), False
                unpacking = zlib.decompressobj(31)
    if begun:
        raise EOFError("it ends in the middle")


def _hash(name: bytes) -> int:
    value = _OFFSET
    for letter in reversed(name):
        value = (value ^ letter) * _PRIME % (1 << 64)
    return value >> 32


def _end_hash(name: bytes) -> int:
    return int.from_bytes((b"\t" + name)[-4:], "big") * _FOUR % (1 << 32) >> 16


@compiled
def _search(
    letters: NDArray[np.uint8],
    ends: NDArray[np.int64],
    after: int,
    filters: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    hits: NDArray[np.int64],
) -> int:
    """Puts the places of the lines that pass both filters into `hits` and returns how many they are."""
    last_four, names = filters
    mask = np.uint64(len(names) - 1)
    found, start = 0, 0
    for place in range(len(ends)):
        at = ends[place] - 1
        if at >= start and letters[at] == 13:
            at -= 1
        for _ in range(after):
            while at >= start and letters[at] != 9:
                at -= 1
            at -= 1
        if at - 3 >= start:
            four = (np.uint64(letters[at - 3]) << np.uint64(24)) | (np.uint64(letters[at - 2]) << np.uint64(16))
            four |= (np.uint64(letters[at - 1]) << np.uint64(8)) | np.uint64(letters[at])
            if last_four[((four * np.uint64(_FOUR)) & np.uint64(0xFFFFFFFF)) >> np.uint64(16)]:
                value = np.uint64(_OFFSET)
                while at >= start and letters[at] != 9:
                    value = (value ^ np.uint64(letters[at])) * np.uint64(_PRIME)
                    at -= 1
                if names[(value >> np.uint64(32)) & mask]:
                    hits[found] = place
                    found += 1
        start = ends[place] + 1
    return found
