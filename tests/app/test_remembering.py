"""Counters go on after a restart where they were, whatever ended the process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from fraud.app.parts import App
from fraud.app.scoring import Scorers
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import Decision
from fraud.domain.events import Click, Conversion
from fraud.errors import StorageError
from fraud.storage.checkpoints import Checkpoint, Checkpoints
from tests.conftest import MORNING


def serving(app: App) -> tuple[Scorers, list[Decision]]:
    """Scorers whose decisions arrive in the database at once, and those decisions."""
    made: list[Decision] = []

    def record(decision: Decision) -> None:
        made.append(decision)
        app.stores.decisions.add([decision])

    return Scorers(app, record), made


def answer(scorers: Scorers, first: int, count: int) -> None:
    """Answers clicks of one affiliate, numbered from `first`, and a conversion of the first of them."""
    for number in range(first, first + count):
        scorers.of(DEFAULT_PROGRAM).score(Click(click_id=f"c{number}", clicked_at=MORNING, affiliate_id="aff", ip="203.0.113.9"))
    conversion = Conversion(conversion_id=f"v{first}", converted_at=MORNING, affiliate_id="aff", click_id=f"c{first}")
    scorers.conversions_of(DEFAULT_PROGRAM).score(conversion)


def killed(scorers: Scorers) -> None:
    """Ends a process's hold without the checkpoint that an orderly end takes."""
    assert scorers._memory is not None
    scorers._memory.close()


def counted(scorers: Scorers, made: list[Decision], number: int = 1_000) -> dict[str, float | None]:
    """What another click is told of those before it."""
    answer(scorers, number, 1)
    features: dict[str, float | None] = made[-2].inputs["features"]
    return {name: features[name] for name in ("affiliate_clicks_24h", "ip_clicks_1m", "ip_clicks_1h")}


EIGHTEEN = {"affiliate_clicks_24h": 18.0, "ip_clicks_1m": 18.0, "ip_clicks_1h": 18.0}


def test_a_killed_process_is_followed_by_one_that_counts_on(app: App) -> None:
    scorers, _ = serving(app)
    answer(scorers, 0, 10)
    scorers.keep_counters()
    answer(scorers, 10, 7)
    killed(scorers)
    following, made = serving(app)
    assert counted(following, made) == EIGHTEEN, "ten from the checkpoint, seven from the decisions, and itself"


def test_an_orderly_end_leaves_everything_in_the_checkpoint(app: App, clock: FixedClock) -> None:
    scorers, _ = serving(app)
    answer(scorers, 0, 17)
    clock.move_to(clock.now() + timedelta(minutes=30))
    scorers.close()
    following, made = serving(app)
    assert counted(following, made)["affiliate_clicks_24h"] == 18.0


def test_what_another_process_keeps_is_left_alone(app: App) -> None:
    scorers, _ = serving(app)
    answer(scorers, 0, 3)
    scorers.keep_counters()
    other, made = serving(app)
    assert counted(other, made)["affiliate_clicks_24h"] == 1.0
    other.keep_counters()
    killed(scorers)
    following, made = serving(app)
    assert counted(following, made, 2_000)["affiliate_clicks_24h"] == 5.0, "three of the first, which kept them, and one of the other"


@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: b"", lambda data: b"x" * len(data)])
def test_a_spoilt_checkpoint_is_not_counted_from(app: App, spoil: Callable[[bytes], bytes]) -> None:
    scorers, _ = serving(app)
    answer(scorers, 0, 3)
    scorers.close()
    (file,) = (app.workspace.root / "counters").glob("*.bin")
    file.write_bytes(spoil(file.read_bytes()))
    following, made = serving(app)
    assert counted(following, made)["affiliate_clicks_24h"] == 1.0, "the lake, which has nothing, is what is left"


def test_a_checkpoint_of_another_day_says_nothing(app: App, clock: FixedClock) -> None:
    scorers, _ = serving(app)
    answer(scorers, 0, 3)
    scorers.close()
    clock.move_to(clock.now() + timedelta(hours=25))
    following, made = serving(app)
    assert counted(following, made)["affiliate_clicks_24h"] == 1.0


def test_a_checkpoint_is_not_taken_again_while_nothing_is_counted(app: App, clock: FixedClock) -> None:
    scorers, _ = serving(app)
    answer(scorers, 0, 10)
    scorers.keep_counters()
    (file,) = (app.workspace.root / "counters").glob("*.bin")
    taken = file.stat().st_ino
    clock.move_to(clock.now() + timedelta(hours=1))
    scorers.keep_counters()
    assert file.stat().st_ino == taken
    answer(scorers, 10, 1)
    scorers.keep_counters()
    assert file.stat().st_ino != taken
    taken = file.stat().st_ino
    clock.move_to(clock.now() + timedelta(hours=12))
    scorers.keep_counters()
    assert file.stat().st_ino != taken, "one that is a day old would say nothing of now"


def test_one_process_at_a_time_keeps_checkpoints(tmp_path: Path) -> None:
    first, second = Checkpoints(tmp_path / "c"), Checkpoints(tmp_path / "c")
    first.write("p", MORNING, (b"fir", memoryview(b"st")))
    second.write("p", MORNING, (b"second",))
    assert second.read("p") is None
    assert first.read("p") == Checkpoint("p", MORNING, b"first")
    first.close()
    second.close()
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="permissions"):
        Checkpoints(tmp_path / "file")
