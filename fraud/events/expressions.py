"""Where a column of the contract comes from, as a mapping states it, and the SQL of its text.

A source is one of

- `name`: the cell of that column;
- `[a, b, …]`: the first of several sources that the file has and that is filled;
- `{constant: USD}`: the same text in every row;
- `{text: "{a}-{b}"}`: columns put into a text, unknown when one of them is;
- `{number: prefix}`: the row numbered, after the prefix and the hash of the file's content (for exports without ids);
- `{column: source, …}` with any of `find` (a regular expression: its first group, or all it matches; unknown when it matches nothing),
  `times` (how the time is written, as in strptime) and `zone` (the zone of times that name none), `values` (a translation of words;
  `"*"` stands for any other, an empty translation for unknown; what is not listed stays as it is).
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from fraud.errors import InputError
from fraud.events.casting import quoted

ANY_OTHER = "*"
"""The word of a translation that stands for every word not listed."""

ISO_TIMES = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d")
"""How times are written when only their zone is stated."""

_PLACE = re.compile(r"\{([^{}]+)\}")
_TIME_FORMAT = re.compile(r"([^%]|%%|%-?[aAbBdmyYHIMSpfz])+")
_HASH_DIGITS = 12
_KEYS = frozenset({"column", "find", "times", "zone", "values"})


@dataclass(frozen=True)
class Expression:
    """A value's source: exactly one of column, either, constant, text and number; the rest says how its text is read."""

    column: str = ""
    either: tuple[Expression, ...] = ()
    constant: str = ""
    text: str = ""
    number: str | None = None
    find: str = ""
    times: tuple[str, ...] = ()
    zone: str = ""
    values: tuple[tuple[str, str], ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The source columns it may read."""
        if self.either:
            return tuple(source for part in self.either for source in part.sources)
        return (self.column,) if self.column else tuple(_PLACE.findall(self.text))

    @property
    def numbered(self) -> bool:
        """Whether it asks for the number of the row."""
        return self.number is not None or any(part.numbered for part in self.either)

    def lacks(self, found: Collection[str]) -> str:
        """What a file with the columns `found` would need for it: column names in words, empty when nothing is missing."""
        if self.either:
            lacking = [part.lacks(found) for part in self.either]
            return " or ".join(lacking) if all(lacking) else ""
        return ", ".join(source for source in self.sources if source not in found)

    def sql(self, cells: Mapping[str, str], file_hash: str) -> str:
        """SQL of the text, given the SQL of each cell the file has; only for a file that lacks nothing."""
        sql = self._base(cells, file_hash)
        if self.find:
            sql = f"nullif(regexp_extract({sql}, {quoted(self.find)}, {min(re.compile(self.find).groups, 1)}), '')"
        if self.times:
            sql = _moment(sql, self.times, self.zone)
        return _translated(sql, self.values) if self.values else sql

    def _base(self, cells: Mapping[str, str], file_hash: str) -> str:
        if self.either:
            usable = [part.sql(cells, file_hash) for part in self.either if not part.lacks(cells)]
            return usable[0] if len(usable) == 1 else f"coalesce({', '.join(usable)})"
        if self.number is not None:
            return f"{quoted(f'{self.number}{file_hash[:_HASH_DIGITS]}-')} || (ordinal + 1)"
        if self.constant:
            return quoted(self.constant)
        if self.text:
            parts = _PLACE.split(self.text)
            return "(" + " || ".join(cells[part] if odd % 2 else quoted(part) for odd, part in enumerate(parts) if part) + ")"
        return cells[self.column]


_MEANT = "Give a column, constant, text, number, a list of these, or column with find, times, zone or values."


def expression_of(source: Any, where: str) -> Expression:
    """Reads a source as a mapping gives it; `InputError` says `where` it stands and what is wrong."""
    match source:
        case str():
            return Expression(column=source.strip().lower())
        case list() if source:
            return Expression(either=tuple(expression_of(part, where) for part in source))
        case {"constant": constant}:
            return Expression(constant=str(constant))
        case {"text": text}:
            return Expression(text=_PLACE.sub(lambda place: "{" + place[1].strip().lower() + "}", str(text)))
        case {"number": prefix}:
            return Expression(number=str(prefix or ""))
        case {"column": column} if isinstance(source, dict) and _KEYS.issuperset(source) and len(source) > 1:
            return _read_column(column, source, where)
        case _:
            raise InputError(f"{where} is fed by {source!r}. {_MEANT}")


def _read_column(column: Any, source: dict[str, Any], where: str) -> Expression:
    base = expression_of(column, where)
    zone, find = str(source.get("zone", "")), str(source.get("find", ""))
    times = _strings(source.get("times", list(ISO_TIMES) if zone else []))
    values = source.get("values", {})
    _check_find(find, where)
    _check_times(times, zone, where)
    if not isinstance(values, dict):
        raise InputError(f"{where}: values is {values!r}. Give the words and what each one means.")
    translated = tuple((str(given), "" if meant is None else str(meant)) for given, meant in values.items())
    return Expression(either=(base,), find=find, times=times, zone=zone, values=translated)


def _strings(given: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in given) if isinstance(given, list) else (str(given),)


def _check_find(find: str, where: str) -> None:
    try:
        re.compile(find)
        duckdb.execute("SELECT regexp_extract('', ?)", [find])
    except (re.error, duckdb.Error) as fault:
        raise InputError(f"{where}: find is no regular expression that can be used ({str(fault).splitlines()[0]}).") from fault


def _check_times(times: Sequence[str], zone: str, where: str) -> None:
    wrong = [one for one in times if not _TIME_FORMAT.fullmatch(one)]
    if wrong:
        raise InputError(f"{where}: times has {wrong[0]!r}. Write it with %Y %m %d %b %H %I %M %S %f %p %z.")
    if zone and zone not in zoneinfo.available_timezones():
        raise InputError(f"{where}: there is no time zone {zone!r}. Name one such as Europe/Berlin.")


def _moment(text: str, times: Sequence[str], zone: str) -> str:
    """ISO 8601 in UTC of a time in one of the `times`; a text in none of them stays as it is, to be judged like any other."""
    read = ", ".join(_parsed(text, one, zone) for one in times)
    return f"coalesce(strftime(coalesce({read}), '%Y-%m-%dT%H:%M:%S.%fZ'), {text})"


def _parsed(text: str, written: str, zone: str) -> str:
    parsed = f"try_strptime({text}, {quoted(written)})"
    if "%z" in written:
        return f"timezone('UTC', {parsed})"
    return f"timezone('UTC', timezone({quoted(zone)}, {parsed}))" if zone else parsed


def _translated(cell: str, values: Sequence[tuple[str, str]]) -> str:
    cases = " ".join(f"WHEN {quoted(given.lower())} THEN {_meaning(meant)}" for given, meant in values if given != ANY_OTHER)
    other = next((meant for given, meant in values if given == ANY_OTHER), None)
    if other is None:
        return f"CASE lower({cell}) {cases} ELSE {cell} END"
    listed = f"CASE lower({cell}) {cases} ELSE {_meaning(other)} END" if cases else _meaning(other)
    return f"CASE WHEN {cell} IS NOT NULL THEN {listed} END"


def _meaning(meant: str) -> str:
    return quoted(meant) if meant else "NULL"
