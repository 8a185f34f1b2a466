"""The command that lists the features, and the words for them that the reference page shares with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from fraud.cli.console import JsonOption, add_plain_row, out, print_json

if TYPE_CHECKING:
    from fraud.features.definition import Feature

_TITLES = {
    "unit": "Unit",
    "kind": "Kind",
    "window": "Window",
    "level": "Level",
    "bad": "Suspicious when",
    "family": "Family",
    "numerator": "Numerator",
    "denominator": "Denominator",
    "expression": "Value",
    "minimum_support": "Needs at least",
    "prior_group": "Compared with",
    "missing": "Where it is unknown",
    "needs": "Columns it needs",
    "relation": "Aggregates",
    "floor": "Least spread",
    "privacy": "Privacy",
}
"""What is said of a feature beside its name, title and text, in this order; anything else its definition has follows under its own name."""

_SAID_ALREADY = frozenset({"name", "title", "doc", "support_of"})

LEVELS = {"affiliate": "affiliate", "sub_id": "sub-ID", "offer_affiliate": "offer × affiliate", "ip": "IP", "device": "device"}

DEFAULT_MISSING = "Unknown where a column it needs is absent or wholly empty, or where there is nothing to divide by; never zero."
DEFAULT_WINDOW = "the scan's window `[start, end)` of event time, and each reference window before it"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Traffic")(features)


def features(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="One feature, with its whole text.", show_default=False)] = "",
    json: JsonOption = False,
) -> None:
    """List the features that detection rests on, or explain one."""
    from fraud.features.catalogue import FEATURES

    chosen = [_named(name, FEATURES)] if name else FEATURES
    if json:
        described = [as_data(feature) for feature in chosen]
        print_json(described[0] if name else described)
    elif name:
        for line in explained(chosen[0]):
            out.print(line, markup=False)
    else:
        out.print(_table(chosen))


def _named(name: str, features: Sequence[Feature]) -> Feature:
    from fraud.errors import NotFound

    found = next((feature for feature in features if feature.name == name), None)
    if found is None:
        close = get_close_matches(name, [feature.name for feature in features], 1)
        raise NotFound(f"There is no feature {name!r}{f'; did you mean {close[0]}?' if close else ''} `fraud features` lists them all.")
    return found


def as_data(feature: Feature) -> dict[str, Any]:
    """Everything a feature's definition says, with the rule for missing values, as plain data."""
    said = {**dataclasses.asdict(feature), "missing": missing_rule(feature), "window": window_of(feature)}
    return {key: value for key, value in said.items() if value not in ("", None)}


def explained(feature: Feature) -> Iterable[str]:
    """A feature in full, a line for each thing that is said of it."""
    yield f"{feature.name}: {feature.title}"
    yield ""
    yield feature.doc
    yield ""
    for title, value in details(feature):
        yield f"  {title}: {value}"


def details(feature: Feature) -> Iterable[tuple[str, str]]:
    """What is said of a feature beside its name, title and text: titles and values in words."""
    said = as_data(feature)
    for key in (*_TITLES, *(key for key in said if key not in _TITLES)):
        if key in said and key not in _SAID_ALREADY and (value := _words(feature, key, said[key])):
            yield _title(feature, key), value


def _title(feature: Feature, key: str) -> str:
    """What a field is called; the denominator of what is no quotient is only what it rests on."""
    if key == "denominator" and feature.expression:
        return "Rests on"
    return _TITLES.get(key, key.replace("_", " ").capitalize())


def missing_rule(feature: Feature) -> str:
    """When a feature is unknown: its own rule where it has one, else the rule of them all."""
    return str(getattr(feature, "missing", "") or DEFAULT_MISSING)


def window_of(feature: Feature) -> str:
    """The stretch of time a feature is of: its own where it has one, else the scan's."""
    return str(getattr(feature, "window", "") or DEFAULT_WINDOW)


def side(bad: str) -> str:
    """In which direction a feature is suspicious, in words."""
    return "high or low" if bad == "both" else bad


def levels(feature: Feature) -> str:
    """The entities a feature is of, in words."""
    return ", ".join(LEVELS.get(level, level) for level in feature.level)


def support(feature: Feature) -> str:
    """What a feature needs to mean anything, in words."""
    return f"{feature.minimum_support} {feature.support_of}"


def _words(feature: Feature, key: str, value: Any) -> str:
    if key in {"bad", "level", "minimum_support"}:
        return {"bad": lambda: side(feature.bad), "level": lambda: levels(feature), "minimum_support": lambda: support(feature)}[key]()
    if key in {"numerator", "denominator", "expression"}:
        return f"`{value}`"
    if isinstance(value, (tuple, list)):
        return ", ".join(f"`{part}`" for part in value)
    return str(value)


def _table(features: Sequence[Feature]) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for name in ("feature", "title", "level", "unit", "suspicious", "needs at least", "family"):
        table.add_column(name, overflow="fold", no_wrap=name == "feature")
    for feature in features:
        cells = (feature.name, feature.title, levels(feature), feature.unit, side(feature.bad), support(feature), feature.family.value)
        add_plain_row(table, *cells)
    return table
