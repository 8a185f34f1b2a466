"""What everybody knows beforehand: declared events, shifts that a whole offer shares, and who was reviewed already.

What is masked here becomes unknown, so that it neither raises a score nor clears anybody; a decision stores the masked values and is
replayed from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from fraud.detection.observations import observations
from fraud.features.table import FeatureTable
from models.baseline import PeerBaseline

BUSY = ("spiky_click_share", "hour_divergence", "same_minute_excess")
"""What a declared promotion or mailing explains (section 4.1): bursts and hours. Refunds, identity and delays are never excused."""
OFFERS_OWN = ("conversion_level", "delay_log_median", "late_conversion_share", "fast_conversion_share", "value_ratio")
"""What an offer's page, price or tracking changes for everybody who advertises it."""
COMMON_SHIFT = 1.0
"""Median residual over an offer's affiliates from which the offer changed, not they."""
SHARED_BY = 10
"""Affiliates whose main offer it is, for their median to speak for the offer."""


@dataclass(frozen=True)
class DeclaredEvent:
    """An event of the calendar that overlaps the window; without affiliate and offer it concerns everybody."""

    kind: str
    affiliate_id: str | None = None
    offer_id: str | None = None


@dataclass(frozen=True)
class Context:
    """What is known of a program before its night is judged. `labels` holds each reviewed affiliate's newest label (True: bad)."""

    events: tuple[DeclaredEvent, ...] = ()
    labels: Mapping[str, bool] = field(default_factory=dict)


def without_confirmed_bad(reference: FeatureTable, labels: Mapping[str, bool]) -> FeatureTable:
    """The reference without affiliates that review found bad: what they do is not what is usual."""
    affiliates = reference.values.index.get_level_values("affiliate_id")
    bad = [affiliate for affiliate, is_bad in labels.items() if is_bad]
    return reference.rows(reference.values.index[~affiliates.isin(bad)]) if bad else reference


def with_declared_events(table: FeatureTable, events: tuple[DeclaredEvent, ...]) -> FeatureTable:
    """The table with the declared events of each subject in the fact `declared`, and what they explain unknown."""
    affiliates = table.facts.index.get_level_values("affiliate_id") if table.facts.index.nlevels > 1 else table.facts.index
    offers = table.facts["main_offer"]
    declared: list[str | None] = []
    for affiliate, offer in zip(affiliates, offers, strict=True):
        kinds = {one.kind for one in events if one.affiliate_id in (None, affiliate) and one.offer_id in (None, offer)}
        declared.append(", ".join(sorted(kinds)) or None)
    values = table.values.copy()
    concerned = np.array([one is not None for one in declared], dtype=bool)
    values.loc[concerned, list(BUSY)] = np.nan
    values["conversion_level"] = values["conversion_level"].mask(concerned & (values["conversion_level"] > 1.0).to_numpy())
    return replace(table, values=values, facts=table.facts.assign(declared=pd.Series(declared, index=table.facts.index, dtype="object")))


def without_common_shifts(table: FeatureTable, baseline: PeerBaseline) -> tuple[FeatureTable, tuple[str, ...]]:
    """The table with what a whole offer's affiliates share unknown, and a note on each such offer."""
    signed = baseline.signed(observations(table)).loc[:, list(OFFERS_OWN)]
    offers = table.facts["main_offer"].astype("object")
    groups = signed.groupby(offers.to_numpy())
    shifted = (groups.median().abs() > COMMON_SHIFT) & (groups.count() >= SHARED_BY)
    values, notes = table.values.copy(), []
    for offer, row in shifted[shifted.any(axis=1)].iterrows():
        names = [name for name in OFFERS_OWN if row[name]]
        values.loc[(offers == offer).to_numpy(), names] = np.nan
        notes.append(f"Offer {offer} changed for everybody ({', '.join(names)}): its affiliates are not judged by that tonight.")
    return replace(table, values=values), tuple(notes)


def review_coverage(reference: FeatureTable, labels: Mapping[str, bool]) -> float:
    """The share of the reference's affiliate-windows that stem from reviewed or long trusted affiliates (section 4.4); 0 for none."""
    if not len(reference):
        return 0.0
    affiliates = reference.values.index.get_level_values("affiliate_id")
    return float((affiliates.isin(list(labels)) | affiliates.isin(_trusted(reference))).mean())


TRUSTED_DAYS, TRUSTED_CONVERSIONS = 180, 100
"""Age of an account and conversions in the reference that make an affiliate trusted without a review, if few of them were undone (4.5)."""


def _trusted(reference: FeatureTable) -> list[str]:
    facts = reference.facts
    starts = pd.to_datetime(facts.index.get_level_values("window_start"), utc=True)
    joined = pd.to_datetime(facts["joined_at"], utc=True)
    affiliates = facts.index.get_level_values("affiliate_id")
    old = ((starts - joined.array).days >= TRUSTED_DAYS).astype(float)
    frame = pd.DataFrame({"old": old, "n": facts["conversions"].to_numpy(dtype=float)}, index=affiliates)
    frame["undone"] = reference.values["reversal_share"].to_numpy(dtype=float)
    each = frame.groupby(level=0).agg(old=("old", "min"), n=("n", "sum"), undone=("undone", "mean"))
    good = (each["old"] > 0) & (each["n"] >= TRUSTED_CONVERSIONS) & (each["undone"] < each["undone"].median())
    return [str(one) for one in each.index[good.to_numpy()]]
