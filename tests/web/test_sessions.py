from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.domain.actors import Actor, ActorKind, Role
from fraud.web.sessions import SessionSigner
from tests.web.conftest import NOW

ROSA = Actor(kind=ActorKind.KEY, actor_id="key:rosa", name="Rosa", role=Role.REVIEW, programs=("default", "other"))
SIGNER = SessionSigner(b"a secret of the tests, thirty-two")


def test_a_session_says_whose_it_is_for_twelve_hours() -> None:
    token = SIGNER.issue(ROSA, NOW)
    assert SIGNER.read(token, NOW + timedelta(hours=12, seconds=-1)) == ROSA
    assert SIGNER.read(token, NOW + timedelta(hours=12)) is None


def test_a_ticket_lasts_fifteen_minutes_and_may_be_used_twice() -> None:
    ticket = SIGNER.issue_ticket(ROSA, NOW)
    assert SIGNER.read_ticket(ticket, NOW) == ROSA
    assert SIGNER.read_ticket(ticket, NOW + timedelta(minutes=14)) == ROSA
    assert SIGNER.read_ticket(ticket, NOW + timedelta(minutes=15)) is None


def test_a_ticket_is_no_session_and_a_session_no_ticket() -> None:
    assert SIGNER.read(SIGNER.issue_ticket(ROSA, NOW), NOW) is None
    assert SIGNER.read_ticket(SIGNER.issue(ROSA, NOW), NOW) is None


def test_another_secret_voids_every_session() -> None:
    assert SessionSigner(b"another secret of 32 bytes, quite").read(SIGNER.issue(ROSA, NOW), NOW) is None


@pytest.mark.parametrize("place", [0, 10, 40, -40, -20])
def test_a_session_that_was_altered_is_nobodys(place: int) -> None:
    token = SIGNER.issue(ROSA, NOW)
    at = place % len(token)
    altered = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
    assert SIGNER.read(altered, NOW) is None


@given(st.text())
def test_whatever_stands_in_the_cookie_is_nobodys(text: str) -> None:
    assert SIGNER.read(text, NOW) is None
    assert SIGNER.read_ticket(text, NOW) is None


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        SessionSigner(b"short")
