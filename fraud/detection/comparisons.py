"""A subject beside its peers, for the features that stand out: what charts show."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from fraud.detection.observations import volume_band
from fraud.detection.traffic import Judgement
from fraud.domain.peers import PeerComparison
from fraud.features.catalogue import FEATURES
from fraud.features.table import FeatureTable, Subject, places_of
from models.explain import ResidualReason

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FEWEST_PEERS = 8
"""With fewer peers of its size a subject is shown beside everybody."""

_FEATURES = {feature.name: feature for feature in FEATURES}


Quantiles: TypeAlias = tuple[float, float, float, float, float]


class PeerSpread:
    """The spread of every feature of a night, by size of affiliate, each computed at the first chart that asks for it."""

    def __init__(self, table: FeatureTable, judgement: Judgement) -> None:
        self._table, self._judgement = table, judgement
        self._bands = volume_band(table.facts["clicks"]).to_numpy()
        self._place = places_of(table.facts)
        self._known: dict[tuple[str, str], Quantiles | None] = {}

    def of(self, subject: Subject, most: int = 4) -> tuple[PeerComparison, ...]:
        """The subject's most telling features beside those of its peers, largest residual first; none when nothing stands out."""
        band = str(self._bands[self._place[subject]])
        comparisons = (self._compare(band, reason) for reason in self._judgement.reasons(subject, most))
        return tuple(comparison for comparison in comparisons if comparison is not None)

    def _compare(self, band: str, reason: ResidualReason) -> PeerComparison | None:
        quantiles = self._quantiles(reason.feature, band)
        if quantiles is None or not math.isfinite(reason.value):
            return None
        feature = _FEATURES[reason.feature]
        return PeerComparison(
            feature=feature.name,
            title=feature.title,
            unit=feature.unit,
            value=round(reason.value, 9),
            z=round(reason.z, 3),
            sample_size=round(reason.support),
            quantiles=quantiles,
        )

    def _quantiles(self, name: str, band: str) -> Quantiles | None:
        """Where peers of a size lie, or everybody where they are few; `None` where nobody has enough support."""
        if (name, band) not in self._known:
            self._known[name, band] = self._computed(name, band)
        return self._known[name, band]

    def _computed(self, name: str, band: str) -> Quantiles | None:
        values = self._table.values[name].to_numpy(dtype=np.float64)
        support = self._table.support[name].to_numpy(dtype=np.float64)
        usable = (support >= _FEATURES[name].minimum_support) & ~np.isnan(values)
        peers = usable & (self._bands == band)
        spread = values[peers if np.count_nonzero(peers) >= FEWEST_PEERS else usable]
        if not spread.size:
            return None
        least, low, middle, high, most = (round(float(point), 9) for point in np.quantile(spread, QUANTILES))
        return least, low, middle, high, most
