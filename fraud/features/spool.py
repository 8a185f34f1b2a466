"""Rows on their way from a scan to the kernels: kept by partition, in memory while they fit, else in files that have no name.

Rows gather as they come; when they fill what memory they have, they are ordered by partition, all at once, and written as one run, column
by column, to a file that is unlinked as soon as it is open: whatever happens to the process, nothing stays behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import Codes, Integers, compiled
from fraud.errors import StorageError

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


@dataclass(frozen=True)
class _Held:
    """A run in memory: its columns, ordered by partition, and where each partition begins."""

    columns: Sequence[Column]
    begins: Integers

    def read(self, column: int, partition: int, out: Column, skip: int = 0) -> None:
        """Copies one column of a partition, but for its first rows."""
        begin = self.begins[partition] + skip
        out[:] = self.columns[column][begin : begin + len(out)]


@dataclass(frozen=True)
class _Written:
    """A run in a file (`handle`), laid down column after column: the types of its columns, and where each partition begins."""

    handle: int
    dtypes: Sequence[np.dtype[Any]]
    begins: Integers

    def read(self, column: int, partition: int, out: Column, skip: int = 0) -> None:
        """Reads one column of a partition, but for its first rows."""
        before = sum(dtype.itemsize for dtype in self.dtypes[:column]) * int(self.begins[-1])
        at, waiting = before + (int(self.begins[partition]) + skip) * out.itemsize, out.view(np.uint8).data
        while waiting:
            read = os.preadv(self.handle, [waiting], at)
            if not read:
                raise StorageError("A file of clicks that wait to be counted ends too soon: check the disk, then repeat the scan.")
            at, waiting = at + read, waiting[read:]


class Spool:
    """Columns of equal length, row by row assigned to one of some partitions, until it is closed.

    Rows of a partition come back in the order in which they were added. What exceeds `limit` bytes is written to files in `folder`;
    `written` counts the bytes. Any number of threads may add, and after the last has added, take.
    """

    def __init__(self, dtypes: Sequence[Any], partitions: int, folder: Path, limit: int) -> None:
        self._dtypes = [np.dtype(dtype) for dtype in dtypes]
        self._partitions = partitions
        self._folder = folder
        self._limit = limit
        self._waiting: list[tuple[Codes, list[Column]]] = []
        self._waiting_bytes = 0
        self._runs: list[_Held | _Written] = []
        self._files = ExitStack()
        self._lock = Lock()
        self.written = 0

    @property
    def partitions(self) -> int:
        """How many partitions there are."""
        return self._partitions

    def close(self) -> None:
        """Forgets everything, on disk and in memory."""
        self._files.close()
        self._runs = []
        self._waiting = []

    def add(self, partition: Codes, columns: Sequence[Column]) -> None:
        """Adds rows, each to its partition; a row of partition -1 is left out. The spool keeps the arrays, which nobody may change."""
        kept = [np.asarray(column, dtype) for column, dtype in zip(columns, self._dtypes, strict=True)]
        size = partition.nbytes + sum(column.nbytes for column in kept)
        with self._lock:
            self._waiting.append((partition, kept))
            self._waiting_bytes += size
            if self._waiting_bytes > self._limit:
                self._runs.append(self._write())

    def rows(self, partition: int) -> int:
        """How many rows a partition has."""
        self._seal()
        return sum(int(run.begins[partition + 1] - run.begins[partition]) for run in self._runs)

    def take(self, partition: int) -> list[Column]:
        """The rows of a partition, column by column, as arrays of the caller's own."""
        self._seal()
        ends = np.cumsum([0, *(int(run.begins[partition + 1] - run.begins[partition]) for run in self._runs)])
        columns = [np.empty(ends[-1], dtype) for dtype in self._dtypes]
        for run, begin, end in zip(self._runs, ends[:-1], ends[1:], strict=True):
            for number, column in enumerate(columns):
                if end > begin:
                    run.read(number, partition, column[begin:end])
        return columns

    def pieces(self, partition: int, rows: int, columns: Sequence[int] | None = None) -> Iterator[list[Column]]:
        """The rows of a partition, at most so many at a time, as `take` gives them; some `columns` alone when they are named."""
        self._seal()
        wanted = range(len(self._dtypes)) if columns is None else columns
        for run in self._runs:
            there = int(run.begins[partition + 1] - run.begins[partition])
            for begin in range(0, there, rows):
                piece = [np.empty(min(rows, there - begin), self._dtypes[number]) for number in wanted]
                for number, column in zip(wanted, piece, strict=True):
                    run.read(number, partition, column, begin)
                yield piece

    def _seal(self) -> None:
        with self._lock:
            if self._waiting:
                order, begins = self._ordered()
                self._runs.append(_Held([self._column(number, order) for number in range(len(self._dtypes))], begins))
                self._done()

    def _ordered(self) -> tuple[Integers, Integers]:
        return _by_partition(np.concatenate([partition for partition, _ in self._waiting]), self._partitions)

    def _column(self, number: int, order: Integers) -> Column:
        """One column of all rows that wait, ordered, which they then no longer hold."""
        whole = np.concatenate([columns[number] for _, columns in self._waiting])
        for _, columns in self._waiting:
            columns[number] = whole[:0]
        ordered: Column = whole[order]
        return ordered

    def _done(self) -> None:
        self._waiting = []
        self._waiting_bytes = 0

    def _write(self) -> _Written:
        order, begins = self._ordered()
        try:
            file = self._files.enter_context(TemporaryFile(dir=self._folder, prefix="fraud-clicks-"))  # noqa: SIM115 - until close()
            for number in range(len(self._dtypes)):
                self._column(number, order).tofile(file)
            file.flush()
        except OSError as fault:
            why = fault.strerror or fault
            raise StorageError(
                f"Clicks that wait to be counted cannot be written to {self._folder}: {why}. Make room there, or give the scan "
                "more memory (FRAUD_FEATURES_MEMORY_MB)."
            ) from fault
        self.written += len(order) * sum(dtype.itemsize for dtype in self._dtypes)
        self._done()
        return _Written(file.fileno(), self._dtypes, begins)
