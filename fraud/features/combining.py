"""Features of clicks from the counters' answers in compiled code: the same bits, one click or many."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import compiled

VALUE, SHARE, RARITY, OTHER_SHARE = range(4)
"""How answers become a feature, as numbers: see `fraud.features.realtime`."""


@compiled
def combined(answers: NDArray[np.float64], steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Features (events, features) from answers (events, questions), NaN where there is too little to say.

    `steps` (features, 4): how, the places of one or two answers, and the least support a share needs (events).
    """
    features = np.full((answers.shape[0], len(steps)), np.nan)
    for event in range(answers.shape[0]):
        for column in range(len(steps)):
            how, least = steps[column, 0], max(steps[column, 3], 1)
            part, whole = answers[event, steps[column, 1]], answers[event, steps[column, 2]]
            if how == VALUE:
                features[event, column] = part
            elif how == SHARE and whole >= least:
                features[event, column] = part / whole
            elif how == RARITY and whole >= least and part > 0.0:
                features[event, column] = math.log10(whole / part)
            elif how == OTHER_SHARE and whole - 1.0 >= least:
                features[event, column] = (whole - part) / (whole - 1.0)
    return features
