"""The counters against a recount by hand, on streams that come late, doubled and out of order."""

from __future__ import annotations

import math
import multiprocessing
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraud.domain.counting import (
    BUCKET_SECONDS,
    Answers,
    Ask,
    Counters,
    ManyAnswers,
    Question,
    Sighting,
    Sightings,
    sighting_of_questions,
)
from fraud.errors import StorageError
from fraud.storage.counters import CounterBounds, MemoryCounters
from fraud.storage.counters_redis import RedisCounters
from tests.servers import redis_server

SECOND = 1_000_000
START = 1_772_359_200 * SECOND


def sighting(event: str, at: int, *questions: Question | None) -> Sighting:
    return sighting_of_questions(event.encode(), at, questions)


def count(key: str, window: int) -> Question:
    return Question(Ask.COUNT, key.encode(), window)


def distinct(key: str, member: str, window: int = 3600) -> Question:
    return Question(Ask.DISTINCT, b"d" + key.encode(), window, member.encode())


def gap(key: str) -> Question:
    return Question(Ask.GAP, b"g" + key.encode(), 86400)


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 30),  # the event's id: repeats are likely
        st.integers(-2 * 3600, 2 * 3600),  # seconds from the start: late and out of order
        st.sampled_from("ab"),  # the key
        st.sampled_from("xyz"),  # the member
    ),
    max_size=40,
)


def in_window(at: int, other: int, window: int) -> bool:
    """By the definition of the windows: the last so many buckets, the event's own being the newest."""
    width = BUCKET_SECONDS[window] * SECOND
    return at // width - window // BUCKET_SECONDS[window] < other // width <= at // width


def recount(seen: list[tuple[int, str, str]], window: int) -> tuple[float, float, float]:
    """Count, distinct members and gap of the newest of `seen` (time, key, member)."""
    at, key, _ = seen[-1]
    same = [(other, member) for other, other_key, member in seen if other_key == key]
    counted = sum(in_window(at, other, window) for other, _ in same)
    members = len({member for other, member in same if in_window(at, other, 3600)})
    earlier = [at - other for other, _ in same[:-1] if 0 <= at - other <= 86400 * SECOND]
    return counted, members, min(earlier) / SECOND if earlier else math.nan


MakeCounters = Callable[[CounterBounds], Counters]


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis_server() as server:
        yield server.url


@pytest.fixture(params=["memory", "redis"])
def make_counters(request: pytest.FixtureRequest) -> Iterator[MakeCounters]:
    """Makes empty counters, of either sort."""
    if request.param == "memory":
        yield MemoryCounters
        return
    url: str = request.getfixturevalue("redis_url")
    made: list[RedisCounters] = []

    def shared(bounds: CounterBounds) -> Counters:
        with redis.Redis.from_url(url) as client:
            client.flushall()
        made.append(RedisCounters(url, Unasked(), bounds, timeout=10))
        return made[-1]

    yield shared
    for counters in made:
        counters.close()


class Unasked:
    """Counters that nobody should need."""

    def observe(self, sighting: Sighting) -> Answers:
        raise AssertionError("Redis did not answer.")

    def observe_many(self, sightings: Sightings) -> ManyAnswers:
        raise AssertionError("Redis did not answer.")

    def figures(self) -> dict[str, float]:
        return {}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, window=st.sampled_from(sorted(BUCKET_SECONDS)))
def test_answers_equal_a_recount_of_everything_seen_so_far(
    make_counters: MakeCounters, events: list[tuple[int, int, str, str]], window: int
) -> None:
    counters = make_counters(CounterBounds(times=100))
    seen: list[tuple[int, str, str]] = []
    answered: dict[int, Answers] = {}
    for event, offset, key, member in events:
        at = START + offset * SECOND
        given_ = counters.observe(sighting(str(event), at, count(key, window), distinct(key, member), gap(key)))
        if event in answered:
            assert given_.repeated
            assert str(given_.values) == str(answered[event].values)
            continue
        answered[event] = given_
        seen.append((at, key, member))
        expected = recount(seen, window)
        for got, right in zip(given_.values, expected, strict=True):
            # What is no longer known must say so; a number must be the right number.
            assert math.isnan(got) or got == right
        if window == 86400:
            assert given_.values[0] == expected[0]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS.filter(bool), cut=st.integers(0, 40))
