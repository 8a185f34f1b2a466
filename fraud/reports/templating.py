"""The Jinja environment of every page and report: autoescaped, strict about missing names, with the product's words as filters."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Callable
from importlib import resources
from typing import Any

import msgspec
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from fraud.reports import charts, definitions, words

Linker = Callable[[str, str], str]
"""Where a thing has its own page: kind (`affiliate`, `application`, `decision`, `scan`) and id to an address, or "" for nowhere."""

_JSON_SHOWN = 40_000  # characters; a page of this length opens at once, and the API gives the whole


def no_links(kind: str, name: str) -> str:
    """The linker of a file that stands alone: nothing has a page."""
    del kind, name
    return ""


def make_environment(*packages: str) -> Environment:
    """An environment that finds templates in these packages' `templates` folders, then in the reports' own."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in (*packages, "fraud.reports")]),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_showable,
    )
    environment.filters.update(_FILTERS)
    environment.globals.update(words=words, link=no_links, definition_of=definitions.key_of)
    return environment


@functools.cache
def report_environment() -> Environment:
    """The environment of reports that stand alone."""
    return make_environment()


@functools.cache
def style_sheet() -> str:
    """The one design system, as CSS."""
    return resources.files("fraud.reports").joinpath("static", "report.css").read_text(encoding="utf-8")


def standalone(title: str, body: Markup) -> str:
    """A whole HTML document with its style inside, which loads nothing and runs nothing: its own policy allows only that one style."""
    style = f"\n{style_sheet()}\n"
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = report_environment().get_template("standalone.html")
    return page.render(title=title, body=body, style=Markup(style), style_hash=digest)  # noqa: S704 - our own file


def pretty_json(value: Any) -> str:
    """A value as indented JSON, cut where nobody reads on."""
    text = msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2).decode()
    left = len(text) - _JSON_SHOWN
    return text if left <= 0 else f"{text[:_JSON_SHOWN]}\n… {left:,} characters more; the API gives the whole."


def _showable(value: Any) -> Any:
    return words.clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_FILTERS: dict[str, Callable[..., Any]] = {
    "bar": charts.score_bar,
    "count": words.count,
    "day": words.day,
    "number": words.number,
    "peer_strip": charts.peer_strip,
    "pretty_json": pretty_json,
    "ring_graph": charts.ring_graph,
    "score": words.score,
    "share": words.share,
    "short": words.short,
    "when": words.when,
}
