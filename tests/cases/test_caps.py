"""Caps and holds: never above their limits, tightened at once, loosened slowly, and still on noise."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fraud.cases.caps import CapState, Night, next_state
from fraud.domain.decisions import OUTCOMES, DecisionKind, Outcome
from fraud.policy.pack import CapPolicy

POLICY = CapPolicy()
CALM = Night(outcome=Outcome.PASS, recommended=None, usual=40.0)
BAD = Night(outcome=Outcome.HOLD, recommended=4, usual=40.0)

_NIGHTS = st.lists(
    st.builds(
        Night,
        outcome=st.sampled_from(OUTCOMES[DecisionKind.SCAN]),
        recommended=st.none() | st.integers(1, 200),
        usual=st.floats(0, 500),
    ),
    max_size=80,
)


def over(nights: list[Night], state: CapState = CapState()) -> list[CapState]:  # noqa: B008 - frozen
    states = [state]
    for night in nights:
        states.append(next_state(states[-1], night, POLICY))
    return states


def test_a_bad_night_caps_and_holds_at_once_and_calm_ones_loosen_step_by_step() -> None:
    states = over([BAD, *[CALM] * 15])
    assert (states[1].cap, states[1].held) == (4, True)
    assert [state.cap for state in states[1:13:3]] == [4, 8, 16, 32]
    assert states[4].held is False, "released after three calm nights"
    assert states[-1].cap is None, "gone at the usual volume"


def test_a_milder_recommendation_never_loosens() -> None:
    worse, milder = Night(outcome=Outcome.REVIEW, recommended=3, usual=40), Night(outcome=Outcome.REVIEW, recommended=30, usual=40)
    assert [state.cap for state in over([worse, milder, milder])] == [None, 3, 3, 3]


def test_one_calm_night_between_bad_ones_loosens_nothing() -> None:
    assert {state.cap for state in over([BAD, *[CALM, BAD] * 10])[1:]} == {4}
    assert all(state.held for state in over([BAD, *[CALM, BAD] * 10])[1:])


@given(_NIGHTS, st.integers(1, 50))
def test_a_cap_is_never_above_its_limit_nor_below_one(nights: list[Night], largest: int) -> None:
    policy = CapPolicy(largest=largest)
    state = CapState()
    for night in nights:
        state = next_state(state, night, policy)
        assert state.cap is None or 1 <= state.cap <= largest


@given(_NIGHTS)
def test_a_cap_loosens_by_no_more_than_a_step_and_only_after_calm_nights(nights: list[Night]) -> None:
    states = over(nights)
    for before, after, night in zip(states, states[1:], nights, strict=False):
        if _is_looser(before, after):
            assert night.recommended is None
            assert night.outcome is Outcome.PASS
            assert before.calm_nights == POLICY.calm_nights - 1
            assert after.cap is None or after.cap <= max(before.cap + 1, before.cap * POLICY.step)  # type: ignore[operator]  # it was there
        if before.held and not after.held:
            assert before.calm_nights == POLICY.calm_nights - 1


@given(st.lists(st.booleans(), min_size=10, max_size=200))
def test_noise_does_not_flap(bad: list[bool]) -> None:
    """Nights that are good and bad by chance: the cap changes at most once in three nights, whatever the coin says."""
    states = over([BAD if one else CALM for one in bad])
    loosened = [place for place, (before, after) in enumerate(pairwise(states)) if _is_looser(before, after)]
    assert all(second - first >= POLICY.calm_nights for first, second in pairwise(loosened))


def _is_looser(before: CapState, after: CapState) -> bool:
    return before.cap is not None and (after.cap is None or after.cap > before.cap)
