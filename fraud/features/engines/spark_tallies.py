"""Tallies made in Spark's Python workers, partition by partition, and read again by the driver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fraud.enrichment import egress
from fraud.enrichment.compiled import Integers
from fraud.enrichment.egress_kernels import AddressTallies, Sightings, tallies_of
from fraud.features.click_kernels import tallies_of_clicks
from fraud.features.clicks import Clicks, Program, Verdicts, Windows
from fraud.features.engines.spark_tasks import arrow_schema, batch_of
from fraud.features.tallies import HOURS, KNOWN, TALLIES, ClickTallies

ADDRESSES = (
    "window BIGINT, address BIGINT, network BIGINT, clicks BIGINT, affiliates BIGINT, devices BIGINT, agents BIGINT, crowd BIGINT, "
    "entropy DOUBLE, network_entropy DOUBLE"
)
TALLIED = "keys BINARY, tallies BINARY, hours BINARY, offers BINARY, countries BINARY, known BINARY, subs ARRAY<STRING>"
"""Spark's schemas of the tallies of addresses, an address and window a row, and of clicks, some thousand entities a row."""

ENTITIES_A_ROW = 10_000
"""Entities whose tallies travel as one row: about five megabytes."""

_SHAPES: dict[str, tuple[int, Any]] = {
    "keys": (3, np.int64),
    "tallies": (len(TALLIES), np.float64),
    "hours": (HOURS, np.float64),
    "offers": (3, np.int64),
    "countries": (3, np.int64),
    "known": (len(KNOWN), np.int64),
}


class Kernels(NamedTuple):
    """What the click kernel wants beside clicks."""

    windows: Windows
    program: Program
    verdicts: Verdicts


def tally_addresses(ends: Integers, group: pa.Table) -> pa.Table:
    """The tallies of one partition of sighted clicks over the look-backs that end at `ends`."""
    found = tallies_of(Sightings(*(_numbers(group, name) for name in Sightings._fields)), ends, egress.LIMITS)
    return pa.Table.from_batches([batch_of(ADDRESSES, [*found.keys.T, *found.counts.T, *found.entropies.T])])


def read_addresses(rows: pa.Table) -> AddressTallies:
    """The tallies of all partitions, from the rows that `tally_addresses` gave."""
    columns = [column.to_numpy() for column in rows.columns]
    return AddressTallies(np.column_stack(columns[:3]), np.column_stack(columns[3:8]), np.column_stack(columns[8:]))


def tally_clicks(kernels: Any, group: pa.Table) -> pa.Table:
    """The tallies of one partition of coded clicks; `kernels` is a broadcast `Kernels`."""
    given: Kernels = kernels.value
    texts = _sorted_texts(group.column("sub"))
    sub = _codes(group.column("sub"), texts)
    columns = {name: _numbers(group, name) for name in Clicks._fields if name != "sub"}
    columns["flags"] = columns["flags"].astype(np.uint16)
    found = tallies_of_clicks(Clicks(**columns, sub=sub), given.windows, given.program, given.verdicts)
    return pa.Table.from_pylist([_packed(part, texts) for part in _parts(found)], schema=arrow_schema(TALLIED))


def read_clicks(rows: pa.Table) -> tuple[list[ClickTallies], pa.Array]:
    """The tallies of all partitions, from the rows that `tally_clicks` gave, and the texts of the sub-IDs' codes in them, in order."""
    texts = _sorted_texts(pc.list_flatten(rows.column("subs")))
    return [_unpacked(row, texts) for row in rows.to_pylist()], texts


def _numbers(group: pa.Table, name: str) -> NDArray[Any]:
    """A column of numbers that may be written to: kernels are compiled for such, and would be again for Arrow's own memory."""
    return np.array(group.column(name).to_numpy())


def _sorted_texts(texts: pa.ChunkedArray) -> pa.Array:
    """The distinct texts in the order of their bytes, as DuckDB orders them."""
    distinct = pc.drop_null(pc.unique(texts))
    return distinct.take(pc.sort_indices(distinct))


def _codes(texts: pa.ChunkedArray | pa.Array, known: pa.Array) -> NDArray[np.int32]:
    """The place of each text among the known ones; -1 where it is unknown."""
    codes: NDArray[np.int32] = np.asarray(pc.fill_null(pc.index_in(texts, value_set=known), -1), np.int32)
    return codes


def _parts(whole: ClickTallies) -> Iterator[ClickTallies]:
    """The tallies in pieces that may travel alone; what is counted by window goes with the first."""
    for begin in range(0, max(len(whole.keys), 1), ENTITIES_A_ROW):
        end = begin + ENTITIES_A_ROW
        yield ClickTallies(
            whole.keys[begin:end],
            whole.tallies[begin:end],
            whole.hours[begin:end],
            _pairs_of(whole.offers, begin, end),
            _pairs_of(whole.countries, begin, end),
            whole.known if begin == 0 else np.zeros_like(whole.known),
        )


def _pairs_of(pairs: Integers, begin: int, end: int) -> Integers:
    """The pairs of the entities from `begin` to before `end`, which then number from 0."""
    own: Integers = pairs[(pairs[:, 0] >= begin) & (pairs[:, 0] < end)] - np.array([begin, 0, 0])
    return own


def _packed(part: ClickTallies, texts: pa.Array) -> dict[str, Any]:
    """One row; sub-IDs are numbered among its own."""
    codes, numbers = np.unique(part.keys[:, 2], return_inverse=True)
    unknown = int(np.count_nonzero(codes < 0))
    keys = np.column_stack([part.keys[:, :2], np.where(part.keys[:, 2] < 0, part.keys[:, 2], numbers - unknown)])
    arrays = part._replace(keys=keys)._asdict()
    packed = {name: np.ascontiguousarray(arrays[name], kind).tobytes() for name, (_, kind) in _SHAPES.items()}
    return packed | {"subs": texts.take(pa.array(codes[unknown:])).to_pylist()}


def _unpacked(row: dict[str, Any], texts: pa.Array) -> ClickTallies:
    arrays = {name: np.frombuffer(row[name], kind).reshape(-1, width) for name, (width, kind) in _SHAPES.items()}
    subs, keys = _codes(pa.array(row["subs"], pa.string()), texts), arrays["keys"].copy()
    named = keys[:, 2] >= 0
    keys[named, 2] = subs[keys[named, 2]]
    return ClickTallies(**arrays | {"keys": keys})
