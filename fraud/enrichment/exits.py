"""The class of exit of each address, and nothing else: what is counted of millions of clicks, and what a cluster's workers are sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fraud.domain.networks import PRECEDENCE, EgressClass
from fraud.enrichment.addresses import Addresses, read_column
from fraud.enrichment.kernels import Bits, Rows
from fraud.enrichment.ranges import Layer

Places = NDArray[np.int8]
"""Classes as their places in `PRECEDENCE`."""

CODE = {egress_class: np.int8(place) for place, egress_class in enumerate(PRECEDENCE)}
UNKNOWN = CODE[EgressClass.UNKNOWN]


@dataclass(frozen=True)
class ExitClasses:
    """What tables of networks say of exits, as plain arrays. `systems` and `marks` are layers over all addresses, of who announces them and
    of the listed ranges; `system_classes` and `mark_classes` hold the class of each of their rows, `mark_alone` which ranges stand over
    whoever announces them."""

    systems: Layer
    marks: Layer
    system_classes: Places
    mark_classes: Places
    mark_alone: Bits

    def of(self, addresses: pa.Array) -> Places:
        """The class of each address of a column of text as its place in `PRECEDENCE`; -1 for what is no public internet address (null,
        hashed, private or reserved), of which no table can say anything."""
        read = read_column(addresses)
        system, mark = where_known(self.systems, read), where_known(self.marks, read)
        nobodys = self.nobodys(mark)
        system[nobodys] = -1
        codes: Places = self.judge(system, mark)[0].copy()
        codes[nobodys | ~read.known] = -1
        return codes

    def nobodys(self, mark: Rows) -> Bits:
        """Which addresses, by their row among the ranges, are nobody's: private, reserved, for documentation."""
        nobodys: Bits = (mark >= 0) & (at(self.mark_classes, mark, UNKNOWN) == UNKNOWN)
        return nobodys

    def judge(self, system: Rows, mark: Rows) -> tuple[Places, Bits]:
        """The class of each address by its rows in the layers (-1: none), and whether it comes of a range rather than of who announces
        it."""
        by_mark, by_system = at(self.mark_classes, mark, UNKNOWN), at(self.system_classes, system, UNKNOWN)
        alone = at(self.mark_alone, mark, np.bool_(False))
        from_mark: Bits = (mark >= 0) & (alone | (by_mark <= by_system))
        return np.where(from_mark, by_mark, by_system), from_mark


def codes_of(classes: Sequence[EgressClass]) -> Places:
    """The places of classes in `PRECEDENCE`."""
    return np.array([CODE[egress_class] for egress_class in classes], np.int8)


def where_known(layer: Layer, read: Addresses) -> Rows:
    """The row of a layer at each address; -1 where there is none, or no address."""
    rows = layer.rows_at(read.high, read.low)
    rows[~read.known] = -1
    return rows


def at(values: np.ndarray, rows: Rows, missing: np.generic) -> np.ndarray:
    """The value at each row; `missing` where the row is -1."""
    return np.append(values, missing)[rows]
