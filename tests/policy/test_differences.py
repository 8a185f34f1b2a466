"""What a person sees of a change before it is published: every value, whatever part of the pack it stands in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fraud.domain.decisions import Outcome
from fraud.policy.differences import Change, changes_between
from fraud.policy.loading import load_pack
from fraud.policy.losses import OutcomeLoss
from fraud.policy.pack import Pack, Terms
from fraud.policy.rules import Rule


@pytest.fixture(scope="module")
def live() -> Pack:
    return load_pack("")


def with_(pack: Any, path: str, change: Callable[[Any], Any]) -> Any:
    """The same with one value changed, by its path."""
    name, _, rest = path.partition(".")
    if isinstance(pack, dict):
        return {**pack, name: with_(pack[name], rest, change) if rest else change(pack[name])}
    value = getattr(pack, name)
    return msgspec.structs.replace(pack, **{name: with_(value, rest, change) if rest else change(value)})


def test_a_pack_does_not_differ_from_itself(live: Pack) -> None:
    assert changes_between(live, live) == []


@pytest.mark.parametrize(
    ("path", "change", "where"),
    [
        ("scan.watch_score", lambda value: value / 2, "Scan: watch score"),
        ("scan.alerts.cooldown_days", lambda value: value + 1, "Scan: alerts, cooldown days"),
        ("scan.suspend_automatically", lambda value: not value, "Scan: suspend automatically"),
        ("vetting.loss.exposure", lambda value: value * 2, "Vetting: loss, exposure"),
        ("score.fail_open", lambda value: not value, "Clicks: fail open"),
        ("terms", lambda _: Terms(allows_coupon=False), "Terms: allows coupon"),
        ("terms", lambda _: Terms(prohibited_categories=("adult", "weapons")), "Terms: prohibited categories"),
    ],
)
def test_one_value_is_one_line(live: Pack, path: str, change: Callable[[Any], Any], where: str) -> None:
    (found,) = changes_between(live, with_(live, path, change))
    assert found.where == where
    assert found.then != found.now


def test_losses_come_with_their_reason(live: Pack) -> None:
    losses = {Outcome.REVIEW: OutcomeLoss(prevents=0.9, cost=7.5, harms=0.01, reason="Half an hour of a person")}
    found = changes_between(with_(live, "scan.losses", lambda _: {}), with_(live, "scan.losses", lambda _: losses))
    assert Change("Scan: losses, review, cost", "absent", "7.5", "Half an hour of a person") in found
    assert not any(one.where.endswith("reason") for one in found)


@pytest.mark.parametrize("field", ["weight", "clear_weight", "coverage"])
def test_every_figure_of_a_check_counts(live: Pack, field: str) -> None:
    name = next(iter(live.checks))
    check = msgspec.structs.replace(live.checks[name], **{field: getattr(live.checks[name], field) + 1})
    assert len(changes_between(live, with_(live, "checks", lambda all_of_them: {**all_of_them, name: check}))) == 1


def test_a_check_that_is_gone_is_said(live: Pack) -> None:
    name = next(iter(live.checks))
    without = with_(live, "checks", lambda all_of_them: {key: one for key, one in all_of_them.items() if key != name})
    assert [one.now for one in changes_between(live, without)] == ["absent"]
    assert [one.then for one in changes_between(without, live)] == ["absent"]


def test_a_rule_differs_by_what_it_leads_to_as_well(live: Pack) -> None:
    given = {"id": "own", "job": "traffic", "description": "Ours", "when": "clicks > 5", "owner": "Rosa", "at_least": "watch"}
    rule = msgspec.convert(given | {"examples": {"fires": [{}], "quiet": [{}]}}, Rule)
    graver = msgspec.structs.replace(rule, at_least=Outcome.REVIEW)
    before, after = with_(live, "rules", lambda _: (rule,)), with_(live, "rules", lambda _: (graver,))
    assert changes_between(before, after) == [Change("Rule own", "clicks > 5 → at least watch", "clicks > 5 → at least review")]
