"""Batch and real time agree: what the counters say of each click of a log is what SQL counts over the whole log, within a bucket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import duckdb
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fraud.domain.clock import microseconds
from fraud.domain.counting import BUCKET_SECONDS, Ask
from fraud.domain.events import Click
from fraud.features.identities import IDENTITIES, PARTS, click_parts
from fraud.features.realtime import MEASURES, Measure, observe_click, sighting_of, sightings_of, vectors_of
from fraud.storage.counters import CounterBounds, MemoryCounters
from fraud.workflows.offline import click_features_of, in_event_order

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
HOURS = 30
CLICKS = 1_500


def log(seed: int) -> list[Click]:
    """More than a day of clicks in their order: some visitors all the time, bursts of others, columns that are unknown."""
    draw = Random(seed)
    moments = sorted(
        draw.uniform(0, HOURS * 3600) if draw.random() < 0.6 else 3600 * draw.randrange(HOURS) + draw.expovariate(1 / 90)
        for _ in range(CLICKS)
    )
    return [
        Click(
            click_id=f"c{number:05d}",
            clicked_at=BEGIN + timedelta(microseconds=int(moment * 1e6) + number),
            affiliate_id=f"aff{draw.randrange(5)}",
            offer_id=draw.choice(["shoes", "hats", None]),
            sub_id=draw.choice(["s1", "s2", None]),
            ip=draw.choice([f"203.0.113.{draw.randrange(6)}", f"198.51.{draw.randrange(4)}.1", "2001:db8::1", None]),
            user_agent=draw.choice(["Firefox", "Safari", "Netscape", None]),
            device_id=draw.choice([f"d{draw.randrange(5)}", None, None]),
            country=draw.choice(["DE", "DE", "AT", None]),
        )
        for number, moment in enumerate(moments)
    ]


def counted(events: duckdb.DuckDBPyConnection, measure: Measure, window: int) -> NDArray[np.float64]:
    """What a measure is for each click by SQL: over the clicks of the last `window` seconds, this one included; NaN is unknown."""
    names, members = IDENTITIES[measure.of], IDENTITIES[measure.member] if measure.member else ()
    known = " and ".join(f"{name} <> '0'" for name in (*names, *members))
    same = " and ".join(f"b.{name} = a.{name}" for name in names)
    member = " || '/' || ".join(f"b.{name}" for name in members)
    what = {Ask.COUNT: "count(b.at)", Ask.DISTINCT: f"count(distinct {member})", Ask.GAP: "(a.at - max(b.at)) / 1e6"}[measure.kind]
    ends = (">=", "<") if measure.kind is Ask.GAP else (">", "<=")
    span = f"b.at {ends[0]} a.at - {window * 1_000_000} and b.at {ends[1]} a.at"
    asked = " and ".join(f"a.{name} <> '0'" for name in (*names, *members))
    query = f"""
        select a.at, if(any_value({asked}), {what}, null) as value
        from clicks a left join (select * from clicks where {known}) b on {same} and {span}
        group by a.at order by a.at"""
    values: NDArray[np.float64] = events.sql(query).df()["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    return values


@pytest.mark.parametrize("seed", [1, 2])
def test_every_measure_agrees_with_sql_within_one_bucket(seed: int) -> None:
    clicks, counters = log(seed), MemoryCounters(CounterBounds(times=CLICKS, members=CLICKS))
    answers = np.array([counters.observe(sighting_of(click)).values for click in clicks])
    table = pd.DataFrame([click_parts(click) for click in clicks], columns=list(PARTS), dtype="uint64").astype(str)
    table["at"] = [microseconds(click.clicked_at) for click in clicks]
    with duckdb.connect() as events:
        events.register("clicks", table)
        for place, measure in enumerate(MEASURES):
            most = counted(events, measure, measure.window)
            exact = measure.kind is Ask.GAP
            least = most if exact else counted(events, measure, measure.window - BUCKET_SECONDS[measure.window])
            told = answers[:, place]
            known = ~np.isnan(told)
            assert (known == ~np.isnan(most)).all(), measure
            assert ((least[known] <= told[known]) & (told[known] <= most[known])).all(), measure
            assert len(set(told[known].tolist())) > 2, "the log has something to count"


def test_the_windows_of_the_catalogue_are_those_that_were_compared() -> None:
    assert {measure.window for measure in MEASURES} == set(BUCKET_SECONDS)


def test_the_table_a_model_is_fitted_on_is_what_single_clicks_are_scored_on() -> None:
    clicks = log(3)
    table = click_features_of(reversed(clicks), MemoryCounters())
    counters = MemoryCounters()
    served = [observe_click(counters, click).vector for click in in_event_order(clicks)]
    many = MemoryCounters()
    parts = [many.observe_many(sightings_of(clicks[start : start + 100])).values for start in range(0, CLICKS, 100)]
    np.testing.assert_array_equal(table.to_numpy(), np.array(served))
    np.testing.assert_array_equal(vectors_of(np.concatenate(parts)), np.array(served))
