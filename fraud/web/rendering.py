"""Renders pages in the shared layout."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from importlib import resources

from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from markupsafe import Markup

from fraud.domain.clock import isoformat
from fraud.domain.hashing import sha256_of
from fraud.reports import words
from fraud.reports.bars import share_columns, share_rows
from fraud.reports.templating import make_environment, style_sheet
from fraud.reports.trends import risk_chart, trend_chart
from fraud.web import phrases, records
from fraud.web.visits import Visit

STYLE_PATH = "/static/pages.css"
SCRIPT_PATH = "/static/pages.js"
NAVIGATION = (
    ("Today", "/", "", "t"),
    ("Alerts", "/alerts", "alerts", "a"),
    ("Applications", "/applications", "applications", "p"),
    ("Traffic", "/affiliates", "affiliates", "f"),
    ("Rings", "/rings", "rings", "r"),
    ("Scans", "/scans", "scans", "s"),
    ("Policy", "/policy", "policy", "y"),
    ("Models", "/models", "models", "m"),
    ("Settings", "/settings", "settings", "e"),
)
"""Every section: what it is called, where it is, the first part of its path, and the key that leads there after `g`."""

_ADVICE = {
    422: "Go back, correct it and send it again: nothing was changed.",
    403: "Sign in with another key, or switch to one of your own programs.",
    404: "Check the address, or look in another of your programs: nothing is shown across programs.",
    409: "Open the page again to see how things stand now.",
    503: "The service cannot reach its data. Try again in a minute; `fraud doctor` says what is wrong.",
}


@functools.cache
def page_style() -> str:
    """The style of pages: the reports' design system and the layout around it."""
    own = resources.files("fraud.web").joinpath("static", "layout.css").read_text(encoding="utf-8")
    return f"{style_sheet()}\n{own}"


def style_response() -> Response:
    """The style sheet. Its address carries its hash, so browsers may keep it for good."""
    return Response(page_style(), media_type="text/css", headers={"Cache-Control": "public, max-age=31536000, immutable"})


@functools.cache
def page_script() -> str:
    """The one script: shortcuts, and times in the reader's zone. Everything works without it."""
    return resources.files("fraud.web").joinpath("static", "pages.js").read_text(encoding="utf-8")


def script_response() -> Response:
    """The script. Its address carries its hash, so browsers may keep it for good."""
    return Response(page_script(), media_type="text/javascript", headers={"Cache-Control": "public, max-age=31536000, immutable"})


def moment(at: datetime) -> Markup:
    """A time in UTC that the script turns into the reader's zone."""
    return Markup('<time datetime="{}">{}</time>').format(isoformat(at), words.when(at))


def again(seconds: int) -> Markup:
    """What makes a page ask anew by itself: the script does, and waits while somebody writes; without scripts the browser does."""
    return Markup('<meta name="again" content="{0}"><noscript><meta http-equiv="refresh" content="{0}"></noscript>').format(seconds)


def csv_response(name: str, table: str) -> Response:
    """A table as a file."""
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return Response(table, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{safe}.csv"'})


def page(template: str, visit: Visit, context: Mapping[str, object], status: int = 200) -> HTMLResponse:
    """A page inside the layout, for somebody who is signed in."""
    html = _environment().get_template(template).render(visit=visit, link=visit.link, **context)
    return HTMLResponse(html, status)


def part(template: str, visit: Visit, context: Mapping[str, object]) -> Markup:
    """A part of a page, to stand inside another; a `link` of the context stands in for the visit's own."""
    html = _environment().get_template(template).render({"visit": visit, "link": visit.link} | dict(context))
    return Markup(html)  # noqa: S704 - rendered by an autoescaping template


def outside_part(template: str, context: Mapping[str, object]) -> Markup:
    """A part of a page for somebody who is not signed in."""
    return Markup(_environment().get_template(template).render(visit=None, **context))  # noqa: S704 - rendered by an autoescaping template


def outside_page(template: str, context: Mapping[str, object], status: int = 200) -> HTMLResponse:
    """A page for somebody who is not signed in: the layout without navigation."""
    return HTMLResponse(_environment().get_template(template).render(visit=None, **context), status)


def error_page(status: int, message: str) -> HTMLResponse:
    """An error as a page: what happened, and what to do."""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Something went wrong"
    return outside_page("error.html", {"title": title, "message": message, "advice": _ADVICE.get(status, ""), "status": status}, status)


@functools.cache
def _environment() -> Environment:
    environment = make_environment("fraud.web")
    environment.globals.update(
        style_address=f"{STYLE_PATH}?v={sha256_of(page_style().encode())[:12]}",
        script_address=f"{SCRIPT_PATH}?v={sha256_of(page_script().encode())[:12]}",
        navigation=NAVIGATION,
        phrases=phrases,
        records=records,
        again=again,
    )
    environment.filters.update(
        when=moment, trend=trend_chart, risk_line=risk_chart, share_rows=share_rows, share_columns=share_columns, duration=words.duration
    )
    return environment
