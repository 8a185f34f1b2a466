from __future__ import annotations

import pytest

from fraud.domain.actors import SYSTEM, Actor, ActorKind, Role


@pytest.mark.parametrize(
    ("role", "needed", "reaches"),
    [
        (Role.SCORE, Role.SCORE, True),
        (Role.SCORE, Role.REVIEW, False),
        (Role.REVIEW, Role.SCORE, True),
        (Role.ADMIN, Role.REVIEW, True),
        (Role.REVIEW, Role.ADMIN, False),
    ],
)
def test_each_role_includes_the_ones_before_it(role: Role, needed: Role, reaches: bool) -> None:
    assert role.reaches(needed) is reaches


def test_actors_stay_in_their_programs() -> None:
    key = Actor(kind=ActorKind.KEY, actor_id="key_1", name="tracker", role=Role.SCORE, programs=("shoes",))
    assert key.may_enter("shoes")
    assert not key.may_enter("hats")
    assert SYSTEM.may_enter("hats")
