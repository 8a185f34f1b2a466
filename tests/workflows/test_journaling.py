"""What was answered arrives once, whatever happens to the process or the store."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.domain.clock import FixedClock
from fraud.domain.decisions import Decision, DecisionKind
from fraud.domain.events import Click, Conversion
from fraud.errors import Conflict, InputError, StorageError
from fraud.policy.loading import load_pack
from fraud.storage.counters import MemoryCounters
from fraud.storage.journal import Journal, JournalBounds
from fraud.workflows.carrying import Carrier, Kept, answered_in
from fraud.workflows.journaling import Destinations, JournalWriter, Pace
from fraud.workflows.scoring import ClickScorer, ScoringTools, UnknownRisks

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUICK = Pace(rest=0, retry=0.01, idle=0.01)


class Shelf:
    """A store of decisions and a lake in memory, that can be made to fail."""

    def __init__(self) -> None:
        self.kept: list[Decision] = []
        self.events: list[str] = []
        self.failing = False
        self.unwelcome = ""
        self.broken: Exception | None = None

    def add(self, decisions: Sequence[Decision]) -> None:
        if self.broken is not None:
            raise self.broken
        if self.failing:
            raise StorageError("The database is away.")
        if any(one.subject_id == self.unwelcome for one in decisions):
            raise InputError("This one cannot be kept.")
        if {one.decision_id for one in decisions} & {one.decision_id for one in self.kept}:
            raise Conflict("Kept already.")
        self.kept += decisions

    def known(self, decision_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(decision_ids) & {one.decision_id for one in self.kept}

    def take(self, program_id: str, clicks: Sequence[Click], conversions: Sequence[Conversion]) -> None:
        if self.failing:
            raise StorageError("The lake is away.")
        self.events += [click.click_id for click in clicks if click.click_id not in self.events]

    @property
    def subjects(self) -> list[str]:
        return [one.subject_id for one in self.kept]


def writer_of(root: Path, shelf: Shelf, bounds: JournalBounds | None = None, *, waits_for_disk: bool = False) -> JournalWriter:
    to = Destinations(shelf, lambda policy: load_pack(), shelf.take)  # type: ignore[arg-type]  # only `add` is asked of the store
    return JournalWriter(Journal(root, bounds), to, QUICK, waits_for_disk=waits_for_disk)


def answer(writer: JournalWriter, count: int) -> list[str]:
    """Answers clicks and returns their ids."""
    tools = ScoringTools(
        priors=UnknownRisks(), counters=MemoryCounters(), record=writer.record, judged=writer.record_clicks, clock=FixedClock(NOON)
    )
    scorer = ClickScorer(load_pack(), None, tools)
    return [scorer.answer(Click(click_id=f"c{number}", clicked_at=NOON, affiliate_id="aff")).click_id for number in range(count)]


def wait_until(is_so: Callable[[], bool]) -> None:
    """Returns once it is so; fails after ten seconds."""
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def killed(writer: JournalWriter) -> None:
    """Ends a writer as a killed process ends it: nothing more is carried on, and its lock is let go."""
    writer._closing = True
    gone = Shelf()
    gone.failing = True
    writer._here._to = Destinations(gone, lambda policy: load_pack(), gone.take)  # type: ignore[arg-type]  # only `add` is asked of the store
    writer._thread.join()
    writer._journal.close()


def test_what_was_answered_is_in_the_store_and_in_the_lake_and_no_longer_in_the_journal(tmp_path: Path) -> None:
    shelf = Shelf()
    writer = writer_of(tmp_path, shelf)
    ids = answer(writer, 300)
    stats = writer.close()
    assert (shelf.subjects, shelf.events) == (ids, ids)
    assert (stats.recorded, stats.written, stats.waiting) == (300, 300, 0)
    assert list(tmp_path.rglob("*.log")) == []


def test_a_store_that_is_away_loses_nothing_and_the_next_process_goes_on(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.failing = True
    writer = writer_of(tmp_path, shelf)
    ids = answer(writer, 50)
    killed(writer)
    assert shelf.kept == []
    shelf.failing = False
    following = writer_of(tmp_path, shelf)
    assert following.stats().recorded == 50
    following.flush()
    assert shelf.subjects == ids
    following.close()
    assert shelf.events == ids
    assert list(tmp_path.rglob("*.log")) == []


def left_by_a_killed_process(root: Path, shelf: Shelf, count: int) -> JournalWriter:
    """A writer that follows one whose clicks never reached the store, which is away still."""
    shelf.failing = True
    writer = writer_of(root, shelf)
    answer(writer, count)
    killed(writer)
    return writer_of(root, shelf)


def test_what_was_left_is_known_before_it_is_in_the_store(tmp_path: Path) -> None:
    shelf = Shelf()
    writer = left_by_a_killed_process(tmp_path, shelf, 20)
    assert writer.left.keys("default", DecisionKind.SCORE) == [("default", f"c{number}") for number in range(20)]
    told = writer.left.decision("default", DecisionKind.SCORE, "c7")
    assert writer.left.decision("default", DecisionKind.CONVERSION, "c7") is None
    assert writer.left.decision("shoes", DecisionKind.SCORE, "c7") is None
    shelf.failing = False
    writer.flush()
    assert told == shelf.kept[7], "a repeat is told what will stand in the store"
    writer.close()
    assert writer.left.keys("default", DecisionKind.SCORE) == []
    assert writer.left.decision("default", DecisionKind.SCORE, "c7") is None


def test_a_segment_that_is_dropped_while_it_is_asked_is_in_the_store(tmp_path: Path) -> None:
    shelf = Shelf()
    writer = left_by_a_killed_process(tmp_path, shelf, 3)
    for segment in writer._journal.segments():
        segment.rename(segment.with_suffix(".away"))
    assert writer.left.decision("default", DecisionKind.SCORE, "c1") is None
    for segment in tmp_path.rglob("*.away"):
        segment.rename(segment.with_suffix(".log"))
    shelf.failing = False
    writer.close()
    assert len(shelf.kept) == 3


def test_no_segment_is_dropped_while_what_was_left_is_counted(tmp_path: Path) -> None:
    shelf = Shelf()
    writer = left_by_a_killed_process(tmp_path, shelf, 5)
    shelf.failing = False
    with writer.left.still:
        records = writer.left.records("default")
        writer.flush()
        assert sum(len(answered_in(body)[1]) for body in records) == 5
        assert list(writer.left.records("shoes")) == []
    writer.close()
    assert shelf.events == [f"c{number}" for number in range(5)]


def test_killed_again_and_again_before_it_was_carried_on(tmp_path: Path) -> None:
    shelf = Shelf()
    for times in range(1, 4):
        writer = left_by_a_killed_process(tmp_path, shelf, 10)
        assert len(set(writer.left.keys("default", DecisionKind.SCORE))) == 10
        assert writer.stats().waiting == 10 * times, "the same ids, answered anew by scorers that know nothing"
        killed(writer)
    shelf.failing = False
    writer_of(tmp_path, shelf).close()
    assert len(shelf.kept) == 30
    assert list(tmp_path.rglob("*.log")) == []


def test_what_arrived_before_the_kill_does_not_arrive_twice(tmp_path: Path) -> None:
    shelf = Shelf()
    writer = writer_of(tmp_path, shelf)
    ids = answer(writer, 50)
    writer.flush()
    killed(writer)
    writer_of(tmp_path, shelf).close()
    assert (shelf.subjects, shelf.events) == (ids, ids)


def test_a_store_that_comes_back_is_noticed(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.failing = True
    writer = writer_of(tmp_path, shelf)
    ids = answer(writer, 20)
    with pytest.raises(StorageError, match="20 decisions"):
        writer.flush(0.2)
    shelf.failing = False
    writer.flush()
    assert shelf.subjects == ids
    writer.close()


def test_one_that_cannot_be_kept_does_not_hold_the_others(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.unwelcome = "c3"
    writer = writer_of(tmp_path, shelf)
    ids = answer(writer, 10)
    stats = writer.close()
    assert shelf.subjects == [one for one in ids if one != "c3"]
    assert (stats.unwritable, stats.waiting) == (1, 0)


def test_a_full_journal_refuses_and_counts(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.failing = True
    writer = writer_of(tmp_path, shelf, JournalBounds(whole=4_000))
    with pytest.raises(StorageError, match="try again"):
        answer(writer, 100)
    assert writer.stats().refused >= 1
    shelf.failing = False
    writer.close()
    assert len(shelf.kept) == writer.stats().recorded


def test_while_many_answers_are_given_records_wait_in_the_journal(tmp_path: Path) -> None:
    shelf = Shelf()
    to = Destinations(shelf, lambda policy: load_pack())  # type: ignore[arg-type]  # only `add` is asked of the store
    writer = JournalWriter(Journal(tmp_path), to, Pace(busy=0, idle=0.001, backlog=30))
    answer(writer, 30)
    assert writer.stats().waiting <= 30
    writer.flush()
    assert len(shelf.kept) == 30
    writer.close()


def test_while_nothing_is_recorded_the_disk_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    writer = writer_of(tmp_path, shelf)
    answer(writer, 3)
    writer.flush()
    looked = 0
    segments = writer._journal.segments

    def counted() -> list[Path]:
        nonlocal looked
        looked += 1
        return segments()

    monkeypatch.setattr(writer._journal, "segments", counted)
    monkeypatch.setattr(writer, "_pace", replace(QUICK, lake=3600.0))
    wait_until(lambda: writer._nothing_at == 3)
    looked = 0
    writer._wanted.set()
    wait_until(lambda: not writer._wanted.is_set())
    assert looked == 0
    answer(writer, 5)
    writer.flush()
    assert len(shelf.kept) == 8
    writer.close()


@pytest.mark.parametrize("broken", [OSError(errno.EMFILE, "Too many open files"), RuntimeError("nobody foresaw this")])
def test_whatever_breaks_records_are_carried_on_afterwards(tmp_path: Path, broken: Exception) -> None:
    shelf = Shelf()
    writer = writer_of(tmp_path, shelf)
    shelf.broken = broken
    ids = answer(writer, 3)
    wait_until(lambda: type(broken).__name__ in writer.stats().failing)
    shelf.broken = None
    wait_until(lambda: shelf.subjects == ids)
    assert writer.close().failing == ""


class Other(Carrier):
    """Stands for the other process, and counts how often it is asked."""

    works, asked = True, 0

    def owes(self) -> bool:
        return False

    @property
    def runs(self) -> bool:
        return self.asked > 0

    def keep(self, segment: Path, offset: int, most: int) -> Kept | None:
        self.asked += 1
        return super().keep(segment, offset, most)

    def close(self) -> None:
        self.works = False


@pytest.mark.parametrize(("few", "is_asked"), [(2, True), (1_000, False)])
def test_what_many_answers_left_is_carried_on_by_the_other_process_when_they_have_become_few(
    tmp_path: Path, few: int, is_asked: bool
) -> None:
    shelf, journal = Shelf(), Journal(tmp_path)
    to = Destinations(shelf, lambda policy: load_pack(), shelf.take)  # type: ignore[arg-type]  # only `add` is asked of the store
    other = Other(journal.read, to)
    shelf.failing = True
    writer = JournalWriter(journal, to, replace(QUICK, busy=1e9, few=few), beside=other)
    answer(writer, 10)
    shelf.failing = False
    wait_until(lambda: len(shelf.kept) == 10)
    assert (other.asked > 0) == is_asked
    writer.close()


def test_segments_follow_one_another(tmp_path: Path) -> None:
    shelf = Shelf()
    writer = writer_of(tmp_path, shelf, JournalBounds(segment=3_000))
    ids = answer(writer, 40)
    writer.close()
    assert (shelf.subjects, shelf.events) == (ids, ids)


def test_where_no_file_can_be_made_the_segment_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was closed before the next one could be made had its number given to a client's connection, and records went there."""
    journal = Journal(tmp_path, JournalBounds(segment=100))
    journal.append(b"a" * 80)
    with monkeypatch.context() as limited:
        limited.setattr(os, "open", lambda *given: (_ for _ in ()).throw(OSError(errno.EMFILE, "Too many open files")))
        journal.append(b"b" * 80)
        with pytest.raises(StorageError, match="open files"):
            journal.rotate()
        journal.append(b"c" * 80)
    journal.append(b"d" * 80)
    read = [journal.read(segment, 0, 10)[0] for segment in journal.segments()]
    assert [[body[:1] for body in bodies] for bodies in read] == [[b"a", b"b", b"c"], [b"d"]]
    journal.close()


