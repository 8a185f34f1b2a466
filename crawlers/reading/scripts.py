"""What inline scripts do on their own: go to another address, open windows, submit forms, add hidden elements.

Scripts are read, never run. A statement counts as automatic when it stands at the top of the script, or in functions that run by themselves
(called at once, on load, by a timer, or by name from such a place). What only happens in a click handler is not automatic. Addresses are
understood when they are literal, in a variable that holds a literal, or in `atob("…")`; what is computed stays unknown.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from crawlers.facts import AutoNavigation, AutoNavigationKind
from crawlers.reading.flow import Flow
from crawlers.reading.urls import absolute, clean, is_loaded
from crawlers.reading.walk import Attributes

MOST_MATCHES = 200
"""Statements looked at in one script."""
EXCERPT = 300

STRING = r"""(?:"(?:[^"\\\n]|\\.){1,2048}"|'(?:[^'\\\n]|\\.){1,2048}'|`(?:[^`\\]|\\.){1,2048}`)"""
VALUE = rf"(?P<value>{STRING}|(?:window\.)?atob\(\s*{STRING}\s*\)|[A-Za-z_$][\w$]{{0,60}}(?![\w$.(\[]))"
OWNER = r"(?:(?:window|document|self|top|parent|globalThis)\s*\.\s*){0,2}"
ASSIGNED = re.compile(rf"(?<![\w$.]){OWNER}location(?:\s*\.\s*href)?\s*=(?!=)\s*{VALUE}")
CALLED = re.compile(rf"(?<![\w$.]){OWNER}location\s*\.\s*(?:replace|assign)\(\s*{VALUE}")
OPENED = re.compile(rf"(?<![\w$])(?:window\s*\.\s*|(?<![.\w$])(?=open\(\s*[\"'`]http))open\(\s*{VALUE}")
SUBMITTED = re.compile(
    r"document\s*\.\s*(?:getElementById\(\s*[\"'](?P<id>[\w-]{1,80})[\"']\s*\)|forms\s*\[\s*[\"']?(?P<form>[\w-]{1,80})[\"']?\s*\]"
    r"|(?:forms\s*\.\s*)?(?P<name>[A-Za-z_]\w{0,60}))\s*\.\s*submit\(\s*\)"
)
MADE_IMAGE = re.compile(rf"new\s+Image\s*\([^)]{{0,20}}\)\s*\)?\s*\.\s*src\s*=\s*{VALUE}")
IMAGE_VARIABLE = re.compile(r"(?:var|let|const)?\s*\b([A-Za-z_$][\w$]{0,60})\s*=\s*new\s+Image\s*\(")
MADE_ELEMENT = re.compile(
    r"\b([A-Za-z_$][\w$]{0,60})\s*=\s*document\s*\.\s*createElement\(\s*[\"'](iframe|img|embed|object|link)[\"']\s*\)", re.IGNORECASE
)
WRITTEN = re.compile(r"<(?:iframe|img|embed|object)\b[^<>]{1,2000}>", re.IGNORECASE)
LESS_THAN = re.compile(r"\\x3[cC]|\\u003[cC]|\\74")
VARIABLE = re.compile(rf"(?:var|let|const|[;{{}}\n,])\s*([A-Za-z_$][\w$]{{0,60}})\s*=\s*({STRING}|(?:window\.)?atob\(\s*{STRING}\s*\))")
TIMER = re.compile(r"setTimeout\s*\(")
TIMER_DELAY = re.compile(r"\s*,\s*(\d{1,7})\s*\)")
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(.))", re.DOTALL)
PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
REFRESH = re.compile(r"\s*(\d{0,9}(?:\.\d{0,9})?)\s*(?:[;,\s]\s*(?:url\s*=\s*)?[\"']?\s*([^\"']{0,2048})[\"']?)?", re.IGNORECASE)


@dataclass(frozen=True)
class _Reading:
    """A script with what is known of it while it is read."""

    source: str
    base: str
    variables: dict[str, str]
    forms: list[Attributes]


@dataclass(frozen=True)
class Loaded:
    """An address that a script has the browser load without showing anything: `tag` as written, `how` in words."""

    tag: str
    url: str
    how: str
    excerpt: str


def navigations(source: str, base: str, forms: list[Attributes]) -> list[AutoNavigation]:
    """Return what a script does by itself to leave the page or open another; relative addresses are joined to `base`."""
    if not any(word in source for word in ("location", "open", "submit")):
        return []
    reading, flow = _Reading(source, base, _variables(source), forms), Flow(source)
    found: list[AutoNavigation] = []
    patterns: tuple[tuple[re.Pattern[str], AutoNavigationKind], ...] = (
        (ASSIGNED, "script_location"), (CALLED, "script_location"), (OPENED, "window_open"), (SUBMITTED, "form_submit"),
    )  # fmt: skip
    for pattern, kind in patterns:
        for match in _matches(pattern, source):
            url = _form_action(match, reading) if kind == "form_submit" else _address(match.group("value"), reading)
            if url and flow.is_automatic(match.start()):
                found.append(AutoNavigation(kind=kind, url=url, delay_seconds=_delay(source, match), excerpt=_excerpt(source, match)))
    return list(dict.fromkeys(found))


