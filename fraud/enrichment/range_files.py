"""Files that say something of ranges of addresses, read whole: lists of CIDRs, tables (CSV, TSV), JSON, MMDB, plain or packed.

Every reader gives a `RangeTable`; what a row cannot say is empty. A row that cannot be read is counted, and the others are used; a file
of which nothing can be read is an `InputError`.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from fraud.enrichment.addresses import read_column
from fraud.enrichment.ranges import Ranges
from fraud.errors import InputError

MOST_BYTES = 512 * 1024 * 1024
"""Of a file once it is unpacked: some ten times the largest known table."""

_MMDB_MARK = b"\xab\xcd\xefMaxMind.com"
_MMDB_TAIL = 128 * 1024
"""Where the format says the mark of its metadata stands."""

_ALIASES = {
    "network": ("network", "cidr", "prefix", "range", "ip_range"),
    "first": ("first", "start", "start_ip", "range_start", "ip_from", "ip_range_start", "first_ip"),
    "last": ("last", "end", "end_ip", "range_end", "ip_to", "ip_range_end", "last_ip"),
    "country": ("country", "country_code", "country_iso_code", "cc"),
    "asn": ("asn", "as_number", "autonomous_system_number", "as"),
    "organisation": (
        "organisation",
        "organization",
        "as_name",
        "as_description",
        "autonomous_system_organization",
        "as_org",
        "org",
        "name",
    ),
    "egress_class": ("egress_class", "class"),
}
"""What columns are called in tables that have a heading."""

_COUNTRY = "^[A-Z]{2}$"
_ANY_ADDRESS = re.compile(rb"^[0-9A-Fa-f:.]{2,45}(/[0-9]{1,3})?$")
_COMMENT = re.compile(rb"^[ \t]*[#;]", re.MULTILINE)
_REMARK = re.compile(rb"[ \t]+[#;].*$", re.MULTILINE)
_LISTED = re.compile(rb"^[ \t]*[0-9A-Fa-f:.]{2,45}(/[0-9]{1,3})?[ \t\r]*([#;].*)?$")
"""A line of a list of networks, with or without a remark."""
_NOBODY = frozenset({"ZZ", "XX"})
"""User-assigned codes of ISO 3166-1 that lists write for *not known*."""


@dataclass(frozen=True)
class RangeTable:
    """Ranges (n) and what is said of each: `country` (two capitals), `asn` (0: none), `organisation`, `egress_class`, `""` where nothing
    is. `unread` counts the rows that could not be read."""

    ranges: Ranges
    country: pa.StringArray
    asn: np.ndarray
    organisation: pa.StringArray
    egress_class: pa.StringArray
    unread: int = 0


def read_range_file(data: bytes, name: str, members: Sequence[str] = ()) -> list[RangeTable]:
    """What a file says, its kind told from its content. Of an archive (tar, packed or not) only `members` are read, or else every table
    in it. Raises `InputError` when nothing can be."""
    data = _unpacked(data, name)
    if _is_tar(data):
        return [table for inner, content in _members(data, name, members) for table in read_range_file(content, inner)]
    table = _read_plain(data, name)
    if not len(table.ranges):
        raise InputError(f"{name}: none of its {table.unread:,} rows begins with an address, a CIDR or a range of addresses.")
    return [table]


def _read_plain(data: bytes, name: str) -> RangeTable:
    if _MMDB_MARK in data[-_MMDB_TAIL:]:
        return _read_mmdb(data, name)
    if data.lstrip()[:1] in {b"{", b"["}:
        return _read_json(data, name)
    rows = _lines(data)
    first = rows.split(b"\n", 1)[0]
    if not _LISTED.match(first) and (b"," in first or b"\t" in first):
        return _read_delimited(rows, name, "\t" if b"\t" in first else ",")
    plain = _REMARK.sub(b"", rows).decode("utf-8", "replace")
    return _from_networks(pa.array([line.strip() for line in plain.splitlines() if line.strip()], pa.string()))


def _unpacked(data: bytes, name: str) -> bytes:
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            plain = stream.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as fault:
        raise InputError(f"{name} is packed and cannot be unpacked ({fault}); fetch it again.") from fault
    if len(plain) > MOST_BYTES:
        raise InputError(f"{name} unpacks to more than {MOST_BYTES // 1024**2:,} MB, more than any table of networks has.")
    return plain


def _is_tar(data: bytes) -> bool:
    return data[257:262] == b"ustar"


def _members(data: bytes, name: str, wanted: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The files of an archive that are wanted, read in memory: no path in it ever becomes one of ours."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            files = {member.name: member for member in archive if member.isfile()}
            for path in wanted or sorted(path for path in files if path.endswith((".csv", ".tsv", ".txt", ".mmdb"))):
                if path not in files:
                    raise InputError(f"{name} has no {path}; it has {', '.join(sorted(files)) or 'no files'}.")
                stream = archive.extractfile(files[path])
                yield f"{name}:{path}", stream.read(MOST_BYTES) if stream else b""
    except tarfile.TarError as fault:
        raise InputError(f"{name} is no archive that can be read ({fault}); fetch it again.") from fault


def _lines(data: bytes) -> bytes:
    """The lines that say something: blank ones and those that are comments left out, and the mark of their encoding."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not _COMMENT.search(data):
        return data.strip(b"\r\n")
    return b"\n".join(line for line in data.splitlines() if line.strip() and not _COMMENT.match(line))


