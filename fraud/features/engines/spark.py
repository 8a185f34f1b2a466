"""The Spark engine: clicks and conversions are read, sorted out and counted by a cluster; values are computed here from the tallies.

Spark reads the lake's Parquet files, and its Python workers run the kernels of the local engine over Arrow batches: three passes over the
clicks, for what they hold, for what addresses are, and for everything else. What is left is small and is worked on as the local engine
does, with the same SQL.
"""

# ruff: noqa: S608 - the SQL is made of constants and of the tables' own column names

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraud.enrichment import egress
from fraud.enrichment.agents import declaring_automation
from fraud.enrichment.compiled import Codes, Integers
from fraud.enrichment.exits import ExitClasses
from fraud.errors import StorageError
from fraud.features import conversions, values, visits
from fraud.features.constants import OVERWRITE_S, OVERWRITTEN_HOURS
from fraud.features.definition import Level
from fraud.features.engines import spark_lake, spark_tallies, spark_tasks
from fraud.features.engines.spark_progress import watched
from fraud.features.engines.spark_session import reason_in, spark_session
from fraud.features.engines.spark_tasks import Coders
from fraud.features.engines.stages import Progress, ends_of, finished, judged_for_kernels, read_since, silent, verdicts
from fraud.features.level_tables import Texts, create
from fraud.features.program import Coding, Codings, Distinct, coding_of, distinct_of, domain_coding
from fraud.features.request import FeatureRequest, NumberedWindow, microseconds
from fraud.features.table import FeatureTable
from fraud.features.tallies import ClickTallies

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import DataFrame, SparkSession

LEAST_ROWS = 50_000
"""Clicks below which a partition of its own costs more than it saves."""

PARTITION_ROWS = 2_000_000
"""Clicks of one task at most; an affiliate with more is a task of its own."""

BROADCAST_IDS = 2_000_000
"""Click ids that are sent to every worker to find their clicks; more of them, and the clicks are sorted by id instead."""

_PARTITIONS_PER_CORE = 4
_FOUND = spark_tasks.columns_in(conversions.MATCHED)
_LATE = f"""
SELECT DISTINCT c.device_id AS device, c.clicked_at AS until, c.clicked_at - to_hours({OVERWRITTEN_HOURS}) AS since
FROM conversions v JOIN clicks c USING (click_id)
WHERE c.device_id IS NOT NULL AND c.clicked_at <= v.converted_at AND v.converted_at <= c.clicked_at + to_seconds({OVERWRITE_S})
"""
"""Where clicks may lie that `MATCHED` looks for besides those that conversions name."""


class SparkEngine:
    """The `FeatureEngine` that works on a Spark master (`local[*]` when empty). Its connections must be a lake's."""

    def __init__(self, master: str = "", exits: ExitClasses | None = None) -> None:
        self._master = master
        self._exits = exits

    def __call__(
        self, con: duckdb.DuckDBPyConnection, request: FeatureRequest, progress: Progress | None = None
    ) -> Mapping[Level, FeatureTable]:
        """The tables that the request asks for; `InputError` when Spark cannot be started or the connection is no lake's."""
        tell = progress or silent
        sources = spark_lake.sources(con)
        tell("starting Spark")
        folder = str(con.sql("SELECT current_setting('temp_directory')").fetchall()[0][0])
        with spark_session(self._master, folder) as spark, closing(_own_tables(con)) as own:
            views = {kind: spark_lake.view(spark, source) for kind, source in sources.items()}
            visits = views["visits"] if sources["visits"].files else None
            return _computed(_Work(spark, views["clicks"], views["conversions"], visits, own, self._exits, request, tell))