def test_the_journal_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    mine, other = Shelf(), Shelf()
    mine.failing = True
    first = writer_of(tmp_path, mine)
    answer(first, 5)
    writer_of(tmp_path, other).close()
    assert other.kept == []
    mine.failing = False
    first.close()
    assert len(mine.kept) == 5


def test_one_sync_of_the_disk_serves_all_who_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = writer_of(tmp_path, Shelf(), waits_for_disk=True)
    syncs: list[int] = []
    monkeypatch.setattr(writer._journal, "sync", lambda: syncs.append(1))

    async def many() -> None:
        await asyncio.gather(*(writer.kept() for _ in range(100)))

    asyncio.run(many())
    writer.close()
    assert 1 <= len(syncs) <= 2


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=20), st.integers(1, 500))
def test_a_torn_end_is_left_out_and_whole_records_are_read(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes], torn: int
) -> None:
    root = tmp_path_factory.mktemp("journal")
    journal = Journal(root)
    for body in bodies:
        journal.append(body)
    (segment,) = journal.segments()
    whole = segment.read_bytes()
    segment.write_bytes(whole[: max(len(whole) - torn, 0)])
    read, _ = journal.read(segment, 0, 1_000)
    assert read == bodies[: len(read)]
    assert len(read) < len(bodies)
    journal.close()


def test_a_record_reads_back_as_it_was(tmp_path: Path) -> None:
    shelf = Shelf()
    writer = writer_of(tmp_path, shelf)
    answer(writer, 1)
    writer.close()
    (decision,) = shelf.kept
    assert msgspec.convert(decision.inputs["click"], Click).clicked_at == NOON
