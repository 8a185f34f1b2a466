"""The array types every module of `models` speaks in, and the one way of reading a matrix of evidence."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]
"""float64, any shape; NaN is unknown."""
BoolArray: TypeAlias = NDArray[np.bool_]
IntArray: TypeAlias = NDArray[np.int64]


def as_vector(values: ArrayLike, what: str) -> FloatArray:
    """`values` as one float64 row of numbers, NaN allowed. Raises ValueError when the shape is another."""
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1:
        raise ValueError(f"{what} must be one-dimensional, but has shape {vector.shape}.")
    return np.ascontiguousarray(vector)


def distinct(values: IntArray) -> IntArray:
    """The distinct values, ascending; for tens of millions sorting is several times faster than numpy's own table of hashes."""
    ordered = np.sort(values)
    kept = np.ones(ordered.size, dtype=np.bool_)
    kept[1:] = ordered[1:] != ordered[:-1]
    return ordered[kept]


def as_matrix(values: ArrayLike, what: str) -> FloatArray:
    """`values` as float64 rows by columns, NaN allowed. Raises ValueError when the shape is another."""
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"{what} must have rows and columns, but has shape {matrix.shape}.")
    return np.ascontiguousarray(matrix)
