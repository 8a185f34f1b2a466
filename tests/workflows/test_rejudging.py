"""Decisions judged again: signals that another pack treats alike stand as they were, and the answer is that of a whole new judgement."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.decisions.traffic import prepared_checks, verdict_of
from fraud.domain.decisions import Artefact, DecisionKind
from fraud.errors import ReplayError
from fraud.policy.loading import load_pack
from fraud.policy.pack import CheckPolicy, Pack
from fraud.workflows.rejudging import Rejudge, stored_inputs
from tests.workflows.test_replaying import PACK, scanned, stored

DECISION = stored(scanned())


def pack_with(**checks: CheckPolicy) -> Pack:
    """The default pack with some checks treated otherwise."""
    return msgspec.structs.replace(PACK, id="other", checks=PACK.checks | {name.replace("__", "."): one for name, one in checks.items()})


def whole(pack: Pack) -> tuple[Any, ...]:
    """What the pack says when every check is run again."""
    inputs = stored_inputs(DECISION)
    verdict = verdict_of(pack, inputs, prepared_checks(pack).run(inputs.facts.subject, inputs.facts))
    return verdict.outcome, verdict.score, verdict.rules, verdict.guards


def quick(pack: Pack) -> tuple[Any, ...]:
    judged = Rejudge(pack, lambda _: PACK)(DECISION)
    return judged.outcome, judged.score, judged.rules, judged.guards


@given(name=st.sampled_from([name for name in PACK.checks if name.startswith("traffic.")]), scale=st.floats(0.1, 3), on=st.booleans())
def test_it_says_what_running_every_check_again_says(name: str, scale: float, on: bool) -> None:
    before = PACK.checks[name]
    thresholds = {key: msgspec.structs.replace(one, value=one.value * scale) for key, one in before.thresholds.items()}
    pack = pack_with(**{name.replace(".", "__"): msgspec.structs.replace(before, thresholds=thresholds, enabled=on, weight=scale)})
    assert quick(pack) == whole(pack)


def test_a_check_that_was_off_then_is_run_now() -> None:
    off = pack_with(traffic__peer_residuals=msgspec.structs.replace(PACK.checks["traffic.peer_residuals"], enabled=False))
    kept = tuple(signal for signal in DECISION.signals if signal.check_id != "traffic.peer_residuals")
    made = msgspec.structs.replace(DECISION, signals=kept)
    assert Rejudge(PACK, lambda _: off)(made).outcome is DECISION.verdict.outcome


def test_without_the_pack_of_then_everything_is_run_again() -> None:
    def lost(policy: Artefact) -> Pack:
        raise ReplayError(f"{policy.id} is gone")

    blank = msgspec.structs.replace(DECISION, signals=())
    assert Rejudge(load_pack(), lost)(blank).outcome is DECISION.verdict.outcome


@pytest.mark.parametrize("kind", [DecisionKind.SCAN, DecisionKind.SCORE, DecisionKind.CONVERSION])
def test_erased_inputs_say_so(kind: DecisionKind) -> None:
    rejudge = Rejudge(PACK, lambda _: PACK)
    with pytest.raises(ReplayError, match=r"erased|complete|not about"):
        rejudge(msgspec.structs.replace(DECISION, kind=kind, inputs={}))
