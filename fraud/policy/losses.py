"""What each outcome of a scan costs and saves, as a pack states it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from fraud.domain.decisions import Outcome

BY_LOSS = (Outcome.PASS, Outcome.WATCH, Outcome.REVIEW)
"""The outcomes between which losses may choose, mildest first: holding and suspending take evidence, whatever is at stake."""


class OutcomeLoss(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One outcome: the share of a bad affiliate's pending commission that it saves (`prevents`), what it costs in the program's currency
    (`cost`, a person's time), and the share of an honest affiliate's pending commission that it loses by the trouble it gives (`harms`)."""

    prevents: float = 0.0
    cost: float = 0.0
    harms: float = 0.0
    reason: str = ""


def faults_in_losses(losses: Mapping[Outcome, OutcomeLoss]) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is wrong with a table of losses, and where in it."""
    for outcome, loss in losses.items():
        if outcome not in BY_LOSS:
            yield (outcome.value,), f"losses choose between pass, watch and review, and {outcome.value!r} takes evidence"
        for name in ("prevents", "harms"):
            if not 0 <= getattr(loss, name) <= 1:
                yield (outcome.value, name), f"{name} is {getattr(loss, name):g}, but must lie between 0 and 1"
        if loss.cost < 0:
            yield (outcome.value, "cost"), f"cost is {loss.cost:g}, but must not be below 0"
        if not loss.reason.strip():
            yield (outcome.value, "reason"), f"the losses of {outcome.value!r} give no reason"
    prevented = [losses.get(outcome, OutcomeLoss()).prevents for outcome in BY_LOSS]
    if prevented != sorted(prevented):
        yield (), "a graver outcome must prevent at least as much as a milder one"
