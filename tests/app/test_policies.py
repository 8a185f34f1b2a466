"""Policies as a program lives under them: compared before, published with a reason, and never changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fraud.app.parts import App
from fraud.app.policies import diff_policy, publish_policy
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.decisions import DecisionKind, Outcome
from fraud.domain.policies import PolicyState
from fraud.errors import InputError
from fraud.policy.loading import load_pack
from tests.policy.test_rules import DEFAULT

WHY = (SYSTEM, "Fewer false alarms last month.")
STRICT = {
    "id": "busy.review",
    "job": "traffic",
    "owner": "Ada",
    "description": "Whoever sends anything at all is looked at.",
    "when": "clicks >= 1",
    "at_least": "review",
    "examples": {"fires": [{"clicks": 1}], "quiet": [{"clicks": 0}]},
}


@pytest.fixture
def strict(tmp_path: Path) -> str:
    """A pack whose one rule sends every affiliate with a click to review; its path."""
    file = tmp_path / "strict.yaml"
    file.write_text(yaml.safe_dump(DEFAULT | {"id": "strict", "rules": [STRICT]}, sort_keys=False))
    return str(file)


def test_the_same_pack_changes_nothing(scanned_copy: App) -> None:
    result = diff_policy(scanned_copy, DEFAULT_PROGRAM, "default", 36_500, lambda done: None)
    assert result.decisions > 0
    assert (result.changed, result.erased, result.moves) == (0, 0, ())


def test_another_pack_says_whom_it_would_move_and_what_is_at_stake(scanned_copy: App, strict: str) -> None:
    result = diff_policy(scanned_copy, DEFAULT_PROGRAM, strict, 36_500, lambda done: None)
    kept = list(scanned_copy.stores.decisions.decided(DEFAULT_PROGRAM, DecisionKind.SCAN, scanned_copy.clock.now().replace(year=2000)))
    assert result.decisions == len(kept) + len(scanned_copy.stores.applications.dossiers(DEFAULT_PROGRAM, 100))
    assert result.rules == {"busy.review": sum(one.inputs["facts"]["counts"]["clicks"] >= 1 for one in kept)}
    assert {move.now for move in result.moves} == {Outcome.REVIEW}
    assert sum(move.decisions for move in result.moves) == result.changed > 0
    assert all(one.graver and one.rules == ("busy.review",) for one in result.examples)
    assert any(move.commission for move in result.moves)


def test_nothing_is_kept_of_a_comparison(scanned_copy: App, strict: str) -> None:
    def kept() -> list[str]:
        decided = scanned_copy.stores.decisions.decided(DEFAULT_PROGRAM, DecisionKind.SCAN, scanned_copy.clock.now().replace(year=2000))
        return [decision.decision_id for decision in decided]

    before = kept()
    diff_policy(scanned_copy, DEFAULT_PROGRAM, strict, 36_500, lambda done: None)
    assert kept() == before


def test_a_published_pack_decides_even_when_its_file_changes(app: App, strict: str) -> None:
    published = publish_policy(app, DEFAULT_PROGRAM, strict, PolicyState.LIVE, WHY)
    Path(strict).write_text("broken")
    assert app.pack_for(DEFAULT_PROGRAM).hash == published.policy.hash
    assert app.pack_for(DEFAULT_PROGRAM).rules[0].id == "busy.review"
    assert app.pack_for("another").hash == load_pack().hash


def test_a_publication_retires_the_one_before_and_says_who_and_why(app: App, strict: str) -> None:
    publish_policy(app, DEFAULT_PROGRAM, strict, PolicyState.LIVE, WHY)
    publish_policy(app, DEFAULT_PROGRAM, "default", PolicyState.LIVE, (SYSTEM, "Back."))
    newest, oldest = app.stores.policies.history(DEFAULT_PROGRAM)
    assert (newest.state, oldest.state, oldest.reason) == (PolicyState.LIVE, PolicyState.RETIRED, WHY[1])
    assert oldest.retired_at == newest.published_at
    assert app.stores.audit.entries(DEFAULT_PROGRAM, 1)[0]["action"] == "policy.live"


def test_a_shadow_pack_decides_nothing(app: App, strict: str) -> None:
    publish_policy(app, DEFAULT_PROGRAM, strict, PolicyState.SHADOW, WHY)
    assert app.pack_for(DEFAULT_PROGRAM).hash == load_pack().hash


def test_publishing_takes_a_reason_and_something_new(app: App, strict: str) -> None:
    with pytest.raises(InputError, match="--reason"):
        publish_policy(app, DEFAULT_PROGRAM, strict, PolicyState.LIVE, (SYSTEM, "  "))
    publish_policy(app, DEFAULT_PROGRAM, strict, PolicyState.LIVE, WHY)
    with pytest.raises(InputError, match="is live already"):
        publish_policy(app, DEFAULT_PROGRAM, strict, PolicyState.LIVE, WHY)
