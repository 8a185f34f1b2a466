"""Which of many patterns can match a text at all, told by three letters that each of them cannot do without.

Fifteen hundred crawlers are known by as many patterns. Trying all of them at every letter of a user agent takes milliseconds; asking
first whether the text has any pattern's own three letters takes microseconds, and nearly every browser is done with then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

GRAM = 3

ORDINARY = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36 Version/17.0 "
    "(iPhone; CPU iPhone OS 17_0 like Mac OS X) (Macintosh; Intel Mac OS X 10_15_7) Firefox/121.0 Edg/120.0 (Linux; Android 14; K) wv"
)
"""What most browsers say: letters from here tell no crawler, and are chosen only when a pattern has no others."""


class PatternIndex:
    """Regular expressions, found by letters that they need. `search(text)` is whether any of them matches."""

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
