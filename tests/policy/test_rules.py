"""A program's own rules: loaded whole with their examples, applied before the guards, recorded with the verdict."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml

from fraud.decisions.deciding import decide_event, decide_traffic
from fraud.decisions.ruling import Case
from fraud.domain.catalogue import CHECKS, Observation
from fraud.domain.decisions import DecisionKind, Outcome
from fraud.domain.signals import Severity
from fraud.errors import PolicyError
from fraud.policy.loading import load_pack, read_pack
from fraud.policy.pack import Pack

DEFAULT = msgspec.to_builtins(load_pack())
RULE: dict[str, Any] = {
    "id": "night.far_country",
    "job": "click",
    "owner": "Ada",
    "description": "We ship to two countries only.",
    "when": "country not in {'DE', 'AT'}",
    "at_least": "review",
    "public_text": "The offer is not open in the visitor's country.",
    "examples": {"fires": [{"country": "FR"}], "quiet": [{"country": "DE"}, {}]},
}


def pack_with(*rules: dict[str, Any], **changes: Any) -> Pack:
    return read_pack(yaml.safe_dump(DEFAULT | {"rules": list(rules)} | changes, sort_keys=False).encode(), "mine.yaml")


def refused(*rules: dict[str, Any], **changes: Any) -> str:
    with pytest.raises(PolicyError) as fault:
        pack_with(*rules, **changes)
    return fault.value.message


def click(pack: Pack, **facts: Any) -> Any:
    return decide_event(pack, Case(DecisionKind.SCORE, [], facts), degraded=False)


def test_a_rule_that_holds_raises_the_outcome_and_is_recorded() -> None:
    pack = pack_with(RULE)
    verdict = click(pack, country="FR")
    assert (verdict.outcome, verdict.rules, verdict.public_reason) == (Outcome.REVIEW, ("night.far_country",), RULE["public_text"])
    assert click(pack, country="DE").outcome is Outcome.ALLOW
    assert click(pack).outcome is Outcome.ALLOW, "an unknown country is not held against anybody"


def test_every_rule_that_holds_is_recorded_and_the_graver_one_stands() -> None:
    calm = RULE | {
        "id": "calm.everything",
        "when": "score >= 0",
        "at_most": "allow",
        "examples": {"fires": [{"score": 0.1}], "quiet": [{}]},
    }
    calm.pop("at_least")
    verdict = click(pack_with(calm, RULE), country="FR")
    assert (verdict.outcome, verdict.rules) == (Outcome.REVIEW, ("calm.everything", "night.far_country"))


def test_no_rule_blocks_or_holds_without_the_evidence_that_takes() -> None:
    verdict = click(pack_with(RULE | {"at_least": "block"}), country="FR")
    assert (verdict.outcome, verdict.guards) == (Outcome.REVIEW, ("no_block_without_absolute_evidence",))
    busy = {
        "job": "traffic",
        "when": "clicks > 100",
        "at_least": "suspend",
        "examples": {"fires": [{"clicks": 101}], "quiet": [{"clicks": 1}]},
    }
    automatic = DEFAULT["scan"] | {"suspend_automatically": True}
    night = decide_traffic(pack_with(RULE | busy, scan=automatic), [], 0.0, {"clicks": 500.0})
    assert night.outcome is Outcome.REVIEW
    assert night.guards == ("no_suspension_without_conclusive_evidence", "no_anomaly_alone_holds")


def test_a_rule_may_speak_of_findings() -> None:
    lenient = RULE | {
        "when": "'click.burst' in findings and country == 'DE'",
        "at_most": "allow",
        "examples": {"fires": [{"findings": ["click.burst"], "country": "DE"}], "quiet": [{"findings": [], "country": "DE"}]},
    }
    lenient.pop("at_least")
    burst = CHECKS["click.burst"].finding("c", Severity.HIGH, Observation(text="seen"))
    case = Case(DecisionKind.SCORE, [burst], {"country": "DE"})
    assert decide_event(load_pack(), case, degraded=False).outcome is Outcome.REVIEW
    assert decide_event(pack_with(lenient), case, degraded=False).outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"when": "contry == 'DE'"}, "There is no fact 'contry'; did you mean 'country'"),
        ({"when": "country > 3"}, "compares a text with a number"),
        ({"when": "score > 1"}, "it can never fire: score cannot be above 1"),
        ({"when": "'click.burst' in findings"}, "the example does not fire it: country = 'FR'"),
        ({"examples": {"fires": [], "quiet": [{}]}}, "there is no example under which it fires"),
        ({"examples": {"fires": [{"country": "FR"}], "quiet": []}}, "no example under which it stays quiet"),
        ({"examples": {"fires": [{"country": "FR"}], "quiet": [{"country": "IT"}]}}, "the example fires it: country = 'IT'"),
        ({"examples": {"fires": [{"country": 3}], "quiet": [{}]}}, "country is a text, and 3.0 is none"),
        ({"examples": {"fires": [{"planet": "Mars"}], "quiet": [{}]}}, "there is no fact 'planet'"),
        ({"at_least": None}, "give either at_least or at_most"),
        ({"at_least": "hold"}, "'hold' is no outcome of click; use allow, review, block"),
        ({"owner": " "}, "owner is empty"),
    ],
)
def test_a_rule_that_is_wrong_is_refused_with_its_line(change: dict[str, Any], message: str) -> None:
    told = refused(RULE | change)
    assert message in told
    line = int(told.split("mine.yaml:", 1)[1].split(":", 1)[0])
    text = yaml.safe_dump(DEFAULT | {"rules": [RULE | change]}, sort_keys=False).splitlines()
    first = text.index("rules:") + 1
    assert first < line <= len(text)


def test_a_check_that_is_switched_off_cannot_be_spoken_of() -> None:
    checks = {name: dict(check) for name, check in DEFAULT["checks"].items()}
    checks["click.burst"]["enabled"] = False
    rule = RULE | {"when": "'click.burst' in findings", "examples": {"fires": [{"findings": ["click.burst"]}], "quiet": [{}]}}
    assert "the check 'click.burst' is switched off" in refused(rule, checks=checks)


def test_two_rules_may_not_share_an_id() -> None:
    assert "'night.far_country' is there already, as number 1" in refused(RULE, RULE)


def test_faults_of_the_rest_of_a_pack_name_their_lines_too() -> None:
    text = yaml.safe_dump(DEFAULT, sort_keys=False).replace("prior: 0.02", "prior: 2.0").encode()
    line = text.decode().splitlines().index("  prior: 2.0") + 1
    with pytest.raises(PolicyError, match=rf"mine\.yaml:{line}: score\.prior is 2\.0"):
        read_pack(text, "mine.yaml")
    with pytest.raises(PolicyError, match=r"mine\.yaml:\d+: .*Expected `float`"):
        read_pack(text.replace(b"prior: 2.0", b"prior: many"), "mine.yaml")


def test_a_pack_without_rules_keeps_its_hash() -> None:
    assert "rules" not in msgspec.to_builtins(load_pack())
    assert pack_with().hash == load_pack().hash != pack_with(RULE).hash
