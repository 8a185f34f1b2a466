"""Tables of features made by chance, for tests of what reads them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.features.catalogue import FEATURES, feature_set_hash
from fraud.features.table import FACT_COLUMNS, FeatureTable

NAMES = [feature.name for feature in FEATURES]


def table_of(rows: int, seed: int = 1, support: float = 300.0) -> FeatureTable:
    """Ordinary affiliates: every feature scatters around the same middle, with plenty to rest on."""
    rng = np.random.default_rng(seed)
    index = pd.Index([f"a{n}" for n in range(rows)], name="affiliate_id")
    shares = rng.beta(4.0, 16.0, size=(rows, len(NAMES)))
    facts = pd.DataFrame({name: [None] * rows for name in FACT_COLUMNS}, index=index)
    facts["clicks"] = rng.integers(200, 400, rows)
    facts["conversions"] = 20
    return FeatureTable(
        values=pd.DataFrame(shares, index=index, columns=NAMES),
        support=pd.DataFrame(support, index=index, columns=NAMES),
        facts=facts,
        hash=feature_set_hash(),
    )


def habitual(rows: int, seed: int = 1) -> FeatureTable:
    """The same ordinary affiliates in another window: each has habits of its own, which the window's chance blurs a little."""
    habits, chance = table_of(rows, seed=0), np.random.default_rng(seed)
    blurred = habits.values + 0.02 * chance.standard_normal(habits.values.shape)
    return FeatureTable(blurred.clip(0.001, 0.999), habits.support, habits.facts, habits.hash)