def _read_delimited(rows: bytes, name: str, delimiter: str) -> RangeTable:
    unread: list[str] = []

    def skip(row: pa.csv.InvalidRow) -> str:
        unread.append(row.text)
        return "skip"

    first = rows.split(b"\n", 1)[0].split(delimiter.encode())[0].strip(b'" \r')
    headed = not _ANY_ADDRESS.match(first)
    try:
        table = pa.csv.read_csv(
            io.BytesIO(rows.decode("utf-8", "replace").encode() + b"\n"),
            read_options=pa.csv.ReadOptions(autogenerate_column_names=not headed),
            parse_options=pa.csv.ParseOptions(delimiter=delimiter, quote_char='"' if delimiter == "," else False, invalid_row_handler=skip),
            convert_options=pa.csv.ConvertOptions(column_types=_all_text(rows, delimiter, headed), strings_can_be_null=False),
        )
    except pa.ArrowInvalid as fault:
        raise InputError(f"{name} cannot be read as a table: {str(fault).splitlines()[0]}") from fault
    columns = _headed(table, name) if headed else _by_place(table, name)
    return _from_columns(columns, len(unread))


def _all_text(rows: bytes, delimiter: str, headed: bool) -> dict[str, pa.DataType]:
    heading = rows.split(b"\n", 1)[0].decode("utf-8", "replace").strip("\r").split(delimiter)
    if headed:
        return {name.strip('"'): pa.string() for name in heading}
    return {f"f{number}": pa.string() for number in range(len(heading) + 8)}


def _headed(table: pa.Table, name: str) -> dict[str, pa.ChunkedArray]:
    found = {column.strip().lower().replace(" ", "_"): column for column in table.column_names}
    columns = {
        ours: table[found[theirs[0]]] for ours, names in _ALIASES.items() if (theirs := [alias for alias in names if alias in found])
    }
    if "network" not in columns and not {"first", "last"} <= columns.keys():
        raise InputError(
            f"{name} has the columns {', '.join(table.column_names)}, and none that names a network: `network`, or `first` and `last`."
        )
    return columns


def _by_place(table: pa.Table, name: str) -> dict[str, pa.ChunkedArray]:
    """The columns of a table without a heading, by its shape: `network[,what]`, `first,last,what` or iptoasn's five."""
    columns = list(table.columns)
    if len(columns) == 1 or "/" in str(columns[0][0]):
        return {"network": columns[0]} | _said(columns[1:])
    if len(columns) == 2 and not read_column(columns[1].slice(0, 1)).known.all():
        return {"network": columns[0]} | _said(columns[1:])
    if len(columns) == 5:
        return dict(zip(("first", "last", "asn", "country", "organisation"), columns, strict=True))
    if 2 <= len(columns) <= 4:
        return {"first": columns[0], "last": columns[1]} | _said(columns[2:])
    raise InputError(f"{name} has {len(columns)} columns and no heading; give it one with `first`, `last` and what it says of them.")


def _said(columns: Sequence[pa.ChunkedArray]) -> dict[str, pa.ChunkedArray]:
    """What one or two columns of values hold: numbers are AS numbers, before their names; else countries."""
    if not columns:
        return {}
    if pc.any(pc.match_substring_regex(columns[0], "^(?i:AS)?[0-9]+$")).as_py():
        return dict(zip(("asn", "organisation"), columns, strict=False))
    return {"country": columns[0]}


def _from_columns(columns: dict[str, pa.ChunkedArray], unread: int) -> RangeTable:
    flat = {name: column.combine_chunks() for name, column in columns.items()}
    if "network" in flat:
        ranges, known = _networks(flat["network"])
    else:
        first, last = read_column(pc.utf8_trim_whitespace(flat["first"])), read_column(pc.utf8_trim_whitespace(flat["last"]))
        ranges = Ranges(first.high, first.low, last.high, last.low)
        ordered = (first.high < last.high) | ((first.high == last.high) & (first.low <= last.low))
        known = first.known & last.known & ordered
    kept = pa.array(known)
    texts = {name: column.filter(kept) for name, column in flat.items()}
    count = int(known.sum())
    return RangeTable(
        ranges=ranges.take(known),
        country=_countries(texts.get("country"), count),
        asn=_numbers(texts.get("asn"), count),
        organisation=_text(texts.get("organisation"), count),
        egress_class=pc.utf8_lower(_text(texts.get("egress_class"), count)),
        unread=unread + len(known) - count,
    )


