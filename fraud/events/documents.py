"""JSON that is one document: an array of objects, or an API's answer with such an array in it; read element by element.

A broken element costs itself alone: reading goes on with the next object that begins after a comma."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

LOOK = 1 << 16
"""Characters in which an answer's array of objects must begin."""

LONGEST_ELEMENT = 1 << 24
"""Characters after which an element that does not end is given up."""

_ARRAY = re.compile(r":\s*\[\s*(?=\{)")
_NEXT = re.compile(r"\}\s*,[^{}\[\]\":]*(?=\{)")
_SPACE = re.compile(r"[\s,]*")
_CHUNK = 1 << 20
_WINDOW = 1 << 12
_LONGEST_WORD = 16
_LINE_ENDS = re.compile(r"\s*[\r\n]\s*")
_SCALARS = re.compile(r"[^,\]\}\s][^,\]]*")


@dataclass(frozen=True)
class Element:
    """One element of the array: where it begins (1-based line), its text, and whether it is an object."""

    line: int
    text: str
    whole: bool


def is_document(start: str) -> bool:
    """Whether a text that begins so is an array, or an object on several lines or with rows inside it, and not one object a line."""
    if start.startswith("["):
        return not start.startswith("[[") or start.lstrip("[ \r\n\t").startswith("{")
    if not start.startswith("{"):
        return False
    first, _, rest = start.partition("\n")
    if first.strip() == "{" or re.fullmatch(r'\{\s*"[^"]*"\s*:\s*[\[{]\s*', first.strip()):
        return True
    if _ARRAY.search(first) is None:
        return False
    return not rest.lstrip().startswith("{") or not _is_json(first)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def elements(path: Path) -> Iterator[Element]:
    """The elements of the document's array of objects, in order. What follows the array is ignored."""
    with path.open(encoding="utf-8", newline="") as stream:
        text = _Text(stream.read)
        if not text.starts_array():
            return
        yield from _elements(text)


def _elements(text: _Text) -> Iterator[Element]:
    while True:
        text.pass_by(_SPACE)
        if text.at_end() or text.peek() == "]":
            return
        line = text.line
        if text.peek() == "{":
            found, whole = text.take_object()
        else:
            found, whole = text.take(_SCALARS), False
        yield Element(line, _LINE_ENDS.sub(" ", found) if whole else found, whole)


class _Text:
    """A text read in pieces, with the place reached and its line."""

    def __init__(self, read: Callable[[int], str]) -> None:
        self._read = read
        self._text, self._at, self._ended = "", 0, False
        self.line = 1
        self._decoder = json.JSONDecoder()

    def starts_array(self) -> bool:
        """Moves into the array; false when there is none."""
        self._fill(LOOK)
        start = len(self._text) - len(self._text.lstrip("\ufeff \t\r\n"))
        if self._text.startswith("[", start):
            self._move(start + 1)
            return True
        found = _ARRAY.search(self._text, start)
        self._move(found.end() if found else len(self._text))
        return found is not None

    def at_end(self) -> bool:
        """Whether nothing is left."""
        self._fill(1)
        return self._at >= len(self._text)

    def peek(self) -> str:
        """The next character."""
        self._fill(1)
        return self._text[self._at : self._at + 1]

    def pass_by(self, pattern: re.Pattern[str]) -> None:
        """Moves past what matches here."""
        while found := self._match(pattern):
            self._move(found.end())
            if self._at < len(self._text) or self._ended:
                return
            self._fill(1)

    def take(self, pattern: re.Pattern[str]) -> str:
        """What matches here, at least one character, passing it."""
        self._fill(LOOK)
        found = self._match(pattern)
        end = found.end() if found and found.end() > self._at else self._at + 1
        return self._taken(end)

    def take_object(self) -> tuple[str, bool]:
        """The object that begins here; when it is broken, the text up to the next one."""
        size = _WINDOW
        while True:
            self._fill(size)
            window = self._text[self._at : self._at + size]
            try:
                _, length = self._decoder.raw_decode(window)
            except (json.JSONDecodeError, RecursionError) as fault:
                if len(window) == size and size < LONGEST_ELEMENT and _is_torn(fault, size):
                    size *= 8
                    continue
                return self._taken(self._after_broken()), False
            return self._taken(self._at + length), True

    def _after_broken(self) -> int:
        found = _NEXT.search(self._text, self._at)
        return found.start() + 1 if found else len(self._text)

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        return found if found and found.end() > self._at else None

    def _taken(self, end: int) -> str:
        taken = self._text[self._at : end]
        self._move(end)
        return taken

    def _move(self, to: int) -> None:
        self.line += self._text.count("\n", self._at, to)
        self._at = to

    def _fill(self, wanted: int) -> None:
        while len(self._text) - self._at < wanted and not self._ended:
            piece = self._read(_CHUNK)
            self._ended = not piece
            self._text, self._at = self._text[self._at :] + piece, 0


def _is_torn(fault: json.JSONDecodeError | RecursionError, size: int) -> bool:
    """Whether a text of this size may only seem broken because it goes on: a string without end, or a fault at the very end."""
    if isinstance(fault, RecursionError):
        return False
    return fault.msg.startswith("Unterminated string") or fault.pos >= size - _LONGEST_WORD