@dataclass(frozen=True)
class _Work:
    """One computation: the lake's views in Spark (`visits`: `None` where there are none), the tables that are kept here (`con`),
    and what tells exits by address."""

    spark: SparkSession
    clicks: DataFrame
    conversions: DataFrame
    visits: DataFrame | None
    con: duckdb.DuckDBPyConnection
    exits: ExitClasses | None
    request: FeatureRequest
    tell: Progress

    def collected(self, what: str, rows: DataFrame) -> pa.Table:
        """The rows, brought here. `StorageError` when Spark fails."""
        from pyspark.errors import PySparkException  # noqa: PLC0415 - an optional package

        with watched(self.spark, what, self.tell):
            try:
                return rows.toArrow()
            except PySparkException as fault:
                whole = str(fault)  # while Java, which is asked for it, still runs
                raise StorageError(f"Spark failed while {what}: {reason_in(whole)}") from RuntimeError(whole)

    def partitions(self, rows: int) -> int:
        """Into how many partitions so many clicks are sorted: a few for each core, none too small and none too large."""
        cores = int(self.spark.sparkContext.defaultParallelism)
        wanted = min(_PARTITIONS_PER_CORE * cores, rows // LEAST_ROWS)
        return max(1, wanted, -(-rows // PARTITION_ROWS))


@dataclass(frozen=True)
class _Seen:
    """What the first pass found: distinct `texts` by kind; the affiliates' clicks and first click (microseconds) by stretch of time
    (`clicks`, `first`: stretches between `bounds`, affiliates), and the first click of all, `None` when there is none."""

    texts: Mapping[str, pa.Array]
    affiliates: Coding
    bounds: Integers
    clicks: Integers
    first: Integers
    earliest: int | None

    def between(self, begin: int, end: int) -> slice:
        """The stretches from one bound to another."""
        return _stretches(self.bounds, begin, end)


def _computed(work: _Work) -> Mapping[Level, FeatureTable]:
    windows = work.request.numbered()
    values.register_windows(work.con, windows)
    _, first, last = (microseconds(moment) for moment in read_since(windows))
    seen = _seen(work, windows)
    _match(work, windows, seen.earliest)
    distinct = _distinct(work, seen, seen.clicks[seen.between(first, last)].sum(axis=0))
    coders = work.spark.sparkContext.broadcast(_coders(distinct))
    judged = _judged(work, windows, seen, coders)
    tallies, subs = _tallied(work, windows, distinct, judged, coders)
    work.tell("computing features of conversions")
    texts = Texts(distinct.affiliates.texts, subs, distinct.offers.texts, distinct.countries.texts)
    return finished(work.con, work.request, judged, tallies, texts)


def _seen(work: _Work, windows: Sequence[NumberedWindow]) -> _Seen:
    since, first, last = (microseconds(moment) for moment in read_since(windows))
    ends = ends_of(windows)
    bounds = np.unique(np.concatenate([ends, ends - egress.LOOKBACK_US, [since, first, last]]))
    inside = _stretches(bounds, first, last)
    task = partial(spark_tasks.seen, spark_tasks.release(), bounds, (inside.start, inside.stop))
    rows = work.clicks.select(*spark_tasks.SEEN_COLUMNS).mapInArrow(task, spark_tasks.SEEN)
    found = work.collected(
        "reading user agents, referrers and offers", rows.groupBy("kind", "text", "slot").agg({"n": "sum", "first": "min"})
    ).rename_columns(["kind", "text", "slot", "n", "first"])
    by_kind = {kind: found.filter(pc.equal(found["kind"], kind)) for kind in ("affiliate_id", "offer_id", "country", "user_agent", "host")}
    clicks = by_kind.pop("affiliate_id")
    known = clicks.filter(pc.less(clicks["slot"], inside.stop))
    affiliates = coding_of(work.con, pc.unique(known["text"]))
    at = known["slot"].to_numpy(), np.asarray(pc.index_in(known["text"], value_set=affiliates.texts))
    shape = (len(bounds) + 1, len(affiliates.texts))
    counted, firsts = np.zeros(shape, np.int64), np.full(shape, np.iinfo(np.int64).max)
    counted[at], firsts[at] = known["n"].to_numpy(), known["first"].to_numpy()
    texts = {kind: pc.unique(rows["text"]) for kind, rows in by_kind.items()}
    return _Seen(texts, affiliates, bounds, counted, firsts, pc.min(clicks["first"]).as_py())


def _stretches(bounds: Integers, begin: int, end: int) -> slice:
    """The stretches between some of the bounds: stretch n begins at bound n - 1."""
    return slice(int(np.searchsorted(bounds, begin)) + 1, int(np.searchsorted(bounds, end)) + 1)


def _totals(seen: _Seen, windows: Sequence[NumberedWindow]) -> egress.Totals:
    spans = [seen.between(int(end) - egress.LOOKBACK_US, int(end)) for end in ends_of(windows)]
    return egress.Totals(
        np.array([seen.clicks[span].sum() for span in spans]),
        np.array([(seen.clicks[span].sum(axis=0) > 0).sum() for span in spans]),
        np.array([seen.first[span].min(initial=np.iinfo(np.int64).max) for span in spans]),
    )


def _match(work: _Work, windows: Sequence[NumberedWindow], earliest: int | None) -> None:
    """Brings conversions and their clicks here, and matches them as the local engine does."""
    from pyspark.sql import functions as sf  # noqa: PLC0415 - an optional package

    before = read_since(windows)[2]
    named = work.conversions.where(f"converted_at < {_moment(before)}")
    sold = work.collected("reading conversions", named.select(*conversions.COLUMNS.split(", ")))
    create(work.con, "conversions", sold)
    ids = named.select("click_id").where("click_id IS NOT NULL").distinct()
    wanted = sf.broadcast(ids) if sold.num_rows <= BROADCAST_IDS else ids
    clicks = work.clicks.where(f"clicked_at < {_moment(before)}").select(*_FOUND)
    create(work.con, "clicks", work.collected("matching conversions", clicks.join(wanted, "click_id", "left_semi").select(*_FOUND)))
    late = work.con.sql(_LATE).to_arrow_table()
    if late.num_rows:
        near = sf.broadcast(work.spark.createDataFrame(late))
        same = (clicks.device_id == near.device) & (clicks.clicked_at < near.until) & (clicks.clicked_at >= near.since)
        rivals = work.collected("looking for clicks that were overwritten", clicks.join(near, same, "left_semi"))
        create(work.con, "clicks", pa.concat_tables([work.con.sql("FROM clicks").to_arrow_table(), rivals]))
        work.con.execute("CREATE OR REPLACE TEMP TABLE clicks AS SELECT DISTINCT * FROM clicks")
    if earliest is not None:
        work.con.execute("INSERT INTO clicks (clicked_at) VALUES (make_timestamp(?))", [earliest])
    _bring_visits(work, wanted)
    conversions.match(work.con)
    _count_visits(work)


def _bring_visits(work: _Work, click_ids: DataFrame) -> None:
    """Builds `visits` here: the reports on some clicks."""
    if work.visits is None:
        work.con.execute(visits.NONE)
        return
    reports = work.visits.join(click_ids, "click_id", "left_semi").select(*visits.COLUMNS)
    create(work.con, "visits", work.collected("reading visits", reports))


def _count_visits(work: _Work) -> None:
    """Builds `ft_visit_tallies` of all reports, which are counted where they are."""
    from pyspark.sql import functions as sf  # noqa: PLC0415 - an optional package

    if work.visits is None:
        visits.count(work.con)
        return
    windows = sf.broadcast(work.spark.createDataFrame(work.con.sql("SELECT w, starts, ends FROM ft_windows").to_arrow_table()))
    sql = visits.tallies_sql("{visits}", "{clicks}", "{windows}", visits.SPARK_SINCE)
    create(
        work.con,
        "ft_visit_tallies",
        work.collected("counting visits", work.spark.sql(sql, visits=work.visits, clicks=work.clicks, windows=windows)),
    )


def _distinct(work: _Work, seen: _Seen, clicks: Integers) -> Distinct:
    """The program's distinct values as codes; sub-IDs are numbered where they are counted."""
    offers, countries, agents = (coding_of(work.con, seen.texts[kind]) for kind in ("offer_id", "country", "user_agent"))
    domains = domain_coding(coding_of(work.con, seen.texts["host"]))
    nothing = coding_of(work.con, pa.array([], pa.string()))
    bots = declaring_automation(agents.texts.to_pylist())
    codings = Codings(seen.affiliates, nothing, offers, countries, agents, domains)
    return distinct_of(work.con, codings, bots, clicks, int(seen.clicks.sum()))


def _coders(distinct: Distinct) -> Coders:
    """What the workers need to know of the codings: not the texts."""
    kept = (distinct.affiliates, distinct.offers, distinct.countries, distinct.agents, distinct.domains)
    return Coders(*(Coding(coding.table, coding.codes, pa.array([], pa.string())) for coding in kept))


def _judged(work: _Work, windows: Sequence[NumberedWindow], seen: _Seen, coders: Broadcast[Coders]) -> egress.Judged:
    """Which addresses are shared or server-like in each window."""
    since, _, last = read_since(windows)
    partitions = work.partitions(int(seen.clicks[seen.between(microseconds(since), microseconds(last))].sum()))
    clicks = work.clicks.where(_inside(since, last)).select(*spark_tasks.SIGHTED_COLUMNS)
    task = partial(spark_tasks.sighted, spark_tasks.release(), coders, partitions)
    ends = ends_of(windows)
    sighted = clicks.mapInArrow(task, spark_tasks.SIGHTED).repartition(partitions, "part").groupBy("part")
    tallied = sighted.applyInArrow(lambda group: spark_tallies.tally_addresses(ends, group), spark_tallies.ADDRESSES)
    tallies = spark_tallies.read_addresses(work.collected("learning addresses", tallied))
    return verdicts(work.con, [tallies], _totals(seen, windows), windows)


def _tallied(
    work: _Work, windows: Sequence[NumberedWindow], distinct: Distinct, judged: egress.Judged, coders: Broadcast[Coders]
) -> tuple[list[ClickTallies], pa.Array]:
    """The tallies of all affiliates and sub-IDs, and the texts of the sub-IDs' codes in them."""
    _, first, last = read_since(windows)
    partitions = work.partitions(int(distinct.clicks.sum()))
    context = work.spark.sparkContext
    place = context.broadcast(_places(distinct.clicks, partitions))
    bounds, judgements = judged_for_kernels(judged, windows)
    kernels = context.broadcast(spark_tallies.Kernels(bounds, distinct.tables, judgements))
    clicks = work.clicks.where(_inside(first, last)).select(*spark_tasks.CODED_COLUMNS)
    task = partial(spark_tasks.coded, spark_tasks.release(), coders, place, context.broadcast(work.exits))
    coded = clicks.mapInArrow(task, spark_tasks.CODED).repartition(partitions, "part").groupBy("part")
    tallied = coded.applyInArrow(lambda group: spark_tallies.tally_clicks(kernels, group), spark_tallies.TALLIED)
    rows = work.collected("counting clicks", tallied)
    if not rows.num_rows:
        rows = spark_tallies.tally_clicks(kernels, spark_tasks.arrow_schema(spark_tasks.CODED).empty_table())
    return spark_tallies.read_clicks(rows)


def _places(clicks: Integers, partitions: int) -> Codes:
    """The partition of each affiliate's clicks: neighbours share one until it is full."""
    rows = max(1, -(-int(clicks.sum()) // partitions))
    return ((np.cumsum(clicks) - clicks) // rows).astype(np.int32)


def _moment(moment: datetime) -> str:
    return f"TIMESTAMP_NTZ '{moment.isoformat(sep=' ')}'"


def _inside(begin: datetime, end: datetime) -> str:
    return f"clicked_at >= {_moment(begin)} AND clicked_at < {_moment(end)}"


def _own_tables(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A connection with the program's affiliates and offers, to which the rest is added: the caller's keeps its views."""
    memory, folder = con.sql("SELECT current_setting('memory_limit'), current_setting('temp_directory')").fetchall()[0]
    own = duckdb.connect(config={"memory_limit": memory, "temp_directory": folder})
    own.execute("SET TimeZone = 'UTC'")
    for name in ("affiliates", "offers"):
        create(own, name, con.table(name).to_arrow_table())
    return own