def loaded_by(source: str, base: str) -> list[Loaded]:
    """Return what a script loads out of sight: images never attached, elements created or written as HTML (`WRITTEN` ones come raw)."""
    reading = _Reading(source, base, _variables(source), [])
    found = [_loaded("img", match, reading, "an image made by a script, never shown") for match in _matches(MADE_IMAGE, source)]
    for name in dict.fromkeys(match.group(1) for match in _matches(IMAGE_VARIABLE, source)):
        found += [_loaded("img", match, reading, "an image made by a script, never shown") for match in _matches(_source_of(name), source)]
    for made in _matches(MADE_ELEMENT, source):
        found += [_loaded(made.group(2).lower(), match, reading, "") for match in _matches(_source_of(made.group(1)), source)]
    return [loaded for loaded in found if loaded.url]


def written_html(source: str) -> list[str]:
    """Return the tags of embedded elements that stand in a script's strings, such as in `document.write`."""
    return [unescape(match.group(0)) for match in _matches(WRITTEN, LESS_THAN.sub("<", source))]


def meta_refresh(content: str, base: str) -> tuple[str, float | None] | None:
    """Read a `refresh` value: its address ('' for the page itself) and its delay in seconds; None when it is none."""
    match = REFRESH.match(content[:3000])
    if match is None or not content.strip():
        return None
    seconds, address = match.group(1), (match.group(2) or "").strip()
    delay = float(seconds) if seconds not in {"", "."} else None
    return (absolute(base, address) if address else base), delay


def unescape(text: str) -> str:
    """Return a script's string literal (without its quotes) as the text it stands for."""
    return clean(ESCAPE.sub(_unescaped, text)) if "\\" in text else text


def _unescaped(match: re.Match[str]) -> str:
    code = match.group(1) or match.group(2) or match.group(3)
    if code:
        number = int(code, 16)
        return chr(number) if number < 0x110000 else ""
    return PLAIN_ESCAPES.get(match.group(4), match.group(4))


def _matches(pattern: re.Pattern[str], source: str) -> Iterator[re.Match[str]]:
    for count, match in enumerate(pattern.finditer(source)):
        if count >= MOST_MATCHES:
            return
        yield match


def _variables(source: str) -> dict[str, str]:
    return {match.group(1): match.group(2) for match in _matches(VARIABLE, source)}


def _source_of(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w$.]){re.escape(name)}\s*\.\s*(?:src|href|data)\s*=\s*{VALUE}")


def _loaded(tag: str, match: re.Match[str], reading: _Reading, how: str) -> Loaded:
    return Loaded(tag, _address(match.group("value"), reading), how, _excerpt(reading.source, match))


def _address(value: str, reading: _Reading) -> str:
    """Return the address a value stands for, '' when it cannot be known."""
    literal = _literal(value) or _literal(reading.variables.get(value, ""))
    if not literal or literal.startswith("#") or not is_loaded(literal):
        return ""
    return absolute(reading.base, literal)


def _literal(value: str) -> str:
    if "atob(" in value:
        inner = value[value.index("(") + 1 :].strip().rstrip(")").strip()
        return _from_base64(inner[1:-1])
    return unescape(value[1:-1]).strip() if value[:1] in {'"', "'", "`"} else ""


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-8", errors="replace").strip()
    except (binascii.Error, ValueError):
        return ""


def _form_action(match: re.Match[str], reading: _Reading) -> str:
    wanted = match.group("id") or match.group("form") or match.group("name")
    for number, form in enumerate(reading.forms):
        if wanted in {form.get("id"), form.get("name"), str(number)}:
            return absolute(reading.base, form.get("action") or "")
    return ""


def _delay(source: str, match: re.Match[str]) -> float | None:
    """Return the timer's delay where the statement stands in one, 0 where it stands in none, None where the timer does not say."""
    before = source[max(0, match.start() - 300) : match.start()]
    timers = list(TIMER.finditer(before))
    if not timers or before[timers[-1].end() :].count("}") > before[timers[-1].end() :].count("{"):
        return 0.0
    after = re.search(r"[}\"']" + TIMER_DELAY.pattern, source[match.end() : match.end() + 300])
    return float(after.group(1)) / 1000 if after else None


def _excerpt(source: str, match: re.Match[str]) -> str:
    start = max(0, match.start() - 40)
    return clean(" ".join(source[start : start + EXCERPT].split()))
