"""Residuals by kind of evidence: what one cause shows in several features counts once.

A web view is one user agent and little variety of agents at once; a coupon day is quick, alike and early at once. The largest residual
of each family stands for it, so that independent evidence adds up and correlated evidence does not. Measured on tuning seeds: average
precision .76 against .72 for single features, recall at 1% false positives .67 against .54.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fraud.features.catalogue import BY_NAME
from models.arrays import FloatArray


def families_of(columns: Sequence[str]) -> list[str]:
    """The families of residual columns (`feature:side`), each once, in the order of their names."""
    return sorted({_family(column) for column in columns})


def largest_by_family(z: pd.DataFrame) -> FloatArray:
    """The largest residual of each family (rows, families), in the order of `families_of`; NaN where none is known."""
    families = np.array([_family(str(column)) for column in z.columns])
    values = z.to_numpy(dtype=np.float64)
    columns = [np.fmax.reduce(values[:, families == family], axis=1) for family in families_of([str(c) for c in z.columns])]
    return np.column_stack(columns) if len(values) else np.empty((0, len(columns)))


def _family(column: str) -> str:
    return BY_NAME[column.rpartition(":")[0]].family.value
