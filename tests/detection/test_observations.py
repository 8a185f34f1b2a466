"""Whose peer an affiliate is: by kind, line of business, country and size, as far as these are known."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from fraud.detection.observations import observations, peer_groups, specs
from models.baseline import PeerBaseline
from tests.detection.tables import table_of

LEVELS = ["kind_vertical_country_size", "kind_country_size", "kind_size", "kind"]


def groups_of(**facts: Any) -> dict[str, Any]:
    known = {"affiliate_type": "coupon", "main_country": "DE", "vertical": "travel", "clicks": 120.0}
    row = peer_groups(pd.DataFrame([known | facts], index=["a"])).iloc[0]
    return {str(name): row[name] for name in row.index}


def test_the_finest_group_holds_everything_and_each_parent_one_thing_less() -> None:
    groups = groups_of()
    assert list(groups) == LEVELS
    assert list(groups.values()) == ["coupon|travel|DE|size4", "coupon|DE|size4", "coupon|size4", "coupon"]


def test_an_unknown_line_of_business_is_a_level_skipped_and_no_group() -> None:
    groups = groups_of(vertical=None)
    assert groups["kind_vertical_country_size"] is None
    assert groups["kind_country_size"] == "coupon|DE|size4"


@pytest.mark.parametrize("unknown", ["affiliate_type", "main_country"])
def test_those_of_whom_nothing_is_known_are_each_others_peers(unknown: str) -> None:
    assert "unknown" in groups_of(**{unknown: None})["kind_country_size"]


def test_a_large_line_of_business_has_its_own_usual_and_a_small_one_leans_on_the_others() -> None:
    """Sixty travel affiliates convert late and are each other's peers; five of another trade are measured mostly by everybody."""
    reference = table_of(260)
    reference.facts["clicks"] = 250.0
    reference.facts["vertical"] = ["travel"] * 60 + ["finance"] * 5 + ["fashion"] * 195
    reference.values.loc[reference.values.index[:65], "late_conversion_share"] = 0.6
    residuals = PeerBaseline(specs()).fit(observations(reference)).transform(observations(reference))
    z = residuals.z["late_conversion_share:high"].to_numpy()
    assert z[:60].max() < 0.5
    assert z[60:65].min() > 2 * z[:60].max()


def test_without_lines_of_business_everything_is_as_it_was() -> None:
    table = table_of(90)
    plain = observations(table)
    residuals = PeerBaseline(specs()).fit(plain).transform(plain)
    assert not any("travel" in label for label in residuals.group)
