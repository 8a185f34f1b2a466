"""A subject beside its peers, for the features that stand out: what charts show."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.detection.observations import volume_band
from fraud.detection.traffic import Judgement
from fraud.domain.peers import PeerComparison
from fraud.features.catalogue import FEATURES
from fraud.features.table import FeatureTable, Subject

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FEWEST_PEERS = 8
"""With fewer peers of its size a subject is shown beside everybody."""

_FEATURES = {feature.name: feature for feature in FEATURES}


class PeerSpread:
    """The spread of every feature of a night, by size of affiliate, computed once and read for every chart."""

    def __init__(self, table: FeatureTable, judgement: Judgement) -> None:
        self._table, self._judgement = table, judgement
        self._bands = volume_band(table.facts["clicks"])
        self._band_of: dict[Subject, str] = dict(zip(self._bands.index, self._bands, strict=True))

    def of(self, subject: Subject, most: int = 4) -> tuple[PeerComparison, ...]:
        """The subject's most telling features beside those of its peers, largest residual first; none when nothing stands out."""
        comparisons = [
            self._compare(subject, reason.feature, reason.z, reason.value, reason.support)
            for reason in self._judgement.reasons(subject, most)
        ]
        return tuple(comparison for comparison in comparisons if comparison is not None)

    def _compare(self, subject: Subject, name: str, z: float, value: float, support: float) -> PeerComparison | None:
        spread = self._values(subject, name)
        if spread.empty or not np.isfinite(value):
            return None
        feature = _FEATURES[name]
        points = tuple(round(float(point), 9) for point in np.quantile(spread.to_numpy(), QUANTILES))
        return PeerComparison(
            feature=name,
            title=feature.title,
            unit=feature.unit,
            value=round(value, 9),
            z=round(z, 3),
            sample_size=round(support),
            quantiles=(points[0], points[1], points[2], points[3], points[4]),
        )

    def _values(self, subject: Subject, name: str) -> pd.Series[float]:
        enough = self._table.support[name] >= _FEATURES[name].minimum_support
        column = self._table.values[name].where(enough).dropna()
        peers = column[(self._bands[column.index] == self._band_of[subject]).to_numpy()]
        return peers if len(peers) >= FEWEST_PEERS else column
