"""Turns the simulation's numbers into columns (Arrow arrays), a million at a time and without a Python loop over rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraud.simulation.randomness import U64, Bools

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_OCTETS = pa.array([str(value) for value in range(256)])
_HEXTETS = pa.array([f"{value:x}" for value in range(65536)])
_FRAME_TYPES = {pa.bool_(): pd.BooleanDtype(), pa.int64(): pd.Int64Dtype()}


def hexadecimal(values: U64, missing: Bools | None = None) -> Any:
    """Each number as 16 hexadecimal digits; null where `missing`."""
    shifts = np.arange(60, -4, -4, dtype=np.uint64)
    digits = np.empty((len(values), 16), dtype=np.uint8)
    for column, shift in enumerate(shifts):
        digits[:, column] = _HEX[((values >> shift) & np.uint64(15)).astype(np.intp)]
    offsets = np.arange(len(values) + 1, dtype=np.int64) * 16
    text = pa.LargeStringArray.from_buffers(len(values), pa.py_buffer(offsets), pa.py_buffer(digits))
    return _null_where(text.cast(pa.string()), missing)


def addresses(high: U64, low: U64, missing: Bools | None = None) -> Any:
    """IPv4 (upper half 0) in dots, IPv6 in eight groups; null where `missing`."""
    old = high == 0
    four = _spelled(_OCTETS, [low >> np.uint64(shift) & np.uint64(255) for shift in (24, 16, 8, 0)], ".")
    groups = [half[~old] >> np.uint64(shift) & np.uint64(65535) for half in (high, low) for shift in (48, 32, 16, 0)]
    six = _spelled(_HEXTETS, groups, ":")
    position = np.where(old, 0, np.cumsum(~old) - 1)
    modern = six.take(pa.array(position)) if len(six) else four
    return _null_where(pc.if_else(pa.array(old), four, modern), missing)


def chosen(names: Sequence[str | None], codes: np.ndarray) -> Any:
    """The names under these numbers, as a dictionary column in alphabetical order; null for a number below 0 or a name that is None."""
    present = np.array([name is not None for name in names] or [False])
    missing = (codes < 0) | ~present[np.maximum(codes, 0)]
    used = np.unique(codes[~missing]).tolist()
    words = sorted({str(names[code]) for code in used})
    place = {word: position for position, word in enumerate(words)}
    position_of = np.zeros(max(1, len(names)), dtype=np.int32)
    position_of[used] = [place[str(names[code])] for code in used]
    return pa.DictionaryArray.from_arrays(pa.array(position_of[np.maximum(codes, 0)], mask=missing), pa.array(words, pa.string()))


def moments(micros: np.ndarray, missing: Bools | None = None) -> Any:
    """Times in UTC with microseconds; null where `missing`."""
    return pa.array(micros.astype(np.int64), mask=missing).cast(pa.timestamp("us", "UTC"))


def flags(values: np.ndarray, missing: Bools | None = None) -> Any:
    """Booleans; null where `missing`."""
    return pa.array(values.astype(bool), mask=missing)


def whole(values: np.ndarray, missing: Bools | None = None) -> Any:
    """Whole numbers, rounded; null where `missing`."""
    return pa.array(np.rint(np.where(np.isfinite(values), values, 0)).astype(np.int64), mask=missing)


def money(cents: np.ndarray) -> Any:
    """Decimal amounts with two places from whole cents (`decimal128` holds the unscaled number in 16 bytes, lowest first)."""
    words = np.zeros((len(cents), 2), dtype=np.int64)
    words[:, 0] = cents
    words[:, 1] = np.where(cents < 0, -1, 0)
    return pa.Decimal128Array.from_buffers(pa.decimal128(14, 2), len(cents), [None, pa.py_buffer(words)])


def frame(columns: dict[str, Any]) -> pd.DataFrame:
    """Arrow columns as a pandas frame: few-valued text as categories, unknowns as missing values."""
    table = pa.table(columns)
    result: pd.DataFrame = table.to_pandas(types_mapper=_FRAME_TYPES.get)
    return result


def _spelled(digits: Any, parts: list[U64], separator: str) -> Any:
    texts = [digits.take(pa.array(part.astype(np.int32))) for part in parts]
    return pc.binary_join_element_wise(*texts, separator)


def _null_where(values: Any, missing: Bools | None) -> Any:
    return values if missing is None else pc.if_else(pa.array(missing), pa.scalar(None, values.type), values)
