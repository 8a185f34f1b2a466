"""What an affiliate always was: an established difference of its audience is no news (section 4.1, own history).

Only features of *who* comes are forgiven for having lasted: an app's one browser, readers of one country. What a visit does, how a sale
comes about and when is judged against peers however long it has been so, because fraud does not become usual by lasting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fraud.features.catalogue import FEATURES
from models.arrays import FloatArray

AUDIENCE = frozenset(feature.name for feature in FEATURES if feature.about == "audience")
"""Features that describe who comes."""

CLEAN_WINDOWS = 4
"""Earlier windows that make a habit: with windows of three days, about the fourteen days of section 4.1."""
NEWS = 1.0
"""What is added to the distance from the own past before it replaces a larger distance from peers (section 4.1)."""
LEAST_LEFT = 0.3
"""Share of the distance from peers that always remains: an affiliate whom nobody has reviewed is not forgiven everything (section 4.1)."""
LEAST_SPREAD = 0.35
"""Spread that the same affiliate has from window to window at least, in units of z."""
MEDIAN_OF_SQUARE = 0.4549
"""Median of a squared standard normal variable: turns a median of squares into a variance that outliers do not move."""


@dataclass(frozen=True)
class OwnHistory:
    """Each reference affiliate's usual two-sided residuals. `mean` and `count` are affiliates by features, `spread` (features,) is how
    much one affiliate varies from window to window."""

    mean: pd.DataFrame
    count: pd.DataFrame
    spread: pd.Series[float]

    @classmethod
    def learn(cls, signed: pd.DataFrame) -> OwnHistory:
        """From two-sided residuals (rows by features) indexed by window and affiliate; nothing is known where there are no windows."""
        own = signed.loc[:, [name for name in signed.columns if name in AUDIENCE]]
        if not isinstance(own.index, pd.MultiIndex):
            own = own.iloc[:0]
        subject = _subject(own.index)
        groups = own.groupby(subject)
        count, mean = groups.count(), groups.mean()
        seen = count.reindex(subject).to_numpy()
        squares = (own - mean.reindex(subject).to_numpy()) ** 2 * (seen / np.maximum(seen - 1, 1))
        return cls(mean, count, np.sqrt(squares.where(seen >= CLEAN_WINDOWS).median() / MEDIAN_OF_SQUARE))

    def temper(self, z: pd.DataFrame, signed: pd.DataFrame, within: bool = False) -> pd.DataFrame:
        """One-sided residuals `z` (rows by `feature:side`) with those of the audience no larger than their news.

        `signed` holds the two-sided ones of the same rows; with `within` the rows are the reference itself, each judged by the others.
        """
        subject = _subject(signed.index)
        tempered = z.copy()
        for column in z.columns:
            name, _, side = column.rpartition(":")
            if name in self.mean.columns:
                news = self._news(name, signed[name].to_numpy(dtype=np.float64), subject, within) * (1.0 if side == "high" else -1.0)
                peer = z[column].to_numpy(dtype=np.float64)
                known = np.maximum(np.minimum(peer, np.maximum(news + NEWS, 0.0)), LEAST_LEFT * peer)
                tempered[column] = np.where(np.isnan(news), peer, known)
        return tempered

    def _news(self, name: str, now: FloatArray, subject: pd.Index, within: bool) -> FloatArray:
        """The two-sided distance from the own past (rows,), NaN where there is too little of it."""
        count = self.count[name].reindex(subject).to_numpy(dtype=np.float64)
        mean = self.mean[name].reindex(subject).to_numpy(dtype=np.float64)
        if within:
            count, total = count - 1.0, mean * count
            mean = np.divide(total - now, count, out=np.full_like(mean, np.nan), where=count > 0)
        enough = count >= CLEAN_WINDOWS
        spread = self.spread[name] * np.sqrt(1.0 + 1.0 / np.where(enough, count, 1.0)) + LEAST_SPREAD
        return np.where(enough, (now - mean) / spread, np.nan)


def _subject(index: pd.Index) -> pd.Index:
    """The affiliates of the rows; sub-IDs have no history of their own."""
    if isinstance(index, pd.MultiIndex):
        if "affiliate_id" in index.names and "sub_id" not in index.names:
            return index.get_level_values("affiliate_id")
        return pd.Index([None] * len(index), dtype=object)
    return index