def test_many_events_are_counted_as_one_after_the_other(
    make_counters: MakeCounters, events: list[tuple[int, int, str, str]], cut: int
) -> None:
    asked = [
        sighting(str(event), START + offset * SECOND, count(key, 600), distinct(key, member), gap(key))
        for event, offset, key, member in events
    ]
    singly = make_counters(CounterBounds(keys=4))
    expected = [singly.observe(one) for one in asked]
    together = make_counters(CounterBounds(keys=4))
    for part, told in ((asked[:cut], expected[:cut]), (asked[cut:], expected[cut:])):
        if part:
            given_ = together.observe_many(
                Sightings(
                    [one.event_key for one in part], np.array([one.at for one in part]), part[0].plan, np.stack([one.keys for one in part])
                )
            )
            np.testing.assert_array_equal(given_.values, [answers.values for answers in told])
            assert given_.repeated == {place for place, answers in enumerate(told) if answers.repeated}


def test_reserved_counters_count_as_others() -> None:
    reserved, plain = MemoryCounters(CounterBounds(keys=5_000)), MemoryCounters(CounterBounds(keys=5_000))
    for n in range(50):
        plain.observe(sighting(str(n), START + n * SECOND, count(str(n % 7), 60)))
        reserved.observe(sighting(str(n), START + n * SECOND, count(str(n % 7), 60)))
        if n == 20:
            reserved.reserve()
    last = sighting("last", START + 60 * SECOND, count("3", 60))
    assert reserved.observe(last) == plain.observe(last)
    assert reserved.stats() == plain.stats()


def test_windows_move_on_with_event_time(make_counters: MakeCounters) -> None:
    counters = make_counters(CounterBounds())
    answers = [counters.observe(sighting(str(n), START + n * 30 * SECOND, count("ip", 60), count("ip", 3600))).values for n in range(4)]
    assert [minute for minute, _ in answers] == [1.0, 2.0, 2.0, 2.0]


def test_a_late_event_is_answered_as_of_its_own_time(make_counters: MakeCounters) -> None:
    counters = make_counters(CounterBounds())
    for n in range(5):
        counters.observe(sighting(f"now-{n}", START, count("ip", 60)))
    assert counters.observe(sighting("late", START - 300 * SECOND, count("ip", 60))).values == (1.0,)
    assert counters.observe(sighting("now", START, count("ip", 60))).values == (6.0,)


def test_what_was_dropped_is_unknown_and_not_low(make_counters: MakeCounters) -> None:
    counters = make_counters(CounterBounds())
    for n in range(40):
        counters.observe(sighting(str(n), START + n * 10 * SECOND, count("ip", 60)))
    assert math.isnan(counters.observe(sighting("late", START, count("ip", 60))).values[0])
    if isinstance(counters, MemoryCounters):
        assert counters.stats().too_late == 1


def test_one_event_from_the_far_future_does_not_blind_the_present(make_counters: MakeCounters) -> None:
    counters = make_counters(CounterBounds())
    for n in range(100):
        counters.observe(sighting(f"before-{n}", START, count("ip", 3600)))
    counters.observe(sighting("future", START * 2, count("ip", 3600)))
    assert counters.observe(sighting("after", START, count("ip", 3600))).values == (101.0,)


def test_what_cannot_be_asked_is_unknown(make_counters: MakeCounters) -> None:
    assert math.isnan(make_counters(CounterBounds()).observe(sighting("a", START, None)).values[0])


def test_distinct_members_stop_at_their_bound(make_counters: MakeCounters) -> None:
    counters = make_counters(CounterBounds(members=3))
    values = [counters.observe(sighting(str(n), START, distinct("ip", str(n)))).values[0] for n in range(6)]
    assert values == [1.0, 2.0, 3.0, 3.0, 3.0, 3.0]


def test_memory_is_bounded_and_what_is_forgotten_is_counted() -> None:
    counters = MemoryCounters(CounterBounds(keys=10, answers=5))
    for n in range(50):
        counters.observe(sighting(str(n), START, count(f"key-{n}", 60)))
    stats = counters.stats()
    assert (stats.keys, stats.answers, stats.forgotten_keys, stats.events) == (10, 5, 40, 50)


