"""A sequence in which few different things stand many times: each is held, asked and written down once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T")


class Shared(Sequence[_T], Generic[_T]):
    """The `different` things, and `which` of them stands at each place."""

    def __init__(self, different: Sequence[_T], which: Sequence[int]) -> None:
        self.different, self.which = different, which

    @classmethod
    def of(cls, things: Sequence[_T]) -> Shared[_T]:
        """Things that are the same object are the same."""
        names = [*map(id, things)]
        different = dict(zip(names, things, strict=True))
        numbers = {name: number for number, name in enumerate(different)}
        return cls(list(different.values()), [numbers[name] for name in names])

    @classmethod
    def by(cls, keys: Sequence[Hashable], found: Mapping[Hashable, _T]) -> Shared[_T]:
        """What was found under the key at each place."""
        different = {id(thing): thing for thing in found.values()}
        numbers = {name: number for number, name in enumerate(different)}
        places = {key: numbers[id(thing)] for key, thing in found.items()}
        return cls(list(different.values()), [places[key] for key in keys])

    def __len__(self) -> int:
        return len(self.which)

    @overload
    def __getitem__(self, place: int) -> _T: ...

    @overload
    def __getitem__(self, place: slice) -> Shared[_T]: ...

    def __getitem__(self, place: int | slice) -> _T | Shared[_T]:
        """What stands at a place, or a stretch without what only others have."""
        if not isinstance(place, slice):
            return self.different[self.which[place]]
        which = self.which[place]
        numbers = {number: new for new, number in enumerate(dict.fromkeys(which))}
        return Shared([self.different[number] for number in numbers], [numbers[number] for number in which])

    def only(self, places: Sequence[int]) -> Shared[_T]:
        """Those at some places."""
        return Shared(self.different, [self.which[place] for place in places])

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """`which` as numbers of an array (things,)."""
        return np.array(self.which, np.int64)
