"""Token buckets: the same rule in this process and in Redis."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.domain.clock import FixedClock
from fraud.domain.limits import Limit
from fraud.storage.limits import TokenBuckets
from fraud.storage.limits_redis import RedisBuckets
from tests.servers import RedisServer, redis_server
from tests.storage.samples import NOON

SLOW = Limit(rate=0.001, burst=3)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


def test_a_burst_is_allowed_and_then_the_average() -> None:
    clock = FixedClock(NOON)
    buckets, limit = TokenBuckets(clock), Limit(rate=2, burst=3)
    assert [buckets.take("a", limit).allowed for _ in range(4)] == [True, True, True, False]
    assert buckets.take("a", limit).wait_seconds == 0.5
    assert buckets.take("b", limit).allowed
    clock.move_to(NOON + timedelta(seconds=0.5))
    assert [buckets.take("a", limit).allowed for _ in range(2)] == [True, False]


def test_looking_costs_nothing() -> None:
    buckets = TokenBuckets(FixedClock(NOON))
    assert {buckets.take("a", SLOW, cost=0).remaining for _ in range(9)} == {3}


@given(st.lists(st.floats(0, 5), max_size=60))
def test_never_more_than_the_burst_and_the_average_since(pauses: list[float]) -> None:
    clock, limit = FixedClock(NOON), Limit(rate=1.5, burst=4)
    buckets, at, allowed = TokenBuckets(clock), 0.0, 0
    for pause in pauses:
        at += pause
        clock.move_to(NOON + timedelta(seconds=at))
        allowed += buckets.take("a", limit).allowed
        assert allowed <= limit.burst + limit.rate * at + 1e-3


def test_names_are_forgotten_before_memory_is_full_the_filled_ones_first() -> None:
    clock = FixedClock(NOON)
    buckets = TokenBuckets(clock, most=2)
    buckets.take("full again", Limit(rate=1, burst=3))
    clock.move_to(NOON + timedelta(seconds=60))
    buckets.take("empty", SLOW, cost=3)
    buckets.take("new", SLOW)
    assert not buckets.take("empty", SLOW).allowed


def test_a_clock_that_goes_back_gives_nothing() -> None:
    clock = FixedClock(NOON)
    buckets = TokenBuckets(clock)
    buckets.take("a", SLOW, cost=3)
    clock.move_to(NOON - timedelta(days=1))
    assert not buckets.take("a", SLOW).allowed


def test_in_redis_writers_share_one_bucket_exactly(server: RedisServer) -> None:
    limit = Limit(rate=0.001, burst=50)
    buckets = [RedisBuckets(server.url, TokenBuckets(FixedClock(NOON)), timeout=5) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        stands = pool.map(lambda number: buckets[number % 4].take("shared", limit), range(100))
        assert sum(one.allowed for one in stands) == 50
    assert buckets[0].take("shared", limit, cost=0).wait_seconds > 0
    for one in buckets:
        one.close()


def test_without_redis_this_process_counts_alone(server: RedisServer) -> None:
    buckets = RedisBuckets("redis://127.0.0.1:1/0", TokenBuckets(FixedClock(NOON)))
    assert [buckets.take("a", SLOW).allowed for _ in range(4)] == [True, True, True, False]
    buckets.close()
