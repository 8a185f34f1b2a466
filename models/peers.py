"""The tree of peer groups: which reference entities an entity is compared with, from the finest group it has up to all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from models.arrays import IntArray

GroupPath: TypeAlias = tuple[str | None, ...]
"""The labels of one group, its own first, then those of the groups around it; None is an unknown label."""

ROOT_LABEL = "all"
"""What the group of all entities is called."""


def group_paths(groups: pd.DataFrame) -> list[GroupPath]:
    """One path per entity, finest label first. An empty or missing cell is an unknown label."""
    if groups.shape[1] == 0:
        return [()] * len(groups)
    known = groups.notna().to_numpy()
    labels = groups.astype(object).to_numpy()
    return [tuple(_label(label, seen) for label, seen in zip(row, mask, strict=True)) for row, mask in zip(labels, known, strict=True)]


def _label(label: object, known: bool) -> str | None:
    return (str(label) or None) if known else None


def _ancestors(path: GroupPath) -> Iterable[GroupPath]:
    """The groups of an entity with this path that have a name, finest first, then the root."""
    for level in range(len(path)):
        if path[level] is not None:
            yield path[level:]
    yield ()


@dataclass(frozen=True)
class PeerTree:
    """The groups of a reference. Nodes are numbered so that a parent comes before its children; node 0 is everybody.

    `numbers` maps a path to its node, `parents` (nodes,) holds each node's parent (-1 for the root), `labels` its own label.
    """

    numbers: dict[GroupPath, int]
    parents: tuple[int, ...]
    labels: tuple[str, ...]

    @classmethod
    def grow(cls, groups: pd.DataFrame) -> PeerTree:
        """The tree of every group that occurs in `groups` (entities by levels, finest first)."""
        # Kept in the order met: a set's order differs between processes, and with it the bytes of a saved model.
        found = dict.fromkeys(path for row in dict.fromkeys(group_paths(groups)) for path in _ancestors(row)) | {(): None}
        ordered = sorted(found, key=lambda path: (len(path), tuple(label or "" for label in path)))
        numbers = {path: number for number, path in enumerate(ordered)}
        parents = tuple(numbers[next(iter(_ancestors(path[1:])))] if path else -1 for path in ordered)
        return cls(numbers, parents, tuple(path[0] or ROOT_LABEL if path else ROOT_LABEL for path in ordered))

    def locate(self, groups: pd.DataFrame) -> IntArray:
        """The finest known node of every entity (entities,); a label the reference never had falls back to the group around it."""
        finest = [next(self.numbers[path] for path in _ancestors(row) if path in self.numbers) for row in group_paths(groups)]
        return np.array(finest, dtype=np.int64)

    def members(self, groups: pd.DataFrame) -> list[IntArray]:
        """The row numbers of the entities inside every node; an entity is inside all of its groups."""
        inside: list[list[int]] = [[] for _ in self.parents]
        for row, path in enumerate(group_paths(groups)):
            for group in _ancestors(path):
                inside[self.numbers[group]].append(row)
        return [np.array(rows, dtype=np.int64) for rows in inside]
