"""A small reference program: affiliates in types and geographies, with one feature of every kind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.baseline import FeatureSpec, Observations, PeerBaseline

SPECS = (
    FeatureSpec("hosting_share", "rate", "high", 20),
    FeatureSpec("conversion_ratio", "level", "both", 0.5),
    FeatureSpec("clicks_per_minute", "magnitude", "high", 20),
    FeatureSpec("gap_regularity", "statistic", "low", 20),
)


def observations(seed: int = 0, size: int = 300, prefix: str = "a") -> Observations:
    """`size` honest affiliates, 5 of a hundred being apps, which form a small group of their own."""
    rng = np.random.default_rng(seed)
    index = pd.Index([f"{prefix}{number}" for number in range(size)], name="affiliate_id")
    clicks = np.maximum(rng.lognormal(np.log(300), 1.2, size).round(), 1)
    expected = clicks * 0.03
    hosting = rng.binomial(clicks.astype(int), rng.beta(2, 98, size)) / clicks
    ratio = rng.poisson(expected * rng.lognormal(0, 0.3, size)) / expected
    burst = np.expm1(0.8 * np.log(clicks) - 1.5 + rng.normal(0, 0.3, size)).clip(1)
    values = pd.DataFrame(
        {"hosting_share": hosting, "conversion_ratio": ratio, "clicks_per_minute": burst, "gap_regularity": rng.normal(1, 0.15, size)},
        index=index,
    )
    support = pd.DataFrame(dict.fromkeys(values.columns, clicks), index=index)
    support["conversion_ratio"] = expected
    kind = rng.choice(["content", "coupon", "social", "app"], size, p=[0.5, 0.25, 0.2, 0.05])
    country = rng.choice(["us", "de", "in"], size)
    groups = pd.DataFrame({"fine": [f"{k}/{c}" for k, c in zip(kind, country, strict=True)], "type": kind}, index=index)
    return Observations(values, support, groups, pd.Series(clicks, index=index))


@pytest.fixture(scope="session")
def reference() -> Observations:
    """The reference window."""
    return observations(seed=1)


@pytest.fixture(scope="session")
def tonight() -> Observations:
    """Another window of the same program."""
    return observations(seed=2)


@pytest.fixture(scope="session")
def baseline(reference: Observations) -> PeerBaseline:
    """The baseline of the reference."""
    return PeerBaseline(SPECS).fit(reference)


def cell(frame: pd.DataFrame, row: str, column: str) -> float:
    """One figure of a frame."""
    return float(frame.loc[[row], column].to_numpy()[0])


def rows(obs: Observations, entities: list[str]) -> Observations:
    """The same observations of some entities, in that order."""
    return Observations(obs.values.loc[entities], obs.support.loc[entities], obs.groups.loc[entities], obs.volume.loc[entities])
