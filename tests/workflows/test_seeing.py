"""Who saw what: one line for each look at somebody, none for lists."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fraud.app.parts import App
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM, command_line_actor
from fraud.domain.clock import FixedClock
from fraud.workflows.seeing import ONE_LOOK, Looks, shown_at

ADA = command_line_actor("ada")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/affiliates/aff-7", ("affiliate", "aff-7")),
        ("/affiliates/a/b", ("affiliate", "a/b")),
        ("/graph/aff%2F7", ("affiliate", "aff/7")),
        ("/v1/decisions/dec_1/evidence", ("decision", "dec_1")),
        ("/v1/applications/app_1", ("applicant", "app_1")),
        ("/cases/case_1", ("case", "case_1")),
        ("/affiliates", None),
        ("/v1/alerts", None),
        ("/settings", None),
        ("/", None),
        ("", None),
    ],
)
def test_a_look_is_at_somebody(path: str, shown: tuple[str, str] | None) -> None:
    assert shown_at(path) == shown


def test_looking_again_at_once_is_the_same_look(app: App) -> None:
    clock = app.clock
    assert isinstance(clock, FixedClock)
    looks = Looks(app.stores.audit, clock)
    assert looks.note(ADA, DEFAULT_PROGRAM, "/affiliates/a")
    assert not looks.note(ADA, DEFAULT_PROGRAM, "/v1/affiliates/a")
    assert looks.note(SYSTEM, DEFAULT_PROGRAM, "/affiliates/a")
    assert looks.note(ADA, "another", "/affiliates/a")
    clock.move_to(clock.now() + ONE_LOOK)
    assert looks.note(ADA, DEFAULT_PROGRAM, "/affiliates/a")
    entries = app.stores.audit.entries(DEFAULT_PROGRAM, 10)
    clock.move_to(clock.now() - timedelta(hours=1))
    assert looks.note(ADA, DEFAULT_PROGRAM, "/affiliates/a"), "the clock was put back, and this is another look"
    assert [(entry["action"], entry["subject"]) for entry in entries] == [("seen.affiliate", "a")] * 3
    assert entries[0]["actor_id"] == ADA.actor_id
    assert entries[0]["at"] - entries[-1]["at"] == timedelta(minutes=10)
