"""Records carried on by a process of their own: the same decisions in the store and events in the lake, and nothing lost when it dies."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fraud.app.beside import CarrierBeside, lowest_priority
from fraud.app.keeping import destinations_of
from fraud.app.parts import App
from fraud.app.scoring import Scorers
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.decisions import DecisionKind
from fraud.domain.events import Click
from fraud.errors import StorageError
from fraud.storage.journal import Journal
from fraud.workflows.journaling import JournalWriter, Pace
from tests.conftest import MORNING

ALWAYS_BUSY = Pace(busy=-1, idle=0.001, retry=0.01)


@pytest.fixture
def beside(app: App) -> CarrierBeside:
    return CarrierBeside(app.settings, lambda pid: None)


def answered(app: App, writer: JournalWriter, count: int) -> list[str]:
    """Clicks answered by a scorer whose records go to this writer; their ids."""
    scorers = Scorers(app, writer.record, writer.record_clicks)
    clicks = [Click(click_id=f"c{number}", clicked_at=MORNING, affiliate_id="aff", user_agent="curl/8") for number in range(count)]
    return [answer.click_id for answer in scorers.of(DEFAULT_PROGRAM).answer_many(clicks, ["r"] * count)]


def in_store(app: App) -> list[str]:
    return sorted(app.stores.decisions.subjects(DEFAULT_PROGRAM, DecisionKind.SCORE, MORNING.replace(year=2020)))


def in_lake(app: App) -> list[str]:
    with app.lake.connect(DEFAULT_PROGRAM) as events:
        return sorted(row[0] for row in events.sql("select click_id from clicks").fetchall())


def kept(writer: JournalWriter, count: int) -> bool:
    """Whether so many are in the store within two minutes: a process that starts may have to compile first."""
    with writer._changed:
        return writer._changed.wait_for(lambda: writer._written == count, 120)


def pid_of(beside: CarrierBeside) -> int:
    assert beside._process is not None
    return beside._process.pid


def test_another_process_carries_on_while_there_is_much_to_answer(app: App, beside: CarrierBeside, tmp_path: Path) -> None:
    writer = JournalWriter(Journal(tmp_path / "journal"), destinations_of(app), ALWAYS_BUSY, beside=beside)
    ids = answered(app, writer, 70)
    assert kept(writer, 70)
    assert in_store(app) == sorted(ids)
    segment = writer._journal.segments()[0]
    beside.finish(segment)
    assert in_lake(app) == sorted(ids)
    writer.close()
    assert not beside.works
    assert (in_store(app), in_lake(app)) == (sorted(ids), sorted(ids)), "what came twice is there once"


def test_a_process_that_is_killed_is_replaced_by_the_service_itself(app: App, beside: CarrierBeside, tmp_path: Path) -> None:
    writer = JournalWriter(Journal(tmp_path / "journal"), destinations_of(app), ALWAYS_BUSY, beside=beside)
    ids = answered(app, writer, 3)
    assert kept(writer, 3)
    os.kill(pid_of(beside), signal.SIGKILL)
    ids += [f"late {name}" for name in ids]
    scorers = Scorers(app, writer.record, writer.record_clicks)
    scorers.of(DEFAULT_PROGRAM).answer_many([Click(click_id=name, clicked_at=MORNING, affiliate_id="aff") for name in ids[3:]], [""] * 3)
    writer.flush()
    writer.close()
    assert not beside.works
    assert in_store(app) == sorted(ids)


def test_what_cannot_be_done_now_is_told_and_may_be_asked_again(app: App, beside: CarrierBeside, tmp_path: Path) -> None:
    missing = tmp_path / "gone.log"
    missing.write_bytes(b"")
    assert beside.keep(missing, 0, 10) is None
    beside.close()
    with pytest.raises(StorageError, match="carries on itself"):
        beside.keep(missing, 0, 10)


def test_it_has_the_lowest_priority(app: App, tmp_path: Path) -> None:
    lowered: list[int] = []
    beside = CarrierBeside(app.settings, lowered.append)
    empty = tmp_path / "empty.log"
    empty.write_bytes(b"")
    beside.keep(empty, 0, 10)
    assert lowered == [pid_of(beside)]
    lowest_priority(pid_of(beside))
    assert os.getpriority(os.PRIO_PROCESS, pid_of(beside)) == 19
    beside.close()


def test_it_ends_with_what_it_has_in_hand(beside: CarrierBeside, tmp_path: Path) -> None:
    empty = tmp_path / "empty.log"
    empty.write_bytes(b"")
    assert beside.keep(empty, 0, 10) is None
    process = beside._process
    assert process is not None
    beside.close()
    assert process.poll() == 0


def test_while_it_gets_no_processor_the_service_does_its_work(app: App, tmp_path: Path) -> None:
    beside = CarrierBeside(app.settings, lambda pid: None, patience=0.3)
    writer = JournalWriter(Journal(tmp_path / "journal"), destinations_of(app), replace(ALWAYS_BUSY, few=-1, busy=1e9), beside=beside)
    ids = answered(app, writer, 3)
    assert kept(writer, 3)
    os.kill(pid_of(beside), signal.SIGSTOP)
    scorers = Scorers(app, writer.record, writer.record_clicks)
    late = [f"late {name}" for name in ids]
    scorers.of(DEFAULT_PROGRAM).answer_many([Click(click_id=name, clicked_at=MORNING, affiliate_id="aff") for name in late], [""] * 3)
    assert kept(writer, 6)
    assert beside.owes()
    os.kill(pid_of(beside), signal.SIGCONT)
    deadline = time.monotonic() + 60
    while beside.owes():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert beside.works, "it was slow, not lost"
    writer.close()
    assert (in_store(app), in_lake(app)) == (sorted(ids + late), sorted(ids + late)), "what both did is there once"


def test_a_segment_that_the_service_has_finished_meanwhile_is_no_fault_of_the_process(beside: CarrierBeside, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"gone\.log is gone"):
        beside.finish(tmp_path / "gone.log")
    assert beside.works
    beside.close()
