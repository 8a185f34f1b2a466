"""Trackers' formats as data: one YAML file each says which columns give it away and how they become the contract's.

A mapping's target is a column of the contract; what may feed it stands in `fraud.events.expressions`. `where` names a source column
(or several: any of them) that must be filled for the row to feed that table; `unless` names columns that a file of another kind has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from fraud.errors import InputError
from fraud.events.expressions import Expression, expression_of
from fraud.events.tables import TABLES

__all__ = ["AUTO", "CONTRACT", "Expression", "Format", "Mapping", "choose", "formats", "known_columns", "parse_format", "read_format"]

AUTO = "auto"
CONTRACT = "contract"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SUFFIXES = {".yaml", ".yml"}


@dataclass(frozen=True)
class Mapping:
    """How one table of the contract is fed: its columns by target; `where`: source columns of which one must be filled; `unless`:
    columns that say the file holds something else."""

    kind: str
    columns: tuple[tuple[str, Expression], ...]
    where: tuple[str, ...] = ()
    unless: frozenset[str] = frozenset()

    @property
    def sources(self) -> frozenset[str]:
        """Every source column that is read."""
        return frozenset(source for _, expression in self.columns for source in expression.sources).union(self.where)

    def lacks(self, found: Collection[str]) -> list[str]:
        """The source columns (or choices of them) without which a file cannot feed the table."""
        required = TABLES[self.kind].required
        lacking = {expression.lacks(found) for target, expression in self.columns if target in required}
        return sorted(lacking - {""})

    def fits(self, found: Collection[str]) -> bool:
        """Whether a file with these columns feeds the table."""
        return not self.lacks(found) and self.unless.isdisjoint(found)


@dataclass(frozen=True)
class Format:
    """One format: recognised when all columns of one of `signatures` are among a file's."""

    name: str
    title: str
    signatures: tuple[frozenset[str], ...]
    mappings: tuple[Mapping, ...]
    origin: str = field(default="", compare=False)

    @property
    def recognise(self) -> frozenset[str]:
        """Every column that some signature names."""
        return frozenset[str]().union(*self.signatures)

    def mapping(self, kind: str) -> Mapping | None:
        """The mapping that feeds a kind of table, if any."""
        return next((mapping for mapping in self.mappings if mapping.kind == kind), None)

    def recognised(self, found: Collection[str]) -> int:
        """How many columns of a file give the format away; 0 when it is another."""
        columns = frozenset(found)
        return max((len(signature) for signature in self.signatures if signature <= columns), default=0)

    def feeds(self, found: Collection[str]) -> list[str]:
        """The tables that a file with these columns feeds."""
        return [mapping.kind for mapping in self.mappings if mapping.fits(found)]


def parse_format(text: str, origin: str = "") -> Format:
    """Reads one format; `InputError` names the format and what is wrong with it. `origin` is the file it stands in."""
    place = f"{origin}: " if origin else ""
    try:
        given = yaml.load(text, _LOADER)  # noqa: S506 - both are safe loaders
        name = str(given["format"])
        mappings = tuple(_mapping(name, kind, table) for kind, table in given["tables"].items())
        return Format(name, str(given["title"]), _signatures(given["recognise"]), mappings, origin)
    except yaml.YAMLError as fault:
        raise InputError(f"{place}The format is no YAML that can be read: {' '.join(str(fault).split())}") from fault
    except (KeyError, TypeError, AttributeError) as fault:
        raise InputError(f"{place}A format needs format, title, recognise and tables; this one lacks {fault}.") from fault


def read_format(path: Path) -> Format:
    """Reads a format from the user's own file; `InputError` when there is none or it does not hold together."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        why = getattr(fault, "strerror", None) or fault
        raise InputError(f"The format {path} cannot be read: {why}. Check the name.") from fault
    return parse_format(text, str(path))


@cache
def formats() -> dict[str, Format]:
    """Every format that ships, and `contract`, by name."""
    folder = resources.files(__name__)
    texts = (entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    shipped = sorted((parse_format(text) for text in texts), key=lambda form: form.name)
    return {form.name: form for form in (_contract(), *shipped)}


def known_columns(name: str = AUTO) -> frozenset[str]:
    """Every source column that some format reads (the user's own, when `name` is its file): they give away a file's delimiter."""
    own = [read_format(Path(name))] if _is_file(name) else []
    return frozenset(source for form in (*formats().values(), *own) for mapping in form.mappings for source in mapping.sources)


def choose(name: str, kind: str, columns: Iterable[str], file: str = "The file") -> Format:
    """The named format (or the one in that file), or for `auto` the recognised one that says most; `contract` when none does.
    `InputError` for an unknown name, and when the columns are a tracker's export of another kind."""
    if name != AUTO:
        return _named(name, kind)
    found = frozenset(columns)
    recognised = [form for form in formats().values() if form.recognised(found)]
    fitting = [form for form in recognised if kind in form.feeds(found)]
    if found.issuperset(TABLES[kind].required) or not recognised:
        return formats()[CONTRACT]
    if not fitting:
        other = max(recognised, key=lambda form: form.recognised(found))
        feeds = other.feeds(found)
        advice = f"Ingest it as {' or '.join(feeds)}" if feeds else f"It feeds {kind} only with more columns; export them too"
        raise InputError(f"{file} has the columns of {other.title}, without what {kind} need. {advice}, or name another --format.")
    return max(fitting, key=lambda form: form.recognised(found))


def _named(name: str, kind: str) -> Format:
    form = read_format(Path(name)) if _is_file(name) else formats().get(name)
    if form is None or form.mapping(kind) is None:
        usable = ", ".join([AUTO, *(known.name for known in formats().values() if known.mapping(kind))])
        raise InputError(f"There is no format {name!r} for {kind}. Use one of: {usable}, or a mapping of your own (FILE.yaml).")
    return form


def _is_file(name: str) -> bool:
    return Path(name).suffix.lower() in _SUFFIXES


def _contract() -> Format:
    mappings = (
        Mapping(kind, tuple((column.name, Expression(column=column.name)) for column in table.contract_columns))
        for kind, table in TABLES.items()
    )
    return Format(CONTRACT, "The contract's own columns", (), tuple(mappings))


def _signatures(given: Any) -> tuple[frozenset[str], ...]:
    """One list of columns, or several of which one must be there."""
    lists = given if given and isinstance(given[0], list) else [given]
    return tuple(frozenset(str(name).lower() for name in one) for one in lists if one)


def _mapping(name: str, kind: str, table: dict[str, Any]) -> Mapping:
    if kind not in TABLES:
        raise InputError(f"The format {name} feeds {kind}, which is no table. Use one of: {', '.join(TABLES)}.")
    targets = {column.name for column in TABLES[kind].contract_columns}
    columns = tuple((str(target), expression_of(source, f"The format {name}: {target}")) for target, source in table["columns"].items())
    _refuse(name, kind, "no column of the contract", {target for target, _ in columns} - targets)
    _refuse(name, kind, "required and not fed", set(TABLES[kind].required) - {target for target, _ in columns})
    return Mapping(kind, columns, _names(table.get("where", [])), frozenset(_names(table.get("unless", []))))


def _names(given: Any) -> tuple[str, ...]:
    return tuple(str(name).lower() for name in (given if isinstance(given, list) else [given]))


def _refuse(name: str, kind: str, what: str, columns: Collection[str]) -> None:
    if columns:
        raise InputError(f"The format {name}, table {kind}: {', '.join(sorted(columns))} {'is' if len(columns) == 1 else 'are'} {what}.")
