"""What nobody in the reference came near (C30): features further from peers than the furthest affiliate that was ever seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fraud.features.catalogue import FEATURES
from models.arrays import FloatArray

_SIGN = {"high": 1.0, "low": -1.0}
_COLUMNS = tuple((one.name, side) for one in FEATURES for side in (("high", "low") if one.bad == "both" else (one.bad,)))


@dataclass(frozen=True)
class Furthest:
    """The largest distance of any reference row, in robust standard deviations without an upper end, and of how many rows, by
    `feature:side`; nothing for a feature that no row knew."""

    distance: Mapping[str, float]
    rows: Mapping[str, int]

    @classmethod
    def learn(cls, signed: pd.DataFrame) -> Furthest:
        """From two-sided residuals (rows by features) of the reference."""
        distance, rows = {}, {}
        for name, side in _COLUMNS:
            away = _away(signed, name, side)
            known = away[~np.isnan(away)]
            if known.size:
                distance[f"{name}:{side}"] = max(float(known.max()), 0.0)
                rows[f"{name}:{side}"] = int(known.size)
        return cls(distance, rows)

    def beyond(self, signed: pd.DataFrame) -> pd.DataFrame:
        """The distances (rows by `feature:side`) of those that lie further than the reference ever did; NaN everywhere else."""
        columns = {}
        for name, side in _COLUMNS:
            furthest = self.distance.get(f"{name}:{side}")
            if furthest is not None:
                away = _away(signed, name, side)
                columns[f"{name}:{side}"] = np.where(away > furthest, away, np.nan)
        return pd.DataFrame(columns, index=signed.index, dtype=np.float64)


def _away(signed: pd.DataFrame, name: str, side: str) -> FloatArray:
    return np.asarray(_SIGN[side] * signed[name].to_numpy(dtype=np.float64), dtype=np.float64)
