"""Which places of a script run without the visitor: a reading of its braces and function heads, not an interpreter."""

from __future__ import annotations

import re
from typing import NamedTuple

HEAD = 300
"""Characters before a brace that are looked at."""
MOST_BLOCKS = 20_000
MOST_CALLS = 50
"""Calls of one function that are looked at."""
MOST_NAMES = 200

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
    r"(?:(?:\A|[^\w$)\].])\(|[!+~]|\bvoid|\bnew|(?:\bsetTimeout|\bsetInterval|\brequestAnimationFrame|\brequestIdleCallback|\$|\bjQuery|\.ready|\.then)\s*\()\s*\Z"
    r"|\bonload\s*=\s*\Z"
    r"|[\"'](?:load|DOMContentLoaded|pageshow|ready)[\"']\s*,\s*\Z"
)
"""What stands before a function that runs by itself: a call at once, a timer, the page's own load events."""


class _Block(NamedTuple):
    """A function's braces: its `name` ('' for none) and whether it runs by itself."""

    start: int
    end: int
    name: str
    runs: bool


class Flow:
    """Answers for one script; functions that are only named run when an automatic place calls them."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._blocks = _functions(source)
        self._known: dict[str, bool] = {}

    def is_automatic(self, place: int) -> bool:
        """Say whether the code at this offset runs without the visitor: every function around it runs by itself or is called so."""
        around = [block for block in self._blocks if block.start < place < block.end]
        return all(block.runs or self._is_called(block.name) for block in around)

    def _is_called(self, name: str) -> bool:
        if not name or len(self._known) > MOST_NAMES:
            return False
        if name not in self._known:
            self._known[name] = False  # a function that only calls itself is not called
            self._known[name] = any(self.is_automatic(place) for place in self._calls(name))
        return self._known[name]

    def _calls(self, name: str) -> list[int]:
        escaped = re.escape(name)
        pattern = re.compile(
            rf"(?<![\w$.])(?<!function )(?:window\.)?{escaped}\s*\((?![^()]{{0,200}}\)\s*\{{)"
            rf"|(?:setTimeout|setInterval)\s*\(\s*[\"']?{escaped}\b"
            rf"|[\"'](?:load|DOMContentLoaded)[\"']\s*,\s*{escaped}\b"
            rf"|onload\s*=\s*{escaped}\b"
        )
        return [match.start() for match in pattern.finditer(self._source)][:MOST_CALLS]


def _functions(source: str) -> list[_Block]:
    """Return the blocks that are functions. Braces inside strings are taken for braces, which shifts a block's end at worst."""
    open_braces: list[int] = []
    found = []
    for match in re.finditer(r"[{}]", source):
        if match.group(0) == "{":
            open_braces.append(match.start())
        elif open_braces:
            found.append(_block(source, open_braces.pop(), match.start()))
    found += [_block(source, start, len(source)) for start in open_braces]
    return [block for block in found if block is not None][:MOST_BLOCKS]


def _block(source: str, start: int, end: int) -> _Block | None:
    head = source[max(0, start - HEAD) : start]
    function = FUNCTION.search(head)
    if function is None:
        return None
    before, own = head[: function.start()], function.group(0)
    named = NAMED_INSIDE.search(own) or NAMED_BEFORE.search(before) or METHOD.match(own)
    return _Block(start, end, named.group(1) if named else "", RUN_AT_ONCE.search(before) is not None)