def _text(column: pa.Array | None, count: int) -> pa.Array:
    if column is None:
        return pa.array([""] * count, pa.string())
    return pc.fill_null(pc.utf8_trim_whitespace(column), "")


def _countries(column: pa.Array | None, count: int) -> pa.Array:
    codes = pc.utf8_upper(_text(column, count))
    fit = pc.and_(pc.match_substring_regex(codes, _COUNTRY), pc.invert(pc.is_in(codes, pa.array(sorted(_NOBODY)))))
    return pc.if_else(fit, codes, "")


def _numbers(column: pa.Array | None, count: int) -> np.ndarray:
    digits = pc.replace_substring_regex(_text(column, count), r"^(?i:AS)\s*", "")
    fit = pc.match_substring_regex(digits, "^[0-9]{1,10}$")
    numbers = pc.cast(pc.if_else(fit, digits, "0"), pa.int64()).to_numpy(zero_copy_only=False)
    return np.where(numbers < 1 << 32, numbers, 0)


def _networks(texts: pa.Array) -> tuple[Ranges, np.ndarray]:
    """CIDRs (an address alone is a network of one) as ranges, and which could be read. Bits under the mask do not count."""
    pieces = pc.extract_regex(pc.utf8_trim_whitespace(texts), r"^(?P<base>[0-9A-Fa-f:.]{2,45})(?:/(?P<bits>[0-9]{1,3}))?$")
    bases, bits = pc.struct_field(pieces, "base"), pc.struct_field(pieces, "bits")
    base = read_column(bases)
    mapped = pc.fill_null(pc.invert(pc.match_substring(bases, ":")), False).to_numpy(zero_copy_only=False)
    given = pc.cast(pc.replace_substring_regex(pc.fill_null(bits, ""), "^$", "-1"), pa.int64()).to_numpy(zero_copy_only=False)
    length = np.where(given < 0, 128, given + np.where(mapped, 96, 0))
    known = base.known & (length <= 128)
    length = np.minimum(length, 128)
    high_mask, low_mask = _mask(np.minimum(length, 64)), _mask(np.maximum(length - 64, 0))
    high, low = base.high & high_mask, base.low & low_mask
    return Ranges(high, low, high | ~high_mask, low | ~low_mask), known


def _mask(bits: np.ndarray) -> np.ndarray:
    """The mask (64 bits) with so many leading ones."""
    shift = (64 - np.maximum(bits, 1)).astype(np.uint64)
    mask: np.ndarray = np.where(bits == 0, np.uint64(0), np.uint64(0xFFFF_FFFF_FFFF_FFFF) << shift)
    return mask


def _from_networks(texts: pa.Array) -> RangeTable:
    return _from_columns({"network": pa.chunked_array([texts], pa.string())}, 0)


def _read_json(data: bytes, name: str) -> RangeTable:
    try:
        found = [text for text in _strings(msgspec.json.decode(data)) if _ANY_ADDRESS.match(text.encode())]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise InputError(f"{name} begins like JSON and is none ({fault}); fetch it again.") from fault
    return _from_networks(pa.array(found, pa.string()))


def _strings(value: object) -> Iterator[str]:
    """Every text in a JSON value, however deep: clouds nest their prefixes each in their own way."""
    waiting = [value]
    while waiting:
        at = waiting.pop()
        if isinstance(at, str):
            yield at
        elif isinstance(at, dict):
            waiting.extend(reversed(at.values()))
        elif isinstance(at, list):
            waiting.extend(reversed(at))


def _read_mmdb(data: bytes, name: str) -> RangeTable:
    try:
        import maxminddb  # noqa: PLC0415 - an extra, and only this format needs it
    except ImportError as fault:
        raise InputError(f"{name} is an MMDB file, which needs the package maxminddb: pip install 'affiliate-fraud[mmdb]'.") from fault
    try:
        with maxminddb.open_database(io.BytesIO(data), maxminddb.MODE_FD) as reader:
            rows = [(str(network), *_mmdb_row(record)) for network, record in reader]
    except (maxminddb.InvalidDatabaseError, ValueError, OSError) as fault:
        raise InputError(f"{name} is no MMDB file that can be read ({fault}).") from fault
    names = ("network", "country", "asn", "organisation")
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    return _from_columns({key: pa.chunked_array([pa.array(column, pa.string())]) for key, column in zip(names, columns, strict=True)}, 0)


def _mmdb_row(record: object) -> tuple[str, str, str]:
    """Country, AS number and organisation of a record, in MaxMind's nesting or flat."""
    said = record if isinstance(record, dict) else {}
    country = said.get("country") or said.get("country_code") or said.get("registered_country") or ""
    code = country.get("iso_code", "") if isinstance(country, dict) else country
    number = said.get("autonomous_system_number") or said.get("asn") or ""
    return str(code), str(number), str(said.get("autonomous_system_organization") or said.get("as_name") or "")
