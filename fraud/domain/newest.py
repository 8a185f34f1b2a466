"""The newest things by key, a bounded number of them: the oldest go first, at the price of a look each."""

from __future__ import annotations

from collections import deque
from collections.abc import KeysView, Sequence, ValuesView
from itertools import repeat
from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Newest(Generic[_Key, _Value]):
    """At most `most` keys and their values; those that came together share one value. Threads must take turns."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[_Key, _Value] = {}
        self._groups: deque[Sequence[_Key]] = deque()
        self._gone = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: _Key) -> _Value | None:
        """The value of a key, if it is held."""
        return self._held.get(key)

    def keys(self) -> KeysView[_Key]:
        """The keys that are held."""
        return self._held.keys()

    def values(self) -> ValuesView[_Value]:
        """Their values, in the same order."""
        return self._held.values()

    def add(self, keys: Sequence[_Key], value: _Value) -> None:
        """Holds a value under keys, none of which is held; the oldest keys go where there are too many."""
        self._held.update(dict.fromkeys(keys, value))
        self._groups.append(keys)
        while (over := len(self._held) - self._most) > 0:
            self._let_go(over)

    def add_each(self, keys: Sequence[_Key], values: Sequence[_Value]) -> None:
        """`add` where each key has its own value."""
        self._held.update(zip(keys, values, strict=True))
        self._groups.append(keys)
        while (over := len(self._held) - self._most) > 0:
            self._let_go(over)

    def drop(self, keys: Sequence[_Key]) -> None:
        """Lets keys go as if they had never come; one that comes again is new. This takes a look at all."""
        for key in keys:
            self._held.pop(key, None)
        held = [[key for key in group if key in self._held] for group in self._groups]
        self._groups = deque(group for group in held if group)
        self._gone = 0

    def _let_go(self, count: int) -> None:
        """Lets the oldest keys go, `count` of one group or as many as it has left."""
        keys = self._groups[0]
        last = min(self._gone + count, len(keys))
        deque(map(self._held.pop, keys[self._gone : last], repeat(None)), maxlen=0)
        self._gone = last
        if last == len(keys):
            self._groups.popleft()
            self._gone = 0
