"""The tables of networks in use: country, AS number and organisation, and class of exit by address, for a column at once or for one.

Read-only and memory-mapped, so that all processes of a machine share them. Where there are no tables, everything is unknown.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from fraud.domain.decisions import Artefact
from fraud.domain.networks import PRECEDENCE, SHARED_CLASSES, AddressFacts, EgressClass, NetworkEvidence
from fraud.enrichment.addresses import Half, read_column, read_one, spell
from fraud.enrichment.building import SHAPE, Manifest, Mark
from fraud.enrichment.exits import CODE, UNKNOWN, ExitClasses, at, codes_of, where_known
from fraud.enrichment.kernels import V4_PREFIX, Rows
from fraud.enrichment.ranges import Layer
from fraud.errors import StorageError

SCHEMA = pa.schema(
    {
        "ip": pa.string(),
        "country": pa.string(),
        "asn": pa.uint32(),
        "organisation": pa.string(),
        "egress_class": pa.string(),
        "source": pa.string(),
    }
)
"""What `lookup` gives: one row per address asked, in order. `country`, `asn` and `organisation` are null and `egress_class` is `unknown`
where nobody says; `source` is the id of the source that the class rests on, null for `unknown`."""

_TOP = (1 << 128) - 1


class NetworkTables:
    """Tables as `fraud.enrichment.building` made them, opened by `load`. Fulfils `fraud.domain.networks.AddressReader`."""

    def __init__(self, manifest: Manifest, layers: Sequence[Layer], systems: pa.Table) -> None:
        self.manifest = manifest
        self._country, self._asn, self._class = (_Stretches(layer) for layer in layers)
        self._systems = systems
        self._organisations = _blank_is_null(systems["organisation"].combine_chunks())
        self._asns = systems["asn"].combine_chunks().to_numpy()
        self.exits = ExitClasses(
            self._asn.layer,
            self._class.layer,
            codes_of([EgressClass(name) for name in systems["egress_class"].to_pylist()]),
            codes_of([mark.egress_class for mark in manifest.marks]),
            np.array([mark.alone for mark in manifest.marks], np.bool_),
        )
        self._countries = pa.array([code for code, _ in manifest.countries], pa.string())
        self._sources, self._mark_sources, self._system_sources = _coded(
            [mark.source for mark in manifest.marks], systems["source"].to_pylist()
        )

    @property
    def artefact(self) -> Artefact:
        """What these tables are called, and the hash of what they say: a scan keeps it."""
        return Artefact(id=self.manifest.version, hash=self.manifest.hash)

    @property
    def attributions(self) -> tuple[str, ...]:
        """What the sources' licences ask to be said wherever their data are shown."""
        return tuple(report.kept.source.attribution for report in self.manifest.sources if report.kept.source.attribution)

    def lookup(self, addresses: pa.Array | pa.ChunkedArray) -> pa.Table:
        """`SCHEMA`: what is known of each address of a column of text, in order; nulls and opaque texts are unknown."""
        column = addresses.combine_chunks() if isinstance(addresses, pa.ChunkedArray) else addresses
        read = read_column(column)
        country, system, mark = (where_known(layer.layer, read) for layer in (self._country, self._asn, self._class))
        nobody = self.exits.nobodys(mark)
        country[nobody], system[nobody] = -1, -1
        codes, from_mark = self.exits.judge(system, mark)
        return pa.Table.from_arrays(
            [
                column.cast(pa.string()),
                self._countries.take(_indices(country)),
                pa.array(at(self._asns, system, np.uint32(0)), mask=system < 0),
                self._organisations.take(_indices(system)),
                pa.array([member.value for member in PRECEDENCE]).take(pa.array(codes)),
                self._class_sources(codes, from_mark, system, mark),
            ],
            schema=SCHEMA,
        )

    def _class_sources(self, codes: np.ndarray, from_mark: np.ndarray, system: Rows, mark: Rows) -> pa.Array:
        nobody = np.int32(-1)
        told = np.where(from_mark, at(self._mark_sources, mark, nobody), at(self._system_sources, system, nobody))
        return self._sources.take(_indices(np.where(codes == UNKNOWN, nobody, told)))

    def read(self, address: str) -> AddressFacts:
        """What is known of one address, in a few microseconds; without the evidence, which `explain` gives."""
        halves = read_one(address)
        if halves is None:
            return AddressFacts(address=address, known=False)
        mark = self._mark_at(halves)
        if mark is not None and mark.egress_class is EgressClass.UNKNOWN:
            return AddressFacts(address=address, known=True)
        system, country = self._asn.row_at(halves), self._country.row_at(halves)
        egress_class = mark.egress_class if mark else EgressClass.UNKNOWN
        if system >= 0 and not (mark and mark.alone):
            egress_class = PRECEDENCE[min(CODE[egress_class], self.exits.system_classes[system])]
        return AddressFacts(
            address=address,
            known=True,
            country=self.manifest.countries[country][0] if country >= 0 else None,
            asn=int(self._asns[system]) if system >= 0 else None,
            organisation=self._organisations[system].as_py() if system >= 0 else None,
            egress_class=egress_class,
        )

    def explain(self, address: str) -> AddressFacts:
        """`read` with the evidence: what each source that speaks of the address says, and of which stretch around it."""
        facts, halves = self.read(address), read_one(address)
        return facts if halves is None else msgspec.structs.replace(facts, evidence=tuple(self._evidence(halves)))

    def _mark_at(self, halves: tuple[Half, Half]) -> Mark | None:
        row = self._class.row_at(halves)
        return self.manifest.marks[row] if row >= 0 else None

    def _evidence(self, halves: tuple[Half, Half]) -> Iterator[NetworkEvidence]:
        mark = self._mark_at(halves)
        if mark is not None:
            nobody = mark.egress_class is EgressClass.UNKNOWN
            yield self._class.evidence(halves, mark.source, mark.says if nobody else f"{mark.egress_class.value}: {mark.says}")
            if nobody:
                return
        if (row := self._asn.row_at(halves)) >= 0:
            system = self._systems.slice(row, 1).to_pylist()[0]
            says = f"AS{system['asn']} {system['organisation']}".rstrip()
            why = f" ({system['egress_class']}: {system['why']})" if system["why"] else ""
            yield self._asn.evidence(halves, system["source"], says + why)
        if (row := self._country.row_at(halves)) >= 0:
            country, source = self.manifest.countries[row]
            yield self._country.evidence(halves, source, f"country {country}")


