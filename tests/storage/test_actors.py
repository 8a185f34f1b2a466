"""Keys: made once, shown once, kept only as a hash."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from fraud.domain.actors import Actor, ActorKind, KeyState, Role
from fraud.domain.clock import FixedClock
from fraud.errors import Conflict, InputError, NotFound
from fraud.storage.actors import SqlActors
from fraud.storage.database import Database
from fraud.storage.tables import METADATA
from tests.storage.samples import NOON, later


@pytest.fixture
def actors(database: Database) -> SqlActors:
    return SqlActors(database)


def test_a_made_key_opens_the_door(actors: SqlActors) -> None:
    actor, secret = actors.create_key("tracker", Role.SCORE, ["shoes", "hats"], NOON)
    assert actor == Actor(kind=ActorKind.KEY, actor_id=actor.actor_id, name="tracker", role=Role.SCORE, programs=("shoes", "hats"))
    assert secret.startswith("fk_score_")
    assert len(secret) == len("fk_score_") + 43  # 32 random bytes in base 64
    assert actors.authenticate(secret) == actor
    assert actors.keys() == [actor]


@pytest.mark.parametrize("secret", ["", " ", "fk_score_", "fk_score_é", "\x00", "\ud800", "' OR 1=1 --"])
def test_nothing_else_does(actors: SqlActors, secret: str) -> None:
    actors.create_key("tracker", Role.SCORE, ["shoes"], NOON)
    assert actors.authenticate(secret) is None


def test_two_keys_are_never_the_same(actors: SqlActors) -> None:
    made = [actors.create_key("tracker", Role.SCORE, ["shoes"], NOON) for _ in range(3)]
    assert len({secret for _, secret in made}) == len({actor.actor_id for actor, _ in made}) == 3


def test_the_secret_is_nowhere_in_the_database(actors: SqlActors, database: Database) -> None:
    _, secret = actors.create_key("tracker", Role.ADMIN, ["*"], NOON)
    with database.reading() as connection:
        everything = [str(connection.execute(text(f"SELECT * FROM {name}")).all()) for name in METADATA.tables]
    assert not any(secret in rows for rows in everything)


def test_a_key_chosen_outside_is_accepted_once(actors: SqlActors) -> None:
    first = actors.accept_key("chosen outside", "from the environment", Role.REVIEW, ["*"], NOON)
    again = actors.accept_key("chosen outside", "another name", Role.REVIEW, ["shoes"], later(1))
    assert first == again == actors.authenticate("chosen outside")
    assert actors.keys() == [first]


def test_servers_that_start_together_accept_the_same_key(actors: SqlActors) -> None:
    with ThreadPoolExecutor(8) as pool:
        accepted = list(pool.map(lambda _: actors.accept_key("chosen outside", "env", Role.ADMIN, ["*"], NOON), range(16)))
    assert actors.keys() == [accepted[0]]
    assert set(accepted) == {accepted[0]}


def test_one_secret_never_stands_for_two_roles(actors: SqlActors) -> None:
    actors.accept_key("chosen outside", "env", Role.SCORE, ["*"], NOON)
    with pytest.raises(Conflict, match="already stands for score"):
        actors.accept_key("chosen outside", "env", Role.ADMIN, ["*"], NOON)
    only = actors.authenticate("chosen outside")
    assert only is not None
    assert only.role is Role.SCORE


@pytest.mark.parametrize("secret", ["", "  \t"])
def test_a_blank_secret_is_refused(actors: SqlActors, secret: str) -> None:
    with pytest.raises(InputError, match="is blank"):
        actors.accept_key(secret, "env", Role.ADMIN, ["*"], NOON)


def test_a_revoked_key_is_dead_for_good(actors: SqlActors) -> None:
    actor = actors.accept_key("chosen outside", "env", Role.SCORE, ["*"], NOON)
    actors.revoke(actor.actor_id, later(1))
    assert actors.authenticate("chosen outside") is None
    assert actors.keys() == []
    with pytest.raises(Conflict, match="was revoked"):
        actors.accept_key("chosen outside", "env", Role.SCORE, ["*"], later(2))
    with pytest.raises(NotFound, match="no live key"):
        actors.revoke(actor.actor_id, later(2))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


def test_a_key_ends_when_it_was_said_to(database: Database, clock: FixedClock) -> None:
    actors = SqlActors(database, clock)
    actor, secret = actors.create_key("for a month", Role.SCORE, ["shoes"], NOON, later(60))
    assert actors.authenticate(secret) == actor
    clock.move_to(later(60))
    assert (actors.authenticate(secret), actors.keys()) == (None, [])
    assert actors.every_key()[0].state(later(60)) is KeyState.EXPIRED


def test_a_rotated_key_is_the_same_actors_and_the_old_one_ends_later(database: Database, clock: FixedClock) -> None:
    actors = SqlActors(database, clock)
    actor, old = actors.create_key("tracker", Role.SCORE, ["shoes"], NOON)
    same, new = actors.rotate(actor.actor_id, NOON, later(60))
    assert (same, actors.authenticate(old), actors.authenticate(new)) == (actor, actor, actor)
    assert actors.keys() == [actor]
    clock.move_to(later(61))
    assert (actors.authenticate(old), actors.authenticate(new)) == (None, actor)
    actors.revoke(actor.actor_id, later(62))
    assert actors.authenticate(new) is None
    with pytest.raises(NotFound, match="no live key"):
        actors.rotate(actor.actor_id, later(63), later(64))


def test_rotating_lengthens_no_life(database: Database, clock: FixedClock) -> None:
    actors = SqlActors(database, clock)
    actor, old = actors.create_key("short", Role.SCORE, ["shoes"], NOON, later(1))
    actors.rotate(actor.actor_id, NOON, later(60))
    clock.move_to(later(2))
    assert actors.authenticate(old) is None


def test_the_last_use_is_known_to_the_minute(database: Database, clock: FixedClock) -> None:
    actors = SqlActors(database, clock)
    _, secret = actors.create_key("tracker", Role.SCORE, ["shoes"], NOON)
    assert actors.every_key()[0].last_used_at is None
    actors.used(secret)
    clock.move_to(NOON + timedelta(seconds=30))
    actors.used(secret)
    assert actors.every_key()[0].last_used_at == NOON
    clock.move_to(NOON + timedelta(seconds=61))
    actors.used(secret)
    assert actors.every_key()[0].last_used_at == NOON + timedelta(seconds=61)


@pytest.mark.parametrize("programs", [[], [""], ["shoes", " "]])
def test_a_key_of_no_program_is_refused(database: Database, programs: list[str]) -> None:
    with pytest.raises(InputError, match="at least one program"):
        SqlActors(database).create_key("nobody's", Role.SCORE, programs, NOON)
