"""Pages of lists: which one was asked for, and where the ones beside it are."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

PAGE_SIZE = 50
_FARTHEST = 1_000_000


@dataclass(frozen=True)
class Paging:
    """One page of a list of `total` things; pages count from 1."""

    number: int
    total: int
    size: int = PAGE_SIZE

    @property
    def offset(self) -> int:
        """How many things stand before this page."""
        return (self.number - 1) * self.size

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(-(-self.total // self.size), 1)

    @property
    def first(self) -> int:
        """The number of the first thing shown."""
        return min(self.offset + 1, self.total)

    @property
    def last(self) -> int:
        """The number of the last thing shown."""
        return min(self.offset + self.size, self.total)


def asked_page(request: Request, name: str = "page") -> int:
    """The page an address asks for (of the list that counts under `name`); the first for anything that is no page."""
    text = request.query_params.get(name, "1")
    return min(max(int(text), 1), _FARTHEST) if text.isascii() and text.isdigit() and len(text) < 9 else 1