def lookup(addresses: pa.Array | pa.ChunkedArray, tables: NetworkTables | None) -> pa.Table:
    """`SCHEMA`: what is known of each address of a column of text, in order; everything unknown where there are no tables.

    Meant to be asked for distinct addresses and registered as a relation: `con.register("ft_networks", lookup(ips, tables))`.
    """
    if tables is not None:
        return tables.lookup(addresses)
    column = addresses.combine_chunks() if isinstance(addresses, pa.ChunkedArray) else addresses
    nothing = [pa.nulls(len(column), field.type) for field in SCHEMA]
    nothing[0], nothing[4] = column.cast(pa.string()), pa.array([EgressClass.UNKNOWN.value] * len(column), pa.string())
    return pa.Table.from_arrays(nothing, schema=SCHEMA)


class JoinedEgress(NamedTuple):
    """A table's word and the log's own together: the class, whether many people share the address, and who says so."""

    egress_class: EgressClass
    shared: bool
    source: Literal["table", "learned", "none"]


def joined_egress(table_class: EgressClass, shared: bool, hosting_like: bool | None) -> JoinedEgress:
    """The table's class where it has one, else what was learned from the log (`fraud.enrichment.egress`): server-like is `hosting`, a
    crowd is shared though nobody knows whose exit it is. A crowd that was seen is shared whatever the table says."""
    if table_class is not EgressClass.UNKNOWN:
        return JoinedEgress(table_class, shared or table_class in SHARED_CLASSES, "table")
    if hosting_like:
        return JoinedEgress(EgressClass.HOSTING, shared, "learned")
    return JoinedEgress(EgressClass.UNKNOWN, shared, "learned" if shared else "none")


