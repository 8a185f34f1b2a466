"""What an affiliate did over all the weeks of the reference: weak evidence that lasts becomes strong evidence.

A small affiliate shows little in one window, and what is spread thin shows little in any. Its windows together are compared with its
peers' windows together, and per feature the view from which it stands out more counts. Only conduct is looked back on: an established
difference of the audience is no news (`fraud.detection.history`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from fraud.detection.history import AUDIENCE
from fraud.detection.observations import peer_groups, specs
from fraud.features.catalogue import FEATURES
from fraud.features.table import FeatureTable
from models.baseline import Observations, PeerBaseline, Residuals

FEWEST_WINDOWS = 3
"""Reference windows from which there is something to look back on: with fewer, all of them together tell little more than tonight."""
USABLE_SUPPORT = 0.5
"""Share of a statistic's minimum of support that one window must bring: a mean of spreads of two events each is no spread of many."""

_COUNTS = ("clicks", "conversions", "expected_conversions", "self_matches")
_NOT_ADDITIVE = {one.name: USABLE_SUPPORT * one.minimum_support for one in FEATURES if one.kind in ("statistic", "magnitude")}


@dataclass(frozen=True)
class Pooled:
    """Affiliates over several windows, one row each: `sums` of value times support and `weights` of support (by feature), `counts` (the
    plain counts added up, NaN unknown, and `windows` in which they were active) and `kind` (`affiliate_type`, `main_country`,
    `vertical`)."""

    sums: pd.DataFrame
    weights: pd.DataFrame
    counts: pd.DataFrame
    kind: pd.DataFrame

    @classmethod
    def of(cls, table: FeatureTable, affiliates: pd.Index) -> Pooled:
        """The rows of a table, of these affiliates (rows,), each affiliate's together; audience features are left out."""
        support = table.support.set_axis(affiliates)
        values = table.values.set_axis(affiliates).where(_usable(table.values, table.support).set_axis(affiliates))
        weights = support.where(values.notna(), 0.0)
        counts = table.facts.loc[:, list(_COUNTS)].astype("float64").set_axis(affiliates).assign(windows=1.0)
        kind = table.facts.loc[:, ["affiliate_type", "main_country", "vertical"]].set_axis(affiliates)
        return cls(
            (values.fillna(0.0) * weights).groupby(level=0).sum(),
            weights.groupby(level=0).sum(),
            counts.groupby(level=0).sum(min_count=1),
            kind.groupby(level=0).last(),
        )

    def plus(self, other: Pooled) -> Pooled:
        """The rows of `other` with what is known of the same affiliates here added: a few visits from abroad tonight do not move anybody
        among other peers."""
        index = other.sums.index
        before = self.counts.reindex(index)
        kind = self.kind.reindex(index)
        return replace(
            other,
            kind=kind.where(kind.notna(), other.kind),
            sums=other.sums + self.sums.reindex(index, fill_value=0.0),
            weights=other.weights + self.weights.reindex(index, fill_value=0.0),
            counts=other.counts.fillna(before).where(before.isna() | other.counts.isna(), other.counts + before),
        )

    def reindexed(self, index: pd.Index) -> Pooled:
        """The rows in another order."""
        return Pooled(*(frame.loc[index] for frame in (self.sums, self.weights, self.counts, self.kind)))

    @cached_property
    def values(self) -> pd.DataFrame:
        """The features over all windows, weighted by their support; NaN unknown."""
        return self.sums / self.weights.where(self.weights > 0.0)

    def observations(self) -> Observations:
        """The rows as a baseline reads them; an affiliate's size is that of its usual window."""
        clicks = self.counts["clicks"] / self.counts["windows"]
        return Observations(self.values, self.weights, peer_groups(self.kind.assign(clicks=clicks)), clicks)


def _usable(values: pd.DataFrame, support: pd.DataFrame) -> pd.DataFrame:
    usable = values.notna()
    for name in usable.columns:
        usable[name] &= (support[name] >= _NOT_ADDITIVE.get(name, 0.0)) & (name not in AUDIENCE)
    return usable


@dataclass(frozen=True)
class Lookback:
    """The weeks before tonight, frozen: a baseline over affiliates' windows together, and what each did in them."""

    baseline: PeerBaseline
    past: Pooled

    @classmethod
    def learn(cls, reference: FeatureTable, everybody: FeatureTable | None = None) -> Lookback | None:
        """From reference rows by window and affiliate; `None` where there are too few windows, or none are named.

        `everybody` are the rows of the same windows with those who do not say what is usual (the confirmed bad): they have a past too.
        """
        index = reference.values.index
        if not isinstance(index, pd.MultiIndex) or index.get_level_values("window_start").nunique() < FEWEST_WINDOWS:
            return None
        usual = Pooled.of(reference, index.get_level_values("affiliate_id"))
        baseline = PeerBaseline(specs()).fit(usual.observations())
        past = usual if everybody is None else Pooled.of(everybody, everybody.values.index.get_level_values("affiliate_id"))
        return cls(baseline, past)

    def of_past(self, index: pd.Index) -> pd.DataFrame:
        """The residuals of the weeks themselves for reference rows: the same for every row of an affiliate."""
        z = self.baseline.transform(self.past.observations()).z
        return z.reindex(index.get_level_values("affiliate_id")).set_axis(index)

    def with_tonight(self, table: FeatureTable) -> tuple[Pooled, Residuals]:
        """Tonight's rows together with each one's past, and their residuals; who has no past stands there with tonight alone.

        The table's index must be affiliates (sub-IDs have no past). Each row depends on that row and the past alone.
        """
        pooled = self.past.plus(Pooled.of(table, pd.Index(table.values.index))).reindexed(table.values.index)
        return pooled, self.baseline.transform(pooled.observations())


def stronger(tonight: pd.DataFrame, weeks: pd.DataFrame) -> pd.DataFrame:
    """Per cell the larger of two views' residuals (rows by columns), whichever is known where only one is."""
    return pd.DataFrame(np.fmax(tonight.to_numpy(), weeks.to_numpy()), index=tonight.index, columns=tonight.columns)
