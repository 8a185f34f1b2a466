"""The outcome with the smallest expected loss, where a pack says what outcomes cost and save (section 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fraud.domain.decisions import Outcome
from fraud.policy.losses import BY_LOSS, OutcomeLoss

NOT_WORTH_A_REVIEW = "review_costs_more_than_it_saves"
"""The guard that watches what a person's time would cost more to review than is at stake."""
WORTH_A_REVIEW = "stake_asks_for_a_review"
"""The guard that reviews what the score alone would have left to be watched or passed."""


def expected_loss(loss: OutcomeLoss, risk: float, stake: float) -> float:
    """What an outcome is expected to lose at this probability of harm, with so much pending commission at stake."""
    return loss.cost + risk * (1 - loss.prevents) * stake + (1 - risk) * loss.harms * stake


def cheapest(losses: Mapping[Outcome, OutcomeLoss], outcomes: Sequence[Outcome], risk: float, stake: float) -> Outcome:
    """The outcome that is expected to lose least; of equals the mildest."""
    return min(outcomes, key=lambda outcome: expected_loss(losses.get(outcome, OutcomeLoss()), risk, stake))


def by_loss(losses: Mapping[Outcome, OutcomeLoss], outcome: Outcome, risk: float, stake: float | None) -> tuple[Outcome, str]:
    """The outcome moved to where the expected loss is smallest, and the guard that says why it moved (empty: it stayed).

    It never passes what was to be watched, never moves what evidence holds or suspends, and leaves an unknown stake to the score.
    """
    if not losses or stake is None or outcome not in BY_LOSS:
        return outcome, ""
    best = cheapest(losses, BY_LOSS if outcome is Outcome.PASS else BY_LOSS[1:], risk, max(stake, 0.0))
    if outcome is Outcome.REVIEW and best is Outcome.WATCH:
        return best, NOT_WORTH_A_REVIEW
    if outcome is not Outcome.REVIEW and best is Outcome.REVIEW:
        return best, WORTH_A_REVIEW
    return outcome, ""
