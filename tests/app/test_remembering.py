"""Counters go on after a restart where they were, whatever ended the process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fraud.app.keeping import destinations_of
from fraud.app.parts import App
from fraud.app.scoring import Scorers
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import Decision, DecisionKind
from fraud.domain.events import Click, Conversion
from fraud.errors import StorageError
from fraud.storage.checkpoints import Checkpoint, Checkpoints
from fraud.storage.journal import Journal
from fraud.workflows.converting import ConversionAnswer
from fraud.workflows.journaling import JournalWriter, Pace
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


class AtTimesAway:
    """The database as the journal's records reach it: it can be asked, and takes something only where it is let."""

    def __init__(self, app: App) -> None:
        self._decisions, self.is_away = app.stores.decisions, True

    def add(self, decisions: Sequence[Decision]) -> None:
        if self.is_away:
            raise StorageError("The database is away.")
        self._decisions.add(decisions)

    def known(self, decision_ids: Sequence[str]) -> frozenset[str]:
        return self._decisions.known(decision_ids)


class Process:
    """A service that takes over the journal of the one before it, whose records reach the database when `carry_on` lets them."""

    def __init__(self, app: App, root: Path) -> None:
        self.database = AtTimesAway(app)
        to = replace(destinations_of(app), decisions=self.database)  # type: ignore[arg-type]  # no more than that is asked of it here
        self.writer = JournalWriter(Journal(root), to, Pace(rest=0, retry=0.01, idle=0.01))
        self.scorers = Scorers(app, self.writer.record, self.writer.record_clicks, left=self.writer.left)

    def answer(self, first: int, end: int) -> list[tuple[str, str]]:
        """Answers clicks of one affiliate as the routes do; their names and those of their decisions."""
        numbers = range(first, end)
        clicks = [Click(click_id=f"c{number}", clicked_at=MORNING, affiliate_id="aff", ip="203.0.113.9") for number in numbers]
        given = self.scorers.of(DEFAULT_PROGRAM).answer_many(clicks, [""] * len(clicks))
        return [(answer.click_id, answer.decision_id) for answer in given]

    def convert(self, name: str, click_id: str) -> ConversionAnswer:
        conversion = Conversion(conversion_id=name, converted_at=MORNING, affiliate_id="aff", click_id=click_id)
        return self.scorers.conversions_of(DEFAULT_PROGRAM).score(conversion).answer

    def carry_on(self) -> None:
        self.database.is_away = False
        self.writer.flush()
        self.database.is_away = True

    def kill(self) -> None:
        self.writer.close()
        killed(self.scorers)


@pytest.mark.parametrize("kept", [0, 12])
@pytest.mark.parametrize("in_checkpoint", [None, 5])
def test_what_the_journal_still_holds_is_known_and_counted_however_often_it_is_taken_over(
    app: App, tmp_path: Path, in_checkpoint: int | None, kept: int
) -> None:
    process = Process(app, tmp_path / "journal")
    if in_checkpoint is not None:
        process.answer(0, in_checkpoint)
        process.scorers.keep_counters()
    process.answer(0, kept)
    process.carry_on()
    first = process.answer(0, 30) + process.answer(30, 200)
    converted = process.convert("v", "c199")
    process.kill()
    for kills in range(3):
        process = Process(app, tmp_path / "journal")
        assert process.answer(0, 200) == first
        assert process.convert("v", "c199").decision_id == converted.decision_id
        process.answer(200 + kills, 201 + kills)
        assert process.convert(f"v{kills}", "c7").click_found
        if kills == 1:
            process.carry_on()
        process.kill()
    process = Process(app, tmp_path / "journal")
    process.carry_on()
    process.kill()
    decided = app.stores.decisions.subjects(DEFAULT_PROGRAM, DecisionKind.SCORE, MORNING.replace(year=2020))
    assert sorted(decided) == sorted(f"c{number}" for number in range(203))
    last = app.stores.decisions.latest(DEFAULT_PROGRAM, DecisionKind.SCORE, "c202")
    assert last is not None
    assert last.inputs["features"]["affiliate_clicks_24h"] == 203.0, "each click is counted, and once"


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
