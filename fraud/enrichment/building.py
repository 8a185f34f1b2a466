"""Tables of networks made from what sources say: three layers (countries, AS numbers, classes) and a manifest that names every source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraud.domain.hashing import readable_json, sha256_of
from fraud.domain.networks import PRECEDENCE, EgressClass
from fraud.enrichment.operators import classify, lists_hash
from fraud.enrichment.range_files import RangeTable, read_range_file
from fraud.enrichment.ranges import Layer, Ranges, joined, layer_of
from fraud.enrichment.reserved import RESERVED
from fraud.enrichment.sources import ANYTHING, ASN, COUNTRY, KeptSource
from fraud.errors import InputError

SHAPE = 1
"""Of the files; tables of another shape are built anew."""

RESERVED_SOURCE = "iana"
_LAYER_FILES = (COUNTRY, ASN, "classes")
_OWN_FIRST = len(PRECEDENCE)


class SourceReport(msgspec.Struct, frozen=True, kw_only=True):
    """A source in tables: what was kept of it, and how many of its rows were read and could not be."""

    kept: KeptSource
    rows: int
    unread: int


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What a stretch of the layer of classes says: a class by a source; `alone` says that nothing else counts beside it."""

    egress_class: EgressClass
    source: str
    says: str
    alone: bool = False


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What tables are made of. `hash` covers the files, so that the same data have the same one; `files` are their SHA-256 by name."""

    version: str
    shape: int
    built_at: datetime
    hash: str
    operators_hash: str
    sources: tuple[SourceReport, ...]
    countries: tuple[tuple[str, str], ...]
    marks: tuple[Mark, ...]
    files: dict[str, str]


@dataclass(frozen=True)
class BuiltTables:
    """Tables ready to be kept: the files by name, `manifest.json` among them."""

    manifest: Manifest
    files: dict[str, bytes]


@dataclass(frozen=True)
class _Read:
    """One file of a source, read."""

    kept: KeptSource
    table: RangeTable
    place: int


def build(kept: Sequence[tuple[KeptSource, Sequence[bytes]]], built_at: datetime) -> BuiltTables:
    """The tables of sources in order of preference, each with its files. Raises `InputError` for a file that cannot be read or says
    nothing of what its source is for."""
    read = [_Read(source, table, place) for place, (source, files) in enumerate(kept) for table in _tables(source, files)]
    country_layer, countries = _countries(read)
    asn_layer, systems = _systems(read)
    class_layer, marks = _classes(read)
    files = dict(zip((f"{name}.arrow" for name in _LAYER_FILES), map(_layer_bytes, (country_layer, asn_layer, class_layer)), strict=True))
    files["systems.arrow"] = _ipc(systems)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    content = sha256_of([SHAPE, hashes, countries, marks])
    manifest = Manifest(
        version=f"networks-{built_at:%Y%m%dT%H%M%SZ}-{content[:8]}",
        shape=SHAPE,
        built_at=built_at,
        hash=content,
        operators_hash=lists_hash(),
        sources=tuple(_reports(kept, read)),
        countries=tuple(countries),
        marks=tuple(marks),
        files=hashes,
    )
    return BuiltTables(manifest, {**files, "manifest.json": readable_json(manifest)})


def check_source(kept: KeptSource, files: Sequence[bytes]) -> None:
    """Raises `InputError` when a source's files cannot be read or say nothing of what it is for."""
    for _ in _tables(kept, files):
        pass


def _tables(kept: KeptSource, files: Sequence[bytes]) -> Iterator[RangeTable]:
    for number, data in enumerate(files):
        name = kept.source.urls[number] if number < len(kept.source.urls) else kept.source.title
        for table in read_range_file(data, name, kept.source.members):
            _says_what_it_should(kept, table, name)
            yield table


def _says_what_it_should(kept: KeptSource, table: RangeTable, name: str) -> None:
    has = {
        ASN: bool(np.any(table.asn)),
        COUNTRY: pc.any(pc.not_equal(table.country, "")).as_py(),
        "egress_class": pc.any(pc.not_equal(table.egress_class, "")).as_py(),
    }
    if kept.source.gives in has and not has[kept.source.gives]:
        raise InputError(f"{name} should say the {kept.source.gives} of addresses, and says none.")
    if kept.source.gives == ANYTHING and not any(has.values()):
        raise InputError(f"{name} is a plain list of networks: say what they are, such as --from hosting={name}.")
    strange = set(pc.unique(table.egress_class).to_pylist()) - {"", *(member.value for member in EgressClass)}
    if strange:
        raise InputError(f"{name}: {sorted(strange)[0]!r} is no class; say one of {', '.join(member.value for member in EgressClass)}.")


def _reports(kept: Sequence[tuple[KeptSource, Sequence[bytes]]], read: Sequence[_Read]) -> Iterator[SourceReport]:
    for place, (source, _) in enumerate(kept):
        own = [part.table for part in read if part.place == place]
        yield SourceReport(kept=source, rows=sum(len(table.ranges) for table in own), unread=sum(table.unread for table in own))


