"""What engines have in common: how clicks become numbers before the kernels, and what is done with the tallies after them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fraud.domain.networks import PRECEDENCE, EgressClass
from fraud.enrichment import egress
from fraud.enrichment.compiled import Integers, key_table, positions
from fraud.enrichment.egress_kernels import AddressTallies, address_keys
from fraud.enrichment.exits import ExitClasses
from fraud.features import values
from fraud.features.clicks import (
    DWELL_KNOWN,
    FROM_HOSTING,
    FROM_TOR,
    FROM_VPN,
    LANDING_KNOWN,
    NO_SCRIPT,
    PAID,
    PLACED,
    REFERRER_KNOWN,
    SCRIPT_KNOWN,
    SHORT_DWELL,
    Verdicts,
    Windows,
)
from fraud.features.constants import PAID_PARAMETERS, SHORT_DWELL_MS
from fraud.features.definition import Level
from fraud.features.level_tables import Texts, create
from fraud.features.request import FeatureRequest, NumberedWindow, microseconds
from fraud.features.table import FeatureTable
from fraud.features.tallies import ClickTallies

Progress = Callable[[str], None]

_FLAGS = (
    f"(CASE WHEN dwell_ms IS NULL THEN 0 WHEN dwell_ms < {SHORT_DWELL_MS} THEN {DWELL_KNOWN | SHORT_DWELL} ELSE {DWELL_KNOWN} END"
    f" + CASE WHEN js_executed IS NULL THEN 0 WHEN js_executed THEN {SCRIPT_KNOWN} ELSE {SCRIPT_KNOWN | NO_SCRIPT} END"
    f" + CASE WHEN referrer IS NULL THEN 0 ELSE {REFERRER_KNOWN} END"
    f" + CASE WHEN landing_url IS NULL THEN 0 WHEN contains(landing_url, '=') AND regexp_matches(landing_url, '[?&#]({PAID_PARAMETERS})=')"
    f" THEN {LANDING_KNOWN | PAID} ELSE {LANDING_KNOWN} END)::USMALLINT"
)
COMMON = "epoch_us(clicked_at), hash(affiliate_id), ip, hash(user_agent), hash(device_id)"
"""SQL of the columns of clicks that tell what addresses are."""
WHOLE = f"{COMMON}, hash(sub_id), hash(offer_id), hash(country), hash(referrer), {_FLAGS}"
"""SQL of the columns of clicks that are counted."""
_FROM = {EgressClass.HOSTING: FROM_HOSTING, EgressClass.VPN: FROM_VPN, EgressClass.TOR: FROM_TOR}
_EXIT_FLAGS = np.array([*(PLACED | _FROM.get(egress_class, 0) for egress_class in PRECEDENCE), 0], np.uint16)
"""The bits of each class of `PRECEDENCE`; the last for what is no public address (-1)."""
NOTHING = "SELECT hash(NULL::VARCHAR)"
"""SQL of what DuckDB makes of an unknown text."""


def silent(_: str) -> None:
    """The progress of those who do not ask for any."""


class Scanned:
    """A batch of clicks, read by `COMMON` or `WHOLE`, as arrays; `nothing` is the key of an unknown text.

    What may outlive the batch is copied: one column of Arrow's keeps all of them in memory."""

    def __init__(self, batch: pa.RecordBatch, nothing: int) -> None:
        self._batch = batch
        self._nothing = nothing
        self.time: Integers = np.array(batch.column(0).to_numpy())
        self.address, self.network = addresses(batch.column(2))

    def key(self, column: int) -> Integers:
        """The keys of a text column; what DuckDB makes of NULL stays as it is."""
        keys: Integers = self._batch.column(column).to_numpy().view(np.int64)
        return keys

    def known_key(self, column: int) -> Integers:
        """The keys of a text column, 0 where unknown."""
        keys = self.key(column)
        return np.where(keys == self._nothing, 0, keys)

    def flags(self, exits: ExitClasses | None) -> NDArray[np.uint16]:
        """The bits of `Clicks.flags` for a batch read by `WHOLE`; nothing is said of exits where no table knows them."""
        told: NDArray[np.uint16] = np.array(self._batch.column(9).to_numpy())
        return told if exits is None else told | _EXIT_FLAGS[exits.of(self._batch.column(2))]


