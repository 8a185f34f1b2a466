"""The reasons a person reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.baseline import Observations, PeerBaseline
from models.explain import top_reasons


def test_the_planted_cause_is_named_first_with_its_figures(baseline: PeerBaseline, tonight: Observations) -> None:
    big = str(tonight.volume.idxmax())
    values = tonight.values.copy()
    values.loc[big, ["hosting_share", "conversion_ratio"]] = [0.6, 0.3]
    reasons = top_reasons(baseline.transform(replace(tonight, values=values)), big)
    assert (reasons[0].feature, reasons[0].side, reasons[0].value) == ("hosting_share", "high", 0.6)
    assert reasons[0].peer < 0.05
    assert reasons[0].support == tonight.volume[big]
    assert ("conversion_ratio", "low") in [(reason.feature, reason.side) for reason in reasons]
    assert [reason.z for reason in reasons] == sorted((reason.z for reason in reasons), reverse=True)


def test_a_planted_cause_is_among_three_reasons_for_nearly_everybody(baseline: PeerBaseline, tonight: Observations) -> None:
    known = tonight.support["hosting_share"] >= 20
    values = tonight.values.assign(hosting_share=0.4)
    residuals = baseline.transform(replace(tonight, values=values))
    named = [any(reason.feature == "hosting_share" for reason in top_reasons(residuals, entity)) for entity in tonight.values.index[known]]
    assert sum(named) / len(named) >= 0.95


def test_what_is_unknown_or_ordinary_is_no_reason(baseline: PeerBaseline, tonight: Observations) -> None:
    nothing = replace(tonight, values=tonight.values * float("nan"))
    assert top_reasons(baseline.transform(nothing), "a1") == []


def test_an_unknown_entity_is_an_error(baseline: PeerBaseline, tonight: Observations) -> None:
    with pytest.raises(KeyError, match="no residuals for 'nobody'"):
        top_reasons(baseline.transform(tonight), "nobody")