def test_threads_that_send_the_same_events_count_each_once(make_counters: MakeCounters) -> None:
    counters = make_counters(CounterBounds())
    events = [sighting(str(n % 50), START, count("ip", 60)) for n in range(1000)]
    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(counters.observe, events))
    by_event: dict[int, set[tuple[float, ...]]] = {}
    for n, answers in enumerate(values):
        by_event.setdefault(n % 50, set()).add(answers.values)
    assert all(len(answers) == 1 for answers in by_event.values())
    assert sorted(answer for (answers,) in by_event.values() for answer in answers) == [float(n) for n in range(1, 51)]
    if isinstance(counters, MemoryCounters):
        assert counters.stats().repeated == 950


def test_a_checkpoint_goes_on_where_it_was_taken() -> None:
    before, after = MemoryCounters(), MemoryCounters()
    questions = (count("ip", 86400), distinct("ip", "x"), gap("ip"), None)
    for n in range(20):
        before.observe(sighting(str(n), START + n * SECOND, *questions))
    after.restore(before.checkpoint())
    again = after.observe(sighting("3", START, *questions))
    assert again.repeated
    assert again.values[0] == 4.0
    following = sighting("next", START + 60 * SECOND, *questions[:3])
    assert after.observe(following) == before.observe(following)


def test_a_checkpoint_of_many_answers_comes_in_parts_and_counting_goes_on_meanwhile() -> None:
    before, after = MemoryCounters(), MemoryCounters()
    for n in range(2_500):
        before.observe(sighting(str(n), START + n * SECOND, count("ip", 86400), gap(f"ip{n % 7}")))
    parts = before.checkpoint_parts()
    first = next(parts)
    before.observe(sighting("meanwhile", START + 2_500 * SECOND, count("ip", 86400)))
    after.restore(b"".join([first, *parts]))
    assert after.stats().answers == 2_500
    assert after.observe(sighting("2400", START, count("ip", 86400), gap("ip6"))).repeated
    assert after.observe(sighting("meanwhile", START + 2_500 * SECOND, count("ip", 86400))) == Answers((2_501.0,))


def test_a_checkpoint_is_as_small_as_what_is_known() -> None:
    counters = MemoryCounters()
    counters.reserve()
    empty = len(counters.checkpoint())
    for n in range(100):
        counters.observe(sighting(str(n), START, *((count("ip", 60),) if n % 2 else (count(f"ip{n}", 60), gap("ip")))))
    assert empty < 1_000
    assert len(counters.checkpoint()) < 20_000
    again = MemoryCounters()
    again.restore(counters.checkpoint())
    again.reserve()
    assert again.stats().keys == counters.stats().keys
    for n in range(100, 200):
        asked = sighting(str(n), START + n * SECOND, count("ip", 60), distinct("ip", str(n)), gap("ip"))
        assert again.observe(asked) == counters.observe(asked)


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data[:40] + b"\x00" + data[41:], lambda data: b""])
def test_a_spoilt_checkpoint_is_refused_and_changes_nothing(spoil: object) -> None:
    counters = MemoryCounters()
    counters.observe(sighting("a", START, count("ip", 60)))
    assert callable(spoil)
    with pytest.raises(StorageError, match="checkpoint"):
        counters.restore(spoil(counters.checkpoint()))
    assert counters.observe(sighting("a", START, count("ip", 60))).repeated


def together(sightings: Sequence[Sighting]) -> Sightings:
    """Sightings of one plan as one group."""
    return Sightings(
        [one.event_key for one in sightings],
        np.array([one.at for one in sightings]),
        sightings[0].plan,
        np.stack([one.keys for one in sightings]),
    )