_TABLE = "coalesce(nullif({table_class}, 'unknown'), '')"
JOINED_CLASS_SQL = f"CASE WHEN {_TABLE} <> '' THEN {{table_class}} WHEN {{hosting_like}} THEN 'hosting' ELSE 'unknown' END"
"""`joined_egress` in SQL: the class. `{table_class}`, `{shared}` and `{hosting_like}` stand for columns, any of which may be NULL."""
JOINED_SHARED_SQL = (
    f"(coalesce({{shared}}, false) OR {_TABLE} IN ({', '.join(repr(member.value) for member in PRECEDENCE if member in SHARED_CLASSES)}))"
)
"""`joined_egress` in SQL: whether many people share the address."""
JOINED_SOURCE_SQL = f"CASE WHEN {_TABLE} <> '' THEN 'table' WHEN {{hosting_like}} OR {{shared}} THEN 'learned' ELSE 'none' END"
"""`joined_egress` in SQL: who says so."""


def load(folder: Path) -> NetworkTables:
    """The tables in a folder. `StorageError` when a file is not what its manifest says; nothing unverified is ever read."""
    try:
        manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
        if manifest.shape != SHAPE:
            raise StorageError(f"The tables of networks in {folder} are of another version of the product; run `fraud enrichment refresh`.")
        tables = {name: _mapped(folder / name, sha256) for name, sha256 in manifest.files.items()}
        return NetworkTables(manifest, [_layer(tables[f"{name}.arrow"]) for name in ("country", "asn", "classes")], tables["systems.arrow"])
    except (OSError, KeyError, pa.ArrowInvalid, msgspec.DecodeError) as fault:
        raise StorageError(f"The tables of networks in {folder} cannot be read ({fault}); run `fraud enrichment refresh`.") from fault


def _mapped(path: Path, sha256: str) -> pa.Table:
    buffer = pa.memory_map(str(path)).read_buffer()
    if hashlib.sha256(buffer).hexdigest() != sha256:
        raise StorageError(f"The table of networks {path} is not as it was built; run `fraud enrichment refresh`.")
    return pa.ipc.open_file(buffer).read_all()


def _layer(table: pa.Table) -> Layer:
    return Layer(*(table[name].combine_chunks().to_numpy() for name in ("high", "low", "row")))


class _Stretches:
    """A layer for one address at a time: the same arrays, seen as the interpreter likes them."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self._high, self._low, self._row = layer.high.data, layer.low.data, layer.row.data
        self._v4, self._v6 = (part.data for part in layer.directory)

    def place(self, halves: tuple[Half, Half]) -> int:
        """The stretch an address lies in; -1 before the first."""
        high, low = halves
        if high == 0 and low >> 32 == V4_PREFIX >> 32:
            part = low >> 16 & 0xFFFF
            return bisect_right(self._low, low, self._v4[part], self._v4[part + 1]) - 1
        part = high >> 48
        below, above = self._v6[part], self._v6[part + 1]
        first = bisect_left(self._high, high, below, above)
        return bisect_right(self._low, low, first, bisect_right(self._high, high, first, above)) - 1

    def row_at(self, halves: tuple[Half, Half]) -> int:
        """What the layer says there; -1 for nothing."""
        place = self.place(halves)
        return int(self._row[place]) if place >= 0 else -1

    def evidence(self, halves: tuple[Half, Half], source: str, says: str) -> NetworkEvidence:
        """What a source says of an address, with the stretch it says it of."""
        place = self.place(halves)
        after = place + 1
        last = (self._high[after] << 64 | self._low[after]) - 1 if after < len(self._high) else _TOP
        first = spell(self._high[place], self._low[place])
        return NetworkEvidence(source=source, says=says, first=first, last=spell(last >> 64, last & ((1 << 64) - 1)))


def _coded(ours: Sequence[str], theirs: Sequence[str]) -> tuple[pa.Array, Rows, Rows]:
    """The distinct texts of two columns, and each column as places among them."""
    names = sorted({*ours, *theirs})
    place = {name: number for number, name in enumerate(names)}
    first, second = (np.array([place[name] for name in column], np.int32) for column in (ours, theirs))
    return pa.array(names, pa.string()), first, second


def _indices(rows: Rows) -> pa.Array:
    return pa.array(rows, mask=rows < 0)


def _blank_is_null(names: pa.Array) -> pa.Array:
    return pa.compute.if_else(pa.compute.equal(names, ""), pa.scalar(None, pa.string()), names)