def _countries(read: Sequence[_Read]) -> tuple[Layer, list[tuple[str, str]]]:
    """The layer of countries, whose rows are pairs of code and source."""
    pairs: list[tuple[str, str]] = []
    parts: list[tuple[Ranges, int, np.ndarray]] = []
    for part in read:
        if part.kept.source.gives not in {COUNTRY, ANYTHING}:
            continue
        codes = part.table.country.dictionary_encode()
        said = np.array([code != "" for code in codes.dictionary.to_pylist()], np.bool_)
        indices = codes.indices.to_numpy(zero_copy_only=False)
        filled = said[indices] if len(said) else np.zeros(len(indices), np.bool_)
        parts.append((part.table.ranges.take(filled), _rank(part), indices[filled].astype(np.int32) + np.int32(len(pairs))))
        pairs += [(code, part.kept.source.id) for code in codes.dictionary.to_pylist()]
    return _layer(parts), pairs


def _systems(read: Sequence[_Read]) -> tuple[Layer, pa.Table]:
    """The layer of AS numbers and the table its rows are of: number, organisation, class, why, source."""
    numbers, names, sources = [np.zeros(0, np.int64)], [pa.array([], pa.string())], [pa.array([], pa.string())]
    parts: list[tuple[Ranges, int, np.ndarray]] = []
    count = 0
    for part in read:
        if part.kept.source.gives not in {ASN, ANYTHING}:
            continue
        routed = part.table.asn > 0
        own, first, row = np.unique(part.table.asn[routed], return_index=True, return_inverse=True)
        parts.append((part.table.ranges.take(routed), _rank(part), row.astype(np.int32) + np.int32(count)))
        numbers.append(own)
        names.append(part.table.organisation.filter(pa.array(routed)).take(pa.array(first)))
        sources.append(pa.array([part.kept.source.id] * len(own), pa.string()))
        count += len(own)
    return _layer(parts), _classified(np.concatenate(numbers), pa.concat_arrays(names), pa.concat_arrays(sources))


def _classified(numbers: np.ndarray, names: pa.Array, sources: pa.Array) -> pa.Table:
    found = [classify(number, name) for number, name in zip(numbers.tolist(), names.to_pylist(), strict=True)]
    return pa.table(
        {
            "asn": pa.array(numbers.astype(np.uint32)),
            "organisation": names,
            "egress_class": pa.array([operator.egress_class.value for operator in found], pa.string()),
            "why": pa.array([operator.why for operator in found], pa.string()),
            "source": sources,
        }
    )


def _classes(read: Sequence[_Read]) -> tuple[Layer, list[Mark]]:
    """The layer of classes, whose rows are marks; what nobody owns on the public internet comes before everything."""
    reserved = read_range_file("\n".join(RESERVED).encode(), "the reserved networks")[0]
    marks = [Mark(egress_class=EgressClass.UNKNOWN, source=RESERVED_SOURCE, says=why, alone=True) for why in RESERVED.values()]
    parts: list[tuple[Ranges, int, np.ndarray]] = [(reserved.ranges, -1, np.arange(len(marks), dtype=np.int32))]
    for part in read:
        for egress_class, ranges in _by_class(part):
            rank = PRECEDENCE.index(egress_class) + (0 if part.kept.source.own else _OWN_FIRST)
            parts.append((ranges, rank * 1000 + part.place, np.full(len(ranges), len(marks), np.int32)))
            marks.append(
                Mark(egress_class=egress_class, source=part.kept.source.id, says=part.kept.source.title, alone=part.kept.source.own)
            )
    return _layer(parts), marks


def _by_class(part: _Read) -> Iterator[tuple[EgressClass, Ranges]]:
    gives, table = part.kept.source.gives, part.table
    if gives not in {ASN, COUNTRY, ANYTHING}:
        yield EgressClass(gives), table.ranges
    elif gives == ANYTHING:
        for name in pc.unique(table.egress_class).to_pylist():
            if name:
                yield EgressClass(name), table.ranges.take(pc.equal(table.egress_class, name).to_numpy(zero_copy_only=False))


def _rank(part: _Read) -> int:
    return part.place - (1000 if part.kept.source.own else 0)


def _layer(parts: Sequence[tuple[Ranges, int, np.ndarray]]) -> Layer:
    ranks = [np.full(len(ranges), rank, np.int64) for ranges, rank, _ in parts]
    rows = [row.astype(np.int32) for _, _, row in parts]
    return layer_of(
        joined([ranges for ranges, _, _ in parts]),
        np.concatenate([np.zeros(0, np.int64), *ranks]),
        np.concatenate([np.zeros(0, np.int32), *rows]),
    )


def _layer_bytes(layer: Layer) -> bytes:
    return _ipc(pa.table({"high": pa.array(layer.high), "low": pa.array(layer.low), "row": pa.array(layer.row)}))


def _ipc(table: pa.Table) -> bytes:
    """The table as one Arrow record batch, uncompressed, so that it can be used where it lies."""
    stream = pa.BufferOutputStream()
    with pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table.combine_chunks(), max_chunksize=max(1, table.num_rows))
    data: bytes = stream.getvalue().to_pybytes()
    return data
