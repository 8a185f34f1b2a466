"""Rows on their way from a scan to the kernels: kept by partition, in memory while they fit, else in files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import Codes, Integers, compiled

Column = NDArray[Any]


@compiled
def _by_partition(partition: Codes, partitions: int) -> tuple[Integers, Integers]:
    """Rows grouped by partition in their order, and where each group begins; -1 belongs to none."""
    begins = np.zeros(partitions + 1, np.int64)
    for row in range(partition.shape[0]):
        if partition[row] >= 0:
            begins[partition[row] + 1] += 1
    for number in range(partitions):
        begins[number + 1] += begins[number]
    place = begins[:-1].copy()
    order = np.empty(begins[partitions], np.int64)
    for row in range(partition.shape[0]):
        if partition[row] >= 0:
            order[place[partition[row]]] = row
            place[partition[row]] += 1
    return order, begins


class Spool:
    """Columns of equal length, row by row assigned to one of some partitions.

    Rows of a partition come back in the order in which they were added. More than `limit` bytes are written to `folder`, which must
    exist and is the caller's to remove; a partition is read back by `take`, once.
    """

    def __init__(self, dtypes: Sequence[Any], partitions: int, folder: Path, limit: int) -> None:
        self._dtypes = [np.dtype(dtype) for dtype in dtypes]
        self._parts: list[list[list[Column]]] = [[] for _ in range(partitions)]
        self._written: list[list[int]] = [[] for _ in range(partitions)]
        self._folder = folder
        self._limit = limit
        self._held = 0

    @property
    def partitions(self) -> int:
        """How many partitions there are."""
        return len(self._parts)

    def add(self, partition: Codes, columns: Sequence[Column]) -> None:
        """Adds rows, each to its partition; a row of partition -1 is left out."""
        order, begins = _by_partition(partition, self.partitions)
        ordered = [np.asarray(column, dtype)[order] for column, dtype in zip(columns, self._dtypes, strict=True)]
        self._held += sum(column.nbytes for column in ordered)
        for number in np.flatnonzero(np.diff(begins)):
            rows = slice(begins[number], begins[number + 1])
            self._parts[number].append([column[rows] for column in ordered])
        if self._held > self._limit:
            self._write()

    def take(self, partition: int) -> list[Column]:
        """The rows of a partition, column by column, which the spool then forgets."""
        chunks = self._read(partition) + self._parts[partition]
        self._parts[partition] = []
        if not chunks:
            return [np.empty(0, dtype) for dtype in self._dtypes]
        return [np.concatenate([chunk[column] for chunk in chunks]) for column in range(len(self._dtypes))]

    def _file(self, partition: int) -> Path:
        return self._folder / f"{id(self):x}-{partition}.rows"

    def _write(self) -> None:
        for number, chunks in enumerate(self._parts):
            if chunks:
                with self._file(number).open("ab") as file:
                    self._written[number].append(_append(file, chunks, self._dtypes))
                self._parts[number] = []
        self._held = 0

    def _read(self, partition: int) -> list[list[Column]]:
        if not self._written[partition]:
            return []
        with self._file(partition).open("rb") as file:
            chunks = [[np.fromfile(file, dtype, rows) for dtype in self._dtypes] for rows in self._written[partition]]
        self._written[partition] = []
        self._file(partition).unlink()
        return chunks


def _append(file: IO[bytes], chunks: Sequence[Sequence[Column]], dtypes: Sequence[np.dtype[Any]]) -> int:
    for column in range(len(dtypes)):
        for chunk in chunks:
            chunk[column].tofile(file)
    return sum(len(chunk[0]) for chunk in chunks)
