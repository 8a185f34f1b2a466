"""Trackers' formats as data: one YAML file each says which columns give it away and how they become the contract's.

A mapping's target is a column of the contract; its source is one of

- `column`: the name of a source column;
- `{constant: text}`: the same text in every row;
- `{text: "device {device} os {os}"}`: source columns put into a text, unknown when one of them is;
- `{number: prefix}`: the row numbered, after the prefix and the hash of the file's content (for exports without ids);
- `{column: name, values: {Confirmed: approved}}`: a column whose values are translated; others stay as they are.

`where` names a source column that must be filled for the row to feed that table.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from fraud.errors import InputError
from fraud.events.casting import quoted
from fraud.events.tables import TABLES

AUTO = "auto"
CONTRACT = "contract"

_PLACE = re.compile(r"\{([^{}]+)\}")
_HASH_DIGITS = 12


@dataclass(frozen=True)
class Expression:
    """Where a target's value comes from: exactly one of column, constant, text and number; `values` translates a column's."""

    column: str = ""
    constant: str = ""
    text: str = ""
    number: str | None = None
    values: tuple[tuple[str, str], ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The source columns it reads."""
        return (self.column,) if self.column else tuple(_PLACE.findall(self.text))

    def sql(self, cells: dict[str, str], file_hash: str) -> str:
        """SQL of the text, given the SQL of each source column's cell."""
        if self.number is not None:
            return f"{quoted(f'{self.number}{file_hash[:_HASH_DIGITS]}-')} || (ordinal + 1)"
        if self.constant:
            return quoted(self.constant)
        if self.text:
            parts = _PLACE.split(self.text)
            return " || ".join(cells[part] if odd % 2 else quoted(part) for odd, part in enumerate(parts) if part)
        cell = cells[self.column]
        cases = " ".join(f"WHEN {quoted(given.lower())} THEN {quoted(meant)}" for given, meant in self.values)
        return f"CASE lower({cell}) {cases} ELSE {cell} END" if cases else cell


@dataclass(frozen=True)
class Mapping:
    """How one table of the contract is fed: its columns by target, and the source column that must be filled."""

    kind: str
    columns: tuple[tuple[str, Expression], ...]
    where: str = ""

    @property
    def sources(self) -> frozenset[str]:
        """Every source column that is read."""
        read = {source for _, expression in self.columns for source in expression.sources}
        return frozenset(read | ({self.where} if self.where else set()))


@dataclass(frozen=True)
class Format:
    """One format: recognised when all of `recognise` are among a file's columns."""

    name: str
    title: str
    recognise: frozenset[str]
    mappings: tuple[Mapping, ...]

    def mapping(self, kind: str) -> Mapping | None:
        """The mapping that feeds a kind of table, if any."""
        return next((mapping for mapping in self.mappings if mapping.kind == kind), None)


def parse_format(text: str) -> Format:
    """Reads one format; `InputError` names the format and what is wrong with it."""
    given = yaml.safe_load(text)
    try:
        mappings = tuple(_mapping(str(given["format"]), kind, table) for kind, table in given["tables"].items())
        return Format(given["format"], given["title"], frozenset(name.lower() for name in given["recognise"]), mappings)
    except (KeyError, TypeError, AttributeError) as fault:
        raise InputError(f"A format needs format, title, recognise and tables; this one lacks {fault}.") from fault


@cache
def formats() -> dict[str, Format]:
    """Every format that ships, and `contract`, by name."""
    folder = resources.files(__name__)
    texts = (entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    shipped = sorted((parse_format(text) for text in texts), key=lambda form: form.name)
    return {form.name: form for form in (_contract(), *shipped)}


def known_columns() -> frozenset[str]:
    """Every source column that some format reads: they give away a file's delimiter."""
    return frozenset(source for form in formats().values() for mapping in form.mappings for source in mapping.sources)


def choose(name: str, kind: str, columns: Iterable[str]) -> Format:
    """The named format, or for `auto` the recognised one that says most; `contract` when none does. `InputError` for an unknown name."""
    if name != AUTO:
        form = formats().get(name)
        if form is None or form.mapping(kind) is None:
            usable = ", ".join([AUTO, *(known.name for known in formats().values() if known.mapping(kind))])
            raise InputError(f"There is no format {name!r} for {kind}. Use one of: {usable}.")
        return form
    found = frozenset(columns)
    fitting = [form for form in formats().values() if form.recognise and form.recognise <= found and form.mapping(kind)]
    own = TABLES[kind].required
    if found.issuperset(own) or not fitting:
        return formats()[CONTRACT]
    return max(fitting, key=lambda form: len(form.recognise))


def _contract() -> Format:
    mappings = (
        Mapping(kind, tuple((column.name, Expression(column=column.name)) for column in table.contract_columns))
        for kind, table in TABLES.items()
    )
    return Format(CONTRACT, "The contract's own columns", frozenset(), tuple(mappings))


def _mapping(name: str, kind: str, table: dict[str, Any]) -> Mapping:
    if kind not in TABLES:
        raise InputError(f"The format {name} feeds {kind}, which is no table. Use one of: {', '.join(TABLES)}.")
    targets = {column.name for column in TABLES[kind].contract_columns}
    columns = tuple((target, _expression(name, target, source)) for target, source in table["columns"].items())
    _refuse(name, kind, "no column of the contract", {target for target, _ in columns} - targets)
    _refuse(name, kind, "required and not fed", set(TABLES[kind].required) - {target for target, _ in columns})
    return Mapping(kind, columns, str(table.get("where", "")).lower())


def _refuse(name: str, kind: str, what: str, columns: Collection[str]) -> None:
    if columns:
        raise InputError(f"The format {name}, table {kind}: {', '.join(sorted(columns))} is {what}.")


def _expression(name: str, target: str, source: Any) -> Expression:
    if isinstance(source, str):
        return Expression(column=source.lower())
    match source:
        case {"constant": constant}:
            return Expression(constant=str(constant))
        case {"text": text}:
            return Expression(text=_PLACE.sub(lambda place: "{" + place[1].lower() + "}", str(text)))
        case {"number": prefix}:
            return Expression(number=str(prefix or ""))
        case {"column": column, "values": dict(values)}:
            return Expression(column=str(column).lower(), values=tuple((str(a), str(b)) for a, b in values.items()))
        case _:
            raise InputError(
                f"The format {name}: {target} is fed by {source!r}. Give a column, constant, text, number or column and values."
            )
