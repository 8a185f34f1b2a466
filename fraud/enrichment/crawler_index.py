"""Which of many patterns can match a text at all, told by three letters that each of them cannot do without.

Fifteen hundred crawlers are known by as many patterns. Trying all of them at every letter of a user agent takes milliseconds; asking
first whether the text has any pattern's own three letters takes microseconds, and nearly every browser is done with then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fraud.enrichment.compiled import Integers, KeyTable, compiled, key_table, position_of, room

GRAM = 3

ORDINARY = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36 Version/17.0 "
    "(iPhone; CPU iPhone OS 17_0 like Mac OS X) (Macintosh; Intel Mac OS X 10_15_7) Firefox/121.0 Edg/120.0 (Linux; Android 14; K) wv"
)
"""What most browsers say: letters from here tell no crawler, and are chosen only when a pattern has no others."""


class PatternIndex:
    """Regular expressions, found by letters that they need; `search` is whether any of them matches a text."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._by_gram: dict[str, list[re.Pattern[str]]] = {}
        self._always: list[re.Pattern[str]] = []
        for branch in (branch for pattern in patterns for branch in branches(pattern)):
            gram = needed_letters(branch)
            home = self._by_gram.setdefault(gram, []) if gram else self._always
            home.append(re.compile(branch))

    def search(self, text: str) -> bool:
        """Whether any pattern is found in the text."""
        grams = {text[start : start + GRAM] for start in range(len(text) - GRAM + 1)} & self._by_gram.keys()
        candidates = (pattern for gram in grams for pattern in self._by_gram[gram])
        return any(pattern.search(text) for pattern in candidates) or any(pattern.search(text) for pattern in self._always)

    def add(self, gram: str, pattern: re.Pattern[str]) -> None:
        """One pattern more, tried where a text has these three letters."""
        self._by_gram.setdefault(gram, []).append(pattern)

    def search_all(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """`search` of many texts, whose letters are looked up in compiled code."""
        homes = list(self._by_gram.values())
        table = key_table(np.array([_key(gram.encode()) for gram in self._by_gram], np.int64))
        column = pa.array(texts, pa.large_string())
        _, offsets, data = column.buffers()
        rows, grams = _met(np.frombuffer(data or b"", np.uint8), np.frombuffer(offsets, np.int64)[: len(texts) + 1], table)
        found = np.array([any(pattern.search(text) for pattern in self._always) for text in texts], np.bool_)
        for row, gram in zip(rows.tolist(), grams.tolist(), strict=True):
            found[row] = found[row] or any(pattern.search(texts[row]) for pattern in homes[gram])
        return found


def _key(letters: bytes) -> int:
    return letters[0] << 16 | letters[1] << 8 | letters[2]


@compiled
def _met(data: NDArray[np.uint8], offsets: Integers, table: KeyTable) -> tuple[Integers, Integers]:
    """Which texts have which of the table's keys in them."""
    rows, grams, used = np.empty(1024, np.int64), np.empty(1024, np.int64), 0
    for row in range(offsets.shape[0] - 1):
        key = np.int64(0)
        for place in range(offsets[row], offsets[row + 1]):
            key = np.int64((key << 8 | np.int64(data[place])) & 0xFFFFFF)
            found = position_of(table, key) if place >= offsets[row] + 2 else -1
            if found >= 0:
                rows, grams = room(rows, used + 1), room(grams, used + 1)
                rows[used], grams[used] = row, found
                used += 1
    return rows[:used], grams[:used]


def branches(pattern: str) -> list[str]:
    """A pattern's alternatives; the pattern itself when it has none outside groups."""
    found = [""]
    for part in _parts(pattern):
        found = [*found, ""] if part == "|" else [*found[:-1], found[-1] + part]
    return found


def needed_letters(pattern: str) -> str:
    """Three letters that every match of a pattern contains, empty when none can be told."""
    grams = [run[start : start + GRAM] for run in _literal_runs(pattern) for start in range(len(run) - GRAM + 1)]
    return min(grams, key=lambda gram: gram in ORDINARY, default="")


def _literal_runs(pattern: str) -> list[str]:
    """The stretches of plain letters that a match must contain: outside groups and sets, and not made optional by what follows."""
    runs, run = [], ""
    for part in _parts(pattern):
        if part == "|" or part.startswith("(?i"):
            return []
        if part[0] in "*?{":
            run = run[:-1]
        if len(part) == 1 and part not in "*?{+.^$":
            run += part
        elif len(part) == 2 and part[0] == "\\" and not part[1].isalnum():
            run += part[1]
        else:
            runs.append(run)
            run = ""
    return [*runs, run]


def _parts(pattern: str) -> list[str]:
    """A pattern's letters, escapes, sets and whole groups, in order."""
    parts, place = [], 0
    while place < len(pattern):
        end = _end_of(pattern, place)
        parts.append(pattern[place:end])
        place = end
    return parts


def _end_of(pattern: str, start: int) -> int:
    """Where the part that begins at `start` ends."""
    if pattern[start] == "\\":
        return start + 2
    if pattern[start] == "[":
        return _after_set(pattern, start)
    if pattern[start] != "(":
        return start + 1 if pattern[start] != "{" else pattern.find("}", start) + 1 or len(pattern)
    place = start + 1
    while place < len(pattern) and pattern[place] != ")":
        place = _end_of(pattern, place)
    return place + 1


def _after_set(pattern: str, start: int) -> int:
    place = start + (2 if pattern.startswith("[^", start) else 1) + 1
    while place < len(pattern) and pattern[place] != "]":
        place += 2 if pattern[place] == "\\" else 1
    return place + 1
