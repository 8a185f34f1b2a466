"""Clicks in their order, as rows or by column: what is asked of many of them at once is asked of columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from fraud.domain.clock import microseconds, moment_at
from fraud.domain.events import Click

EventKey = tuple[str, str]
"""Program and event id."""

Column = Sequence[Any]

COLUMNS = tuple(name for name in Click.__struct_fields__ if name not in {"clicked_at", "program_id"})
"""What a click says of itself beside its time and its program, by name."""


class Clicks(Sequence[Click], ABC):
    """Clicks in their order, each made only where somebody asks for it alone."""

    @abstractmethod
    def column(self, name: str) -> Column:
        """What each says under a name of `Click` (clicks,), but for its time."""

    @property
    @abstractmethod
    def program_id(self) -> str | None:
        """The program of all of them; `None` when they have several, or there are none."""

    @abstractmethod
    def known(self) -> Mapping[str, Column]:
        """The columns (`COLUMNS`) that may say something."""

    @abstractmethod
    def part(self, start: int, end: int) -> Clicks:
        """Those from one place to before another."""

    @abstractmethod
    def at(self) -> NDArray[np.int64]:
        """Their times in microseconds since 1970 (clicks,)."""

    @abstractmethod
    def one(self, place: int) -> Click:
        """The click at a place."""

    @cached_property
    def keys(self) -> list[EventKey]:
        """What each is known under."""
        return list(zip(self.column("program_id"), self.column("click_id"), strict=True))

    def only(self, places: Sequence[int]) -> Clicks:
        """Those at some places."""
        return ListedClicks([self.one(place) for place in places])

    @overload
    def __getitem__(self, place: int) -> Click: ...

    @overload
    def __getitem__(self, place: slice) -> Clicks: ...

    def __getitem__(self, place: int | slice) -> Click | Clicks:
        """One click, or those of a stretch."""
        if isinstance(place, slice):
            start, end, step = place.indices(len(self))
            return self.part(start, end) if step == 1 else self.only(range(start, end, step))
        return self.one(place)


class ListedClicks(Clicks):
    """Clicks that are there as rows."""

    def __init__(self, rows: Sequence[Click]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> Column:
        """What each says under a name (clicks,)."""
        return [*map(attrgetter(name), self.rows)]

    @property
    def program_id(self) -> str | None:
        """The program of all of them, if it is one."""
        programs = {click.program_id for click in self.rows}
        return programs.pop() if len(programs) == 1 else None

    def known(self) -> Mapping[str, Column]:
        """The columns that say something."""
        return {name: column for name in COLUMNS if (column := [*map(attrgetter(name), self.rows)]).count(None) < len(column)}

    def part(self, start: int, end: int) -> Clicks:
        """Those from one place to before another."""
        return ListedClicks(self.rows[start:end])

    def at(self) -> NDArray[np.int64]:
        """Their times in microseconds since 1970 (clicks,)."""
        return np.array([microseconds(click.clicked_at) for click in self.rows], np.int64)

    def one(self, place: int) -> Click:
        """The click at a place."""
        return self.rows[place]


class ColumnClicks(Clicks):
    """Clicks of one program that are there by column; a column that is left out is unknown of all."""

    def __init__(self, program_id: str, at: NDArray[np.int64], columns: Mapping[str, Column]) -> None:
        self._program_id, self._at, self._columns = program_id, at, columns

    def __len__(self) -> int:
        return len(self._at)

    def column(self, name: str) -> Column:
        """What each says under a name (clicks,)."""
        if name == "program_id":
            return [self._program_id] * len(self)
        found = self._columns.get(name)
        return [None] * len(self) if found is None else found

    @property
    def program_id(self) -> str:
        """The program of all of them."""
        return self._program_id

    def known(self) -> Mapping[str, Column]:
        """The columns that may say something."""
        return self._columns

    def part(self, start: int, end: int) -> Clicks:
        """Those from one place to before another."""
        return ColumnClicks(self._program_id, self._at[start:end], {name: column[start:end] for name, column in self._columns.items()})

    def at(self) -> NDArray[np.int64]:
        """Their times in microseconds since 1970 (clicks,)."""
        return self._at

    def one(self, place: int) -> Click:
        """The click at a place."""
        said = {name: column[place] for name, column in self._columns.items()}
        return Click(program_id=self._program_id, clicked_at=moment_at(int(self._at[place])), **said)


def clicks_of(rows: Sequence[Click]) -> Clicks:
    """Rows as `Clicks`."""
    return rows if isinstance(rows, Clicks) else ListedClicks(rows)