def key_of_nothing(con: duckdb.DuckDBPyConnection) -> int:
    """The key that DuckDB gives to an unknown text."""
    return int(con.sql(NOTHING).to_arrow_table().column(0).to_numpy().view(np.int64)[0])


def addresses(texts: pa.Array) -> tuple[Integers, Integers]:
    """The keys of addresses and of their networks, 0 where there is none."""
    known = texts.is_valid().to_numpy(zero_copy_only=False)
    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return address_keys(np.frombuffer(data or b"", np.uint8), starts, known)


def as_array(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    return column.combine_chunks() if column.num_chunks else pa.array([], column.type)


def read_since(windows: Sequence[NumberedWindow]) -> tuple[Any, Any, Any]:
    """From when clicks are read for their addresses, and between which two moments for everything."""
    first, last = min(window.starts for window in windows), max(window.ends for window in windows)
    return min(first, min(window.ends for window in windows) - timedelta(days=egress.LOOKBACK_DAYS)), first, last


def ends_of(windows: Sequence[NumberedWindow]) -> Integers:
    """The windows' ends in microseconds."""
    return np.array([microseconds(window.ends) for window in windows], np.int64)


def verdicts(
    con: duckdb.DuckDBPyConnection, tallies: Sequence[AddressTallies], totals: egress.Totals, windows: Sequence[NumberedWindow]
) -> egress.Judged:
    """Which addresses are shared or server-like in each window; needs `ft_matched`."""
    rows = con.sql("SELECT epoch_us(converted_at), epoch_us(clicked_at), click_ip FROM ft_matched WHERE clicked_at IS NOT NULL")
    matched = rows.to_arrow_table().combine_chunks()
    address, network = addresses(as_array(matched.column(2)))
    converted = egress.Converted(matched.column(0).to_numpy(), matched.column(1).to_numpy(), address, network)
    return egress.judged(tallies, totals, converted, ends_of(windows))


def judged_for_kernels(judged: egress.Judged, windows: Sequence[NumberedWindow]) -> tuple[Windows, Verdicts]:
    """The windows and the verdicts as the kernels read them."""
    bounds = Windows(
        np.array([microseconds(window.starts) for window in windows], np.int64),
        ends_of(windows),
        judged.matched,
        np.array([window.least_clicks if "sub_id" in window.levels else -1 for window in windows], np.int64),
    )
    return bounds, Verdicts(key_table(judged.keys), judged.shared, judged.hosting)


def finished(
    con: duckdb.DuckDBPyConnection,
    request: FeatureRequest,
    judged: egress.Judged,
    tallies: Sequence[ClickTallies],
    texts: Texts,
) -> Mapping[Level, FeatureTable]:
    """The tables of the levels that are asked for; needs `ft_windows`, `ft_matched` and the views `affiliates`, `offers` and `clicks`."""
    _register_shared(con, judged)
    found = values.tallied(con, tallies, texts, request.least_clicks <= 0)
    starts = [window.starts for window in request.numbered()]
    return {level: values.table(con, level, starts, found) for level, wanted in request.levels.items() if wanted}


def _register_shared(con: duckdb.DuckDBPyConnection, judged: egress.Judged) -> None:
    """Builds `ft_shared` (`w`, `ip`): which of the conversions' addresses are shared."""
    texts = as_array(con.sql("SELECT DISTINCT ip FROM ft_matched WHERE ip IS NOT NULL ORDER BY ip").to_arrow_table().column(0))
    place = positions(key_table(judged.keys), addresses(texts)[0])
    rows, windows = np.nonzero(judged.shared[place] & (place >= 0)[:, None]) if len(judged.keys) else np.empty((2, 0), np.int64)
    create(con, "ft_shared", pa.table({"w": windows.astype(np.int32), "ip": texts.take(pa.array(rows))}))
