"""Which places of a script run without the visitor: a reading of its braces and function heads, not an interpreter."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple

HEAD = 300
"""Characters before a brace that are looked at."""
NEAR = 90
"""Characters before a function's parameters, and before the function, that are looked at."""
MOST_BLOCKS = 2_000
"""Functions of one script that are read; bundles have more, but no page needs that many in its own HTML. Code after them is unknown."""
MOST_CALLS = 50
"""Calls of one function that are looked at."""
MOST_NAMES = 100
"""Functions whose calls are looked for, which also bounds how deep one leads to the next."""
MOST_CALLS_READ = 20_000
MOST_STEPS = 100_000
"""Functions looked at around all places of one script; honest ones nest five or ten deep."""

PARAMETERS = r"\([^()]{0,200}\)\s*"
FUNCTION = re.compile(
    rf"(?:async\s+)?\bfunction\b\s*\*?\s*[\w$]{{0,60}}\s*{PARAMETERS}\Z"
    rf"|(?:async\s+)?(?:{PARAMETERS}|[\w$]{{1,60}}\s*)=>\s*\Z"
    rf"|(?<![\w$.])(?!(?:if|for|while|switch|catch|with)\b)[A-Za-z_$][\w$]{{0,60}}\s*{PARAMETERS}\Z"
)
NAMED_INSIDE = re.compile(r"\bfunction\b\s*\*?\s*([A-Za-z_$][\w$]{0,60})")
NAMED_BEFORE = re.compile(r"([A-Za-z_$][\w$]{0,60})\s*[=:]\s*\Z")
METHOD = re.compile(r"\A(?!function\b|async\b)([A-Za-z_$][\w$]{0,60})\s*\(")
RUN_AT_ONCE = re.compile(
    r"(?:(?:\A|[^\w$)\].])\(|[!+~]|\bvoid|\bnew|(?:\bsetTimeout|\bsetInterval|\brequestAnimationFrame|\brequestIdleCallback|\bqueueMicrotask|\$|\bjQuery|\.ready|\.then)\s*\()\s*\Z"
    r"|\bonload\s*=\s*\Z"
    r"|[\"'](?:load|DOMContentLoaded|pageshow|ready)[\"']\s*,\s*\Z"
)
"""What stands before a function that runs by itself: a call at once, a timer, the page's own load events."""

CALL = re.compile(
    r"(?:(?:setTimeout|setInterval|requestAnimationFrame|requestIdleCallback|queueMicrotask)\s*\(\s*[\"']?"
    r"|[\"'](?:load|DOMContentLoaded|pageshow)[\"']\s*,\s*|\bonload\s*=\s*)([A-Za-z_$][\w$]{0,60})\b(?!\s*=>)"
    r"|(?<![\w$.])(?<!function )(?:window\.)?([A-Za-z_$][\w$]{0,60})\s*\((?![^()]{0,200}\)\s*\{)"
)
"""A function's name where it is called (group 2), or handed over to be called by itself (group 1)."""


class _Block(NamedTuple):
    """A function's braces: its `name` ('' for none), whether it runs by itself, and the number of the function around it (-1 for none)."""

    start: int
    end: int
    name: str
    runs: bool
    parent: int


class Flow:
    """Answers for one script; functions that are only named run when an automatic place calls them."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._known: dict[str, bool] = {}
        self._steps = 0

    def is_automatic(self, place: int) -> bool:
        """Say whether the code at this offset runs without the visitor: every function around it runs by itself or is called so."""
        blocks, end = self._blocks
        return place < end and all(block.runs or self._is_called(block.name) for block in self._around(blocks, place))

    def is_unread(self, place: int) -> bool:
        """Say whether the script was too much to read, so that nothing is known of this offset."""
        return place >= self._blocks[1] or self._steps > MOST_STEPS or len(self._known) > MOST_NAMES

    @cached_property
    def _blocks(self) -> tuple[list[_Block], int]:
        return _functions(self._source)

    @cached_property
    def _starts(self) -> list[int]:
        return [block.start for block in self._blocks[0]]

    def _around(self, blocks: list[_Block], place: int) -> list[_Block]:
        """Return the functions around a place, innermost first; one that is never called where looking would take too long."""
        found, number = [], bisect_right(self._starts, place) - 1
        while number >= 0:
            self._steps += 1
            if self._steps > MOST_STEPS:
                return [_Block(0, 0, "", False, -1)]
            if blocks[number].start < place < blocks[number].end:
                found.append(blocks[number])
            number = blocks[number].parent
        return found

    def _is_called(self, name: str) -> bool:
        if not name or len(self._known) > MOST_NAMES:
            return False
        if name not in self._known:
            self._known[name] = False  # a function that only calls itself is not called
            self._known[name] = any(self.is_automatic(place) for place in self._calls.get(name, ()))
        return self._known[name]

    @cached_property
    def _calls(self) -> dict[str, list[int]]:
        """Where each function's name is called or given to a timer or load event, in one pass over the source."""
        found: dict[str, list[int]] = {}
        for count, match in enumerate(CALL.finditer(self._source)):
            places = found.setdefault(match.group(1) or match.group(2), [])
            if len(places) < MOST_CALLS:
                places.append(match.start())
            if count >= MOST_CALLS_READ:
                break
        return found


def _functions(source: str) -> tuple[list[_Block], int]:
    """Return the blocks that are functions, by their start, and how far the source was read. Braces in strings are taken for braces."""
    found: list[_Block] = []
    open_blocks: list[int] = []
    functions: list[int] = []
    for match in re.finditer(r"[{}]", source):
        if match.group(0) == "{":
            block = _block(source, match.start(), functions[-1] if functions else -1)
            open_blocks.append(len(found) if block else -1)
            if block:
                functions.append(len(found))
                found.append(block)
        elif open_blocks and (number := open_blocks.pop()) >= 0:
            found[number] = found[number]._replace(end=match.start())
            functions.pop()
        if len(found) >= MOST_BLOCKS:
            return found, match.start()
    return found, len(source)


def _block(source: str, start: int, parent: int) -> _Block | None:
    head = source[max(0, start - HEAD) : start].rstrip()
    if head[-1:] not in {")", ">"}:
        return None
    near = max(0, head.rfind("(") - NEAR) if head[-1] == ")" or ")" in head[-20:] else max(0, len(head) - NEAR)
    function = FUNCTION.search(head, near)
    if function is None:
        return None
    before, own = head[max(0, function.start() - NEAR) : function.start()], function.group(0)
    named = NAMED_INSIDE.search(own) or NAMED_BEFORE.search(before) or METHOD.match(own)
    return _Block(start, len(source), named.group(1) if named else "", RUN_AT_ONCE.search(before) is not None, parent)
