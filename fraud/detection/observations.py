"""From the feature table to what the models read: kinds, directions, and the peer groups of every subject."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.features.catalogue import FEATURES, Feature
from fraud.features.table import FeatureTable
from models.baseline import HALF_SUPPORT, FeatureSpec, Observations

VOLUME_BANDS_PER_DECADE = 2
"""Peers are compared with peers of about their size: a factor of three in clicks is one band."""


def specs() -> tuple[FeatureSpec, ...]:
    """The catalogue's features as the baseline needs to know them."""
    return tuple(_spec(feature) for feature in FEATURES)


def _spec(feature: Feature) -> FeatureSpec:
    return FeatureSpec(
        name=feature.name,
        kind=feature.kind,
        bad=feature.bad,
        minimum_support=feature.minimum_support,
        floor=feature.floor,
        half_support=HALF_SUPPORT if feature.half_support is None else feature.half_support,
    )


def observations(table: FeatureTable) -> Observations:
    """The table as the baseline reads it: values, supports, peer groups (finest first) and clicks as volume."""
    clicks = table.facts["clicks"].astype("float64")
    return Observations(values=table.values, support=table.support, groups=peer_groups(table.facts), volume=clicks)


def peer_groups(facts: pd.DataFrame) -> pd.DataFrame:
    """Each subject's peers, finest first: kind, line of business, country and size; kind, country and size; kind and size; kind.

    An unknown kind or country is a group of its own: affiliates of whom nothing is known are each other's peers. Where the main offer's
    line of business is unknown, that level is skipped.
    """
    kind = facts["affiliate_type"].astype("str").where(facts["affiliate_type"].notna(), "unknown")
    country = facts["main_country"].astype("str").where(facts["main_country"].notna(), "unknown")
    size = volume_band(facts["clicks"])
    parents = {"kind_country_size": kind + "|" + country + "|" + size, "kind_size": kind + "|" + size, "kind": kind}
    known = facts["vertical"].notna()
    finest = kind + "|" + facts["vertical"].astype("str") + "|" + country + "|" + size
    return pd.DataFrame({"kind_vertical_country_size": finest.astype("object").where(known, None), **parents})


def volume_band(clicks: pd.Series[float]) -> pd.Series[str]:
    """The size of a subject as a label, about three bands from ten clicks to a thousand."""
    band = np.floor(np.log10(np.maximum(clicks.astype("float64"), 1.0)) * VOLUME_BANDS_PER_DECADE)
    return pd.Series([f"size{int(one)}" for one in band], index=clicks.index, dtype="str")
