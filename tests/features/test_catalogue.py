from __future__ import annotations

import re

import pytest

from fraud.events.tables import TABLES
from fraud.features import catalogue, conversions, relations
from fraud.features.catalogue import BY_NAME, FEATURES, feature_set_hash, features_of


def test_every_feature_is_named_once_and_explained() -> None:
    assert len(BY_NAME) == len(FEATURES)
    for feature in FEATURES:
        assert feature.title
        assert len(feature.doc) > 40, feature.name
        assert feature.minimum_support > 0
        assert feature.relation in relations.RELATIONS


def test_needed_columns_exist() -> None:
    known = {f"{table.kind}.{column.name}" for table in TABLES.values() for column in table.columns}
    assert {need for feature in FEATURES for need in feature.needs} <= known


def test_a_value_is_a_quotient_or_an_expression() -> None:
    for feature in FEATURES:
        assert bool(feature.numerator) != bool(feature.expression), feature.name
        if feature.kind in {"rate", "level"}:
            assert feature.numerator, "the count behind a rate is value times support"


def test_no_text_calls_anybody_names() -> None:
    assert not [
        feature.name for feature in FEATURES if re.search(r"fraudster|criminal|nigeria", feature.title + feature.doc, re.IGNORECASE)
    ]


def test_levels() -> None:
    assert "sub_ids_per_click" in {feature.name for feature in features_of("affiliate")}
    assert "sub_ids_per_click" not in {feature.name for feature in features_of("sub_id")}


def test_the_hash_follows_the_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    hash_now = feature_set_hash.__wrapped__  # the definitions never change while a process runs, so the hash is kept
    before = hash_now()
    assert hash_now() == before == feature_set_hash()
    monkeypatch.setattr(conversions, "CONVERSIONS", conversions.CONVERSIONS + " ")
    assert hash_now() != before
    monkeypatch.undo()
    monkeypatch.setattr(catalogue, "FEATURES", FEATURES[1:])
    assert hash_now() != before
