"""The catalogue of features: each defined once, as SQL over the relations of `fraud.features.relations`, and read by every engine.

A feature says what it measures, in which direction it is suspicious, what it rests on and which columns it needs. It sets no threshold:
those live in the policy. A feature whose columns are wholly empty in a program's window is unknown there, never zero.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import cache

from fraud.domain.hashing import sha256_of
from fraud.enrichment import egress
from fraud.features import conversions, relations, visits
from fraud.features.click_features import CLICK_FEATURES
from fraud.features.constants import VERSION
from fraud.features.conversion_features import CONVERSION_FEATURES
from fraud.features.definition import AFFILIATE, BOTH, Bad, Feature, Kind, Level, Unit
from fraud.features.earnings import EARNING_FEATURES
from fraud.features.visit_features import VISIT_FEATURES

__all__ = [
    "AFFILIATE",
    "BOTH",
    "BY_NAME",
    "CLICK_FEATURES",
    "CONVERSION_FEATURES",
    "FEATURES",
    "VISIT_FEATURES",
    "Bad",
    "Feature",
    "Kind",
    "Level",
    "Unit",
    "feature_set_hash",
    "features_of",
]

_TEXTS = frozenset({"title", "doc", "prior_group", "window", "missing"})

FEATURES: tuple[Feature, ...] = CLICK_FEATURES + CONVERSION_FEATURES + EARNING_FEATURES + VISIT_FEATURES
"""Every feature, in the order of the columns of a `FeatureTable`."""

BY_NAME: dict[str, Feature] = {feature.name: feature for feature in FEATURES}


def features_of(level: Level) -> tuple[Feature, ...]:
    """The features that exist at a level."""
    return tuple(feature for feature in FEATURES if level in feature.level)


@cache
def feature_set_hash() -> str:
    """SHA-256 (hex) of everything that decides a value: a decision names the features it saw by it. Texts do not count."""
    definitions = [{name: value for name, value in asdict(feature).items() if name not in _TEXTS} for feature in FEATURES]
    return sha256_of(
        {
            "features": definitions,
            "sql": [*relations.definitions(), *conversions.definitions(), *visits.definitions()],
            "versions": [VERSION, egress.VERSION],
        }
    )
