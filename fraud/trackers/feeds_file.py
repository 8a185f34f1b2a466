"""`feeds.yaml`: the feeds of a workspace. It holds no secret: credentials are names of environment variables."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from fraud.domain.clock import as_utc
from fraud.domain.feeds import DAY, Feed, FeedTable, Telling
from fraud.errors import InputError
from fraud.trackers.http import checked_base
from fraud.trackers.registry import CONNECTORS

UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": DAY}

DEFAULTS: dict[str, dict[str, str]] = {
    "clicks": {"window": "1h", "look_back": "2h"},
    "conversions": {"window": "1d", "look_back": "3d"},
}
"""Windows and look-back of a table whose feed does not say; the connector's smallest step where that is larger."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_DURATION = re.compile(r"(\d{1,6})\s*([smhd])")
_KEYS = frozenset({"name", "tracker", "base_url", "program", "credentials", "tables", "every", "delay", "zone", "actions", "options"})
_TABLE_KEYS = frozenset({"window", "look_back", "since"})


def read_feeds(path: Path) -> list[Feed]:
    """The feeds of a file, in its order; `InputError` says which feed is wrong, what about it, and what to write."""
    try:
        given = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"There are no feeds: {path} is missing. Write it as docs/pulling.md shows.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        raise InputError(f"{path} cannot be read: {' '.join(str(fault).split())}.") from fault
    if not isinstance(given, dict) or not isinstance(given.get("feeds"), list) or not given["feeds"]:
        raise InputError(f"{path} has no list of feeds. Begin it with `feeds:` and a list below.")
    feeds = [_feed(entry, number) for number, entry in enumerate(given["feeds"], start=1)]
    names = [feed.name for feed in feeds]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path}: two feeds are named {twice[0]}. Give each its own name.")
    return feeds


def duration(text: object, where: str) -> timedelta:
    """A period such as `90s`, `15m`, `1h`, `7d`; `InputError` says where another stands."""
    found = _DURATION.fullmatch(str(text).strip())
    if not found:
        raise InputError(f"{where} is {text!r}. Write a number and s, m, h or d, such as 1h.")
    return int(found[1]) * UNITS[found[2]]


def _feed(entry: Any, number: int) -> Feed:
    where = f"The feed {entry.get('name', number)}" if isinstance(entry, dict) else f"The feed {number}"
    given = _mapping(entry, where, _KEYS)
    name = str(given.get("name", ""))
    if not _NAME.fullmatch(name):
        raise InputError(f"{where} has no usable name. Use letters, digits, dots, dashes and underscores.")
    tracker = str(given.get("tracker", ""))
    if tracker not in CONNECTORS:
        raise InputError(f"{where}: there is no connector for {tracker!r}. Use one of: {', '.join(CONNECTORS)}.")
    zone = str(given.get("zone", "UTC"))
    if zone not in zoneinfo.available_timezones():
        raise InputError(f"{where}: there is no time zone {zone!r}. Name one such as Europe/Berlin.")
    checked_base(name, str(given.get("base_url", "")))
    return Feed(
        name=name,
        tracker=tracker,
        base_url=str(given["base_url"]),
        program_id=str(given.get("program", "default")),
        credentials=_credentials(given.get("credentials"), tracker, where),
        tables=_tables(given.get("tables"), tracker, where),
        every=duration(given.get("every", "1h"), f"{where}: every"),
        delay=duration(given.get("delay", "5m"), f"{where}: delay"),
        zone=zone,
        actions=_telling(given.get("actions"), where),
        options={key: _option(value) for key, value in _mapping(given.get("options") or {}, f"{where}: options").items()},
    )


def _telling(given: Any, where: str) -> Telling:
    """YAML reads a bare `off` as false."""
    text = "off" if given in (None, False) else str(given)
    if text not in set(Telling):
        raise InputError(f"{where}: actions is {given!r}. Write off, dry_run or send.")
    return Telling(text)


def _option(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _mapping(given: Any, where: str, known: frozenset[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise InputError(f"{where} is not a list of names and values. Compare it with docs/pulling.md.")
    strange = sorted(str(key) for key in given if known is not None and key not in known)
    if strange:
        raise InputError(f"{where} has {strange[0]!r}, which means nothing here. Use: {', '.join(sorted(known or ()))}.")
    return {str(key): value for key, value in given.items()}


def _credentials(given: Any, tracker: str, where: str) -> dict[str, str]:
    """Names of environment variables; what looks like the secret itself is refused and not repeated."""
    needed = CONNECTORS[tracker].credentials
    names = _mapping(given or {}, f"{where}: credentials", frozenset(needed))
    for name in needed:
        if not _VARIABLE.fullmatch(str(names.get(name, ""))):
            raise InputError(
                f"{where}: credentials needs {name}: NAME, the name (capitals, digits, underscores) of the environment variable that holds "
                "it. The secret itself never stands in this file."
            )
    return {name: str(names[name]) for name in needed}


def _tables(given: Any, tracker: str, where: str) -> tuple[FeedTable, ...]:
    connector = CONNECTORS[tracker]
    asked = list(connector.steps) if given is None else given
    if isinstance(asked, list):
        asked = {kind: {} for kind in asked}
    tables = _mapping(asked, f"{where}: tables")
    for kind in tables:
        if kind not in connector.steps:
            raise InputError(f"{where}: {tracker} has no report of {kind}. It has: {', '.join(connector.steps)}.")
    if not tables:
        raise InputError(f"{where}: tables is empty. Name {' or '.join(connector.steps)}.")
    return tuple(_table(kind, table or {}, connector.steps[kind], f"{where}: {kind}") for kind, table in tables.items())


def _table(kind: str, given: Any, step: timedelta, where: str) -> FeedTable:
    settings = {**DEFAULTS[kind], **_mapping(given, where, _TABLE_KEYS)}
    window = duration(settings["window"], f"{where}: window")
    if "window" not in given:
        window = max(window, step)
    if window < step or window % step:
        raise InputError(f"{where}: window is {settings['window']}, but the tracker reports in steps of {_written(step)}. Use a multiple.")
    look_back = duration(settings["look_back"], f"{where}: look_back")
    if "look_back" not in given:
        look_back = max(look_back, step)  # a tracker's day may begin and end at other times than the one in UTC
    return FeedTable(kind=kind, window=window, look_back=look_back, since=_moment(settings.get("since"), where))


def _written(step: timedelta) -> str:
    return next(f"{step // unit}{name}" for name, unit in reversed(UNITS.items()) if step % unit == timedelta(0))


def _moment(given: Any, where: str) -> datetime | None:
    match given:
        case None:
            return None
        case datetime():
            return as_utc(given)
        case date():
            return datetime(given.year, given.month, given.day, tzinfo=UTC)
    raise InputError(f"{where}: since is {given!r}. Write a date such as 2026-03-01.")
