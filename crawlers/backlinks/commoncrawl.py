"""Common Crawl's web graph files, streamed once for a set of domains: ranks, in-links and neighbours.

Files are tab-separated text, gzip or plain, with host names back to front (`com.example`). A ranks file has the columns
`harmonicc_pos harmonicc_val pr_pos pr_val host_rev n_hosts`, vertices `id host_rev [n_hosts]`, edges `from_id to_id`.
Of ranks and vertices nothing but the wanted lines is ever taken apart (`searching`).
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from msgspec import Struct

from crawlers.backlinks.facts import Rank
from crawlers.backlinks.searching import LineTooLong, lines_with
from crawlers.errors import CrawlError

PIECE = 8 * 1024 * 1024
MOST_DOMAINS = 100_000
"""Domains looked for in one pass."""
MOST_NEIGHBOURS = 1_000
"""Neighbours kept of one domain."""
_RANK_COLUMNS = ("harmonic", "harmonic_value", "pagerank", "pagerank_value", "name", "hosts")
_VERTEX_COLUMNS = ("id", "name", "hosts")


class GraphFileError(CrawlError):
    """A graph file cannot be read; the message says which and what it should be."""


class Neighbours(Struct, frozen=True, kw_only=True):
    """A domain's links in the graph: how many, and some of the domains at their other end."""

    domain: str
    in_links: int = 0
    out_links: int = 0
    linked_from: tuple[str, ...] = ()
    links_to: tuple[str, ...] = ()


def reversed_name(domain: str) -> str:
    """Return a name back to front by labels, as the graph writes it: `shop.example.com` gives `com.example.shop`."""
    return ".".join(reversed(domain.strip(".").lower().split(".")))


def ranks(path: Path, domains: Iterable[str]) -> dict[str, Rank]:
    """Return the ranks of those of the domains (at most 100,000) that a ranks file has, in one pass and flat memory.

    Raises GraphFileError when it is no ranks file.
    """
    wanted = {reversed_name(domain): domain for domain in domains}
    found: dict[str, Rank] = {}
    for row in _rows(path, wanted, _RANK_COLUMNS):
        cells = dict(zip(_RANK_COLUMNS, row, strict=False))
        domain = wanted[cells["name"]]
        found[domain] = Rank(
            domain=domain, harmonic=_whole(cells["harmonic"]), pagerank=_whole(cells["pagerank"]), hosts=_whole(cells.get("hosts"))
        )
    return found


def neighbours(vertices: Path, edges: Path, domains: Iterable[str]) -> dict[str, Neighbours]:
    """Return the links of those of the domains that the graph has: one pass over the edges, two over the vertices.

    Raises GraphFileError when a file is no graph file.
    """
    ids = _ids(vertices, {reversed_name(domain): domain for domain in domains})
    wanted = pa.array(list(ids), pa.int64())
    into: dict[int, list[int]] = {number: [] for number in ids}
    out: dict[int, list[int]] = {number: [] for number in ids}
    counts = {number: [0, 0] for number in ids}
    for batch in _batches(edges, ("from", "to"), numbers=True):
        for near, far, kept, place in (("to", "from", into, 0), ("from", "to", out, 1)):
            hits = batch.filter(pc.is_in(batch.column(near), value_set=wanted))
            _note(hits.column(near).to_numpy(), hits.column(far).to_numpy(), kept, (counts, place))
    named = _names(vertices, {number for lists in (into, out) for listed in lists.values() for number in listed})
    return {
        domain: Neighbours(
            domain=domain,
            in_links=counts[number][0],
            out_links=counts[number][1],
            linked_from=tuple(sorted(named[other] for other in into[number] if other in named)),
            links_to=tuple(sorted(named[other] for other in out[number] if other in named)),
        )
        for number, domain in ids.items()
    }


def _note(
    near: np.ndarray[tuple[int], np.dtype[np.int64]],
    far: np.ndarray[tuple[int], np.dtype[np.int64]],
    kept: dict[int, list[int]],
    counted: tuple[dict[int, list[int]], int],
) -> None:
    counts, place = counted
    for number in np.unique(near).tolist():
        others = far[near == number]
        counts[number][place] += len(others)
        kept[number].extend(others[: MOST_NEIGHBOURS - len(kept[number])].tolist())


def _ids(vertices: Path, wanted: Mapping[str, str]) -> dict[int, str]:
    return {int(row[0]): wanted[row[1]] for row in _rows(vertices, wanted, _VERTEX_COLUMNS) if row[0].isdigit()}


def _rows(path: Path, wanted: Mapping[str, str], columns: tuple[str, ...]) -> Iterator[list[str]]:
    """Yield the cells of the lines whose name is wanted."""
    there = _columns_there(path, columns)
    place = there.index("name")
    try:
        for row in lines_with(path, wanted, len(there) - place - 1):
            if len(row) == len(there) and row[place] in wanted:
                yield row
    except (OSError, EOFError, zlib.error, LineTooLong) as fault:
        raise GraphFileError(f"{path.name} cannot be read as a graph file: {str(fault)[:200]}.") from fault


def _names(vertices: Path, numbers: set[int]) -> dict[int, str]:
    wanted = pa.array([str(number) for number in numbers], pa.string())
    hits = (batch.filter(pc.is_in(batch.column("id"), value_set=wanted)) for batch in _batches(vertices, _VERTEX_COLUMNS))
    return {int(row["id"]): reversed_name(row["name"]) for hit in hits for row in hit.to_pylist()}


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _batches(path: Path, columns: tuple[str, ...], numbers: bool = False) -> Iterator[pa.RecordBatch]:
    """Yield a file in batches of columns; those that the file lacks at the end are empty."""
    there = _columns_there(path, columns)
    kind = pa.int64() if numbers else pa.string()
    try:
        with _opened(path) as file:
            reader = pyarrow.csv.open_csv(
                file,
                read_options=pyarrow.csv.ReadOptions(column_names=there, block_size=PIECE, skip_rows=_heading(path)),
                parse_options=pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False, invalid_row_handler=lambda _: "skip"),
                convert_options=pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(there, kind)),
            )
            yield from reader
    except (pa.ArrowInvalid, OSError, EOFError, zlib.error) as fault:
        raise GraphFileError(f"{path.name} cannot be read as a graph file: {str(fault)[:200]}.") from fault


def _columns_there(path: Path, columns: tuple[str, ...]) -> list[str]:
    first = _first_line(path).split("\t")
    least = 5 if columns is _RANK_COLUMNS else 2
    if not least <= len(first) <= len(columns):
        raise GraphFileError(
            f"{path.name}: {len(first)} column(s) where a graph file has {least} to {len(columns)}, separated by tabs; "
            "give the file as Common Crawl publishes it."
        )
    return list(columns[: len(first)])


def _heading(path: Path) -> int:
    return int(_first_line(path).startswith("#"))


def _first_line(path: Path) -> str:
    try:
        with (_is_gzip(path) and gzip.open(path)) or path.open("rb") as file:
            return file.readline(4096).decode("utf-8", "replace").rstrip("\r\n")
    except (OSError, EOFError, zlib.error) as fault:
        raise GraphFileError(f"{path.name} cannot be read: {str(fault)[:200]}.") from fault


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes] | pa.NativeFile]:
    with pa.OSFile(str(path)) as raw:
        if _is_gzip(path):
            with pa.CompressedInputStream(raw, "gzip") as file:
                yield file
        else:
            yield raw