def test_in_redis_a_day_of_many_keys_is_counted_as_in_process(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    drawn = np.random.default_rng(3)
    moments = np.cumsum(drawn.integers(0, 600, 900)) - drawn.integers(0, 7200, 900) * (drawn.random(900) < 0.1)
    events = [
        sighting(
            str(number - (7 if drawn.random() < 0.02 else 0)),  # a few come again, some of them in the same group
            START + int(moment) * SECOND,
            *(count(f"{window}-{drawn.integers(5)}", window) for window in sorted(BUCKET_SECONDS)),
            distinct(f"{drawn.integers(3)}", f"{drawn.integers(9)}"),
            gap(f"{drawn.integers(3)}"),
        )
        for number, moment in enumerate(moments)
    ]
    shared, own = RedisCounters(redis_url, Unasked(), timeout=30), MemoryCounters()
    for start in range(0, len(events), 300):
        group = together(events[start : start + 300])
        told, expected = shared.observe_many(group), own.observe_many(group)
        np.testing.assert_array_equal(told.values, expected.values)
        assert told.repeated == expected.repeated
    shared.close()


SHARED = (("all", 86400), ("all of an hour", 3600), ("all of a minute", 60))


def written(name: str, number: int) -> Sighting:
    """One event of a writer, all within one bucket; every second one has a user agent that all writers share."""
    counts = [count(key, window) for key, window in SHARED]
    return sighting(f"{name}-{number}", START, *counts, distinct("all", f"{name}" if number % 2 else "every"), gap("all"))


def writer(url: str, name: str, size: int, queue: multiprocessing.Queue[list[float]]) -> None:
    """A process that counts events of its own under the same keys, in groups and singly, and tells what it was told."""
    counters = RedisCounters(url, Unasked(), timeout=30)
    told: list[float] = []
    for start in range(0, size, 25):
        group = [written(name, number) for number in range(start, start + 25)]
        told += counters.observe_many(together(group[:24])).values[:, 0].tolist()
        told.append(counters.observe(group[24]).values[0])
        assert counters.observe(group[3]).repeated
    queue.put(told)


def test_four_writers_at_once_are_told_every_number_once(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[list[float]] = context.Queue()
    writers = [context.Process(target=writer, args=(redis_url, f"w{n}", 250, queue)) for n in range(4)]
    for process in writers:
        process.start()
    told = sorted(value for _ in writers for value in queue.get(timeout=120))
    for process in writers:
        process.join()
    assert told == [float(n) for n in range(1, 1001)]
    oracle = MemoryCounters()
    for name in ("w0", "w1", "w2", "w3"):
        oracle.observe_many(together([written(name, number) for number in range(250)]))
    last = written("w0", 1_000)
    shared = RedisCounters(redis_url, Unasked(), timeout=30)
    assert shared.observe(last) == oracle.observe(last)
    shared.close()


def test_while_redis_is_away_this_process_counts_and_afterwards_redis_goes_on() -> None:
    with redis_server() as server:
        counters = RedisCounters(server.url, MemoryCounters(), timeout=1)
        answers = [counters.observe(sighting(f"a{n}", START, count("ip", 60))).values[0] for n in range(3)]
        server.stop()
        answers += [counters.observe(sighting(f"b{n}", START, count("ip", 60))).values[0] for n in range(3)]
        assert counters.stats().away
        server.start()
        while counters.stats().away:
            threading.Event().wait(0.05)
        answers += [counters.observe(sighting(f"c{n}", START, count("ip", 60))).values[0] for n in range(3)]
        counters.close()
    assert answers == [1.0, 2.0, 3.0] * 3, "Redis was started empty"
    assert (counters.stats().shared, counters.stats().local) == (6, 3)


def test_a_connection_that_redis_closed_meanwhile_is_opened_again(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        counters = RedisCounters(redis_url, Unasked(), timeout=10)
        answers = [counters.observe(sighting("a", START, count("ip", 60))).values[0]]
        client.client_kill_filter(_type="normal", skipme=True)
        answers.append(counters.observe(sighting("b", START, count("ip", 60))).values[0])
        client.script_flush()
        answers.append(counters.observe(sighting("c", START, count("ip", 60))).values[0])
        counters.close()
    assert answers == [1.0, 2.0, 3.0]
    assert counters.stats().local == 0


def test_an_answer_that_came_too_late_is_never_taken_for_the_next_events(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        counters = RedisCounters(redis_url, MemoryCounters(), timeout=0.2)
        first = counters.observe(sighting("a", START, count("ip", 60)))
        client.execute_command("CLIENT", "PAUSE", "500", "ALL")
        alone = counters.observe(sighting("b", START, count("ip", 60), count("b", 60)))
        assert counters.stats().away
        while counters.stats().away:
            threading.Event().wait(0.05)
        following = counters.observe(sighting("c", START, count("c", 60), count("ip", 60), count("c", 3600)))
        counters.close()
    assert (first.values, alone.values) == ((1.0,), (1.0, 1.0))
    assert following.values[0] == 1.0
    assert len(following.values) == 3
    assert (counters.stats().shared, counters.stats().local) == (2, 1)
