"""What inline scripts do on their own: go to another address, open windows, submit forms, add hidden elements.

Scripts are read, never run. A statement counts as automatic when it stands at the top of the script, or in functions that run by themselves
(called at once, on load, by a timer, or by name from such a place). What only happens in a click handler is not automatic. Addresses are
understood when they are literal (joined by `+`, in `atob("…")` or `decodeURIComponent("…")` too) or in a variable that holds such a one; of
what is computed in another way only the hosts are reported that stand in the script's strings.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote

from crawlers.facts import AutoNavigation, AutoNavigationKind
from crawlers.reading.flow import Flow
from crawlers.reading.style import declarations, tiny_by_attributes, why_hidden
from crawlers.reading.urls import absolute, clean, is_loaded
from crawlers.reading.walk import Attributes

MOST_MATCHES = 200
"""Statements looked at in one script."""
MOST_HOSTS = 200
"""Hosts reported of one script."""
EXCERPT = 300
MAY_WAIT = "the script may wait for the visitor"
REQUEST = "a request of a script, never shown"
NEVER_SHOWN = "an image made by a script, never shown"

STRING = r"""(?:"(?:[^"\\\n]|\\.){1,2048}"|'(?:[^'\\\n]|\\.){1,2048}'|`(?:[^`\\]|\\.){1,2048}`)"""
NAME = r"[A-Za-z_$][\w$]{0,60}"
PIECE = rf"(?:{STRING}|(?:window\.)?(?:atob|decodeURIComponent|decodeURI|unescape)\(\s*{STRING}\s*\))"
LITERAL = rf"{PIECE}(?:\s{{0,20}}\+\s{{0,20}}{PIECE}){{0,20}}"
VALUE = rf"(?P<value>{LITERAL}|{NAME}(?![\w$.(\[]))"
PIECES = re.compile(rf"(?P<coded>(?:atob|decodeURIComponent|decodeURI|unescape)\(\s*)?(?P<string>{STRING})")
OWNER = r"(?:(?:window|document|self|top|parent|globalThis|frames)\s*\.\s*){0,2}"
ASSIGNED = re.compile(rf"(?<![\w$.]){OWNER}location(?:\s*\.\s*href)?\s*=(?!=)\s*{VALUE}")
CALLED = re.compile(rf"(?<![\w$.]){OWNER}(?:location\s*\.\s*(?:replace|assign)|navigation\s*\.\s*navigate)\(\s*{VALUE}")
CLICKED = re.compile(
    rf"(?:(?:getElementById\(\s*|querySelector\(\s*)[\"']#?(?P<id>[\w-]{{1,80}})[\"']\s*\)|(?<![\w$.])(?P<name>{NAME}))\s*\.\s*click\(\s*\)"
)
OPENED = re.compile(rf"(?<![\w$])(?:window\s*\.\s*|(?<![.\w$])(?=open\(\s*[\"'`]http))open\(\s*{VALUE}")
SUBMITTED = re.compile(
    r"document\s*\.\s*(?:getElementById\(\s*[\"'](?P<id>[\w-]{1,80})[\"']\s*\)|forms\s*\[\s*[\"']?(?P<form>[\w-]{1,80})[\"']?\s*\]"
    r"|(?:forms\s*\.\s*)?(?P<name>[A-Za-z_]\w{0,60}))\s*\.\s*submit\(\s*\)"
)
MADE_IMAGE = re.compile(rf"new\s+Image\s*\([^)]{{0,20}}\)\s*\)?\s*\.\s*src\s*=\s*{VALUE}")
IMAGE_VARIABLE = re.compile(rf"\b({NAME})\s*=\s*new\s+Image\b")
MADE_ELEMENT = re.compile(
    rf"\b({NAME})\s*=\s*document\s*\.\s*createElement\(\s*[\"'](iframe|img|embed|object|link|a)[\"']\s*\)", re.IGNORECASE
)
GIVEN = re.compile(
    rf"(?<![\w$.])(?P<name>{NAME})\s*\.\s*(?:(?P<direct>src|href|data|width|height|hidden|style\s*\.\s*[A-Za-z]{{3,20}})\s*=(?!=)"
    rf"|setAttribute\(\s*[\"'](?P<set>src|href|data|width|height|hidden|style)[\"']\s*,)\s*(?:{VALUE}|(?P<number>\d{{1,5}}))"
)
ATTACHED = re.compile(rf"\b(?:append|appendChild|prepend|insertBefore|before|after|replaceWith|replaceChild)\(\s*({NAME})\b")
REQUESTED = re.compile(
    rf"(?<![\w$])(?:fetch|sendBeacon)\(\s*{VALUE}|\.\s*open\(\s*[\"'](?:GET|POST|HEAD)[\"']\s*,\s*(?P<opened>{LITERAL}|{NAME}(?![\w$.(\[]))"
)
MEMBER = re.compile(r"\[\s{0,5}[\"'](location|href|assign|replace|open|src|data|submit|click|navigate)[\"']\s{0,5}\]")
MOVING = re.compile(
    r"location|\bopen\b|navigat|\bsrc\b|setAttribute|\bfetch\b|sendBeacon|XMLHttpRequest|submit|\bclick\(|\beval\b|\bFunction\b|document\s*\.\s*write"
    r"|innerHTML|insertAdjacentHTML|append"
)
LITERALS = re.compile(rf"(?P<closed>{LITERAL})|\"(?:[^\"\\\n]|\\.){{0,2048}}+|'(?:[^'\\\n]|\\.){{0,2048}}+|`(?:[^`\\]|\\.){{0,2048}}+")
"""Strings, and what begins like one (group `closed` is then None), which is stepped over so that it is looked at once."""
NAMED_HOST = re.compile(r"(?:\A|[/@\s\"'=])((?:[a-z0-9-]{1,63}\.){1,6}[a-z][a-z0-9-]{1,24})(?=[/:?#\s\"']|\Z)", re.IGNORECASE)
WRITTEN = re.compile(r"<(?:iframe|img|embed|object)\b[^<>]{1,2000}>", re.IGNORECASE)
LESS_THAN = re.compile(r"\\x3[cC]|\\u003[cC]|\\74")
VARIABLE = re.compile(rf"(?:var|let|const|[;{{}}\n,])\s{{0,20}}({NAME})\s{{0,20}}=\s{{0,20}}({LITERAL})")
TIMER = re.compile(r"setTimeout\s*\(")
TIMER_DELAY = re.compile(r"\s*,\s*(\d{1,7})\s*\)")
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(.))", re.DOTALL)
PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
REFRESH = re.compile(r"\s*(\d{0,9}(?:\.\d{0,9})?)\s*(?:[;,\s]\s*(?:url\s*=\s*)?[\"']?\s*([^\"']{0,2048})[\"']?)?", re.IGNORECASE)


@dataclass(frozen=True)
class Targets:
    """What a script can make move: the page's forms and links."""

    forms: tuple[Attributes, ...] = ()
    anchors: tuple[Attributes, ...] = ()


@dataclass(frozen=True)
class _Made:
    """An element that a script makes: the last address it is given, where, and its attributes and style."""

    tag: str
    at: int
    match: re.Match[str] | None = None
    given: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Loaded:
    """An address that a script has the browser load: `how` nobody sees it ('' where it is seen), `doubt` about that."""

    tag: str
    url: str
    how: str
    doubt: str
    excerpt: str


class Script:
    """One inline script, whose addresses are joined to `base`."""

    def __init__(self, source: str, base: str, targets: Targets | None = None) -> None:
        self._source = source
        self._plain = _with_plain_members(source)
        self._base = base
        self._targets = targets or Targets()
        self._variables = {match.group(1): match.group(2) for match in _matches(VARIABLE, self._plain)}
        self._flow = Flow(self._plain)

    def navigations(self) -> list[AutoNavigation]:
        """Return what the script does by itself to leave the page or open another."""
        if not any(word in self._source for word in ("location", "open", "submit", "navigat", "click")):
            return []
        found: list[AutoNavigation] = []
        patterns: tuple[tuple[re.Pattern[str], AutoNavigationKind], ...] = (
            (ASSIGNED, "script_location"), (CALLED, "script_location"), (OPENED, "window_open"), (SUBMITTED, "form_submit"),
            (CLICKED, "link_click"),
        )  # fmt: skip
        for pattern, kind in patterns:
            for match in _matches(pattern, self._plain):
                url = self._destination(match, kind)
                if url and self._flow.is_automatic(match.start()):
                    delay = _delay(self._plain, match)
                    found.append(AutoNavigation(kind=kind, url=url, delay_seconds=delay, excerpt=self._excerpt(match)))
        return list(dict.fromkeys(found))

    def loads(self) -> list[Loaded]:
        """Return what the script loads: images, elements it makes, requests."""
        found = [self._loaded("img", match, match.group("value"), NEVER_SHOWN) for match in _matches(MADE_IMAGE, self._plain)]
        attached = {match.group(1) for match in _matches(ATTACHED, self._plain)}
        for name, made in self._made.items():
            if made.match is not None and made.tag != "a":
                never = NEVER_SHOWN if made.tag == "img" and name not in attached else ""
                found.append(self._loaded(made.tag, made.match, made.match.group("value") or "", _why_made_hidden(made) or never))
        requests = _matches(REQUESTED, self._plain)
        found += [self._loaded("request", match, match.group("value") or match.group("opened"), REQUEST) for match in requests]
        return [loaded for loaded in found if loaded.url]

    def written_html(self) -> list[tuple[str, str]]:
        """Return the tags of embedded elements that stand in the script's strings, with the doubt whether it writes them by itself."""
        source = LESS_THAN.sub(lambda match: "<".rjust(len(match.group(0))), self._plain)
        return [(unescape(match.group(0)), self._doubt(match)) for match in _matches(WRITTEN, source)]

    def hosts(self) -> list[str]:
        """Return the hosts in the strings of a script that loads or moves something, where they stand in code that runs by itself."""
        if "." not in self._source or not MOVING.search(self._plain):
            return []
        found: dict[str, None] = {}
        for match in LITERALS.finditer(self._plain):
            text = match.group("closed") or ""
            if "." in text or "(" in text:
                named = {host.lower() for host in NAMED_HOST.findall(_literal(text))} - found.keys()
                if named and (self._flow.is_automatic(match.start()) or self._flow.is_unread(match.start())):
                    found.update(dict.fromkeys(sorted(named)))
            if len(found) >= MOST_HOSTS:
                break
        return list(found)

    @cached_property
    def _made(self) -> dict[str, _Made]:
        """Return the elements the script makes, by their variable, in one pass over what variables are given."""
        made = {match.group(1): _Made("img", match.start()) for match in _matches(IMAGE_VARIABLE, self._plain)}
        made |= {match.group(1): _Made(match.group(2).lower(), match.start()) for match in _matches(MADE_ELEMENT, self._plain)}
        for match in GIVEN.finditer(self._plain) if made else ():
            one, what = made.get(match.group("name")), (match.group("set") or match.group("direct") or "").replace(" ", "")
            if one is not None and what in {"src", "href", "data"} and one.match is None:
                made[match.group("name")] = _Made(one.tag, one.at, match, one.given)
            elif one is not None:
                value = match.group("number") or _literal(match.group("value") or "") or (match.group("value") or "")
                one.given[what] = value
        return made

    def _destination(self, match: re.Match[str], kind: AutoNavigationKind) -> str:
        if kind == "form_submit":
            return self._form_action(match)
        return self._link(match) if kind == "link_click" else self._address(match.group("value"))

    def _link(self, match: re.Match[str]) -> str:
        name = match.group("name")
        if name:
            made = self._made.get(name)
            return self._address(made.match.group("value") or "") if made and made.tag == "a" and made.match else ""
        href = next((anchor.get("href") or "" for anchor in self._targets.anchors if anchor.get("id") == match.group("id")), "")
        return absolute(self._base, href) if is_loaded(href) else ""

    def _form_action(self, match: re.Match[str]) -> str:
        wanted = match.group("id") or match.group("form") or match.group("name")
        for number, form in enumerate(self._targets.forms):
            if wanted in {form.get("id"), form.get("name"), str(number)}:
                return absolute(self._base, form.get("action") or "")
        return ""

    def _loaded(self, tag: str, match: re.Match[str], value: str, how: str) -> Loaded:
        url = self._address(value)
        return Loaded(tag, url, how, self._doubt(match) if url else "", self._excerpt(match))

    def _doubt(self, match: re.Match[str]) -> str:
        return "" if self._flow.is_automatic(match.start()) else MAY_WAIT

    def _address(self, value: str) -> str:
        """Return the address a value stands for, '' when it cannot be known."""
        literal = _literal(value) or _literal(self._variables.get(value, ""))
        if not literal or literal.startswith("#") or not is_loaded(literal):
            return ""
        return absolute(self._base, literal)

    def _excerpt(self, match: re.Match[str]) -> str:
        start = max(0, match.start() - 40)
        return clean(" ".join(self._source[start : start + EXCERPT].split()))


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


def _with_plain_members(source: str) -> str:
    """Return the source with `["location"]` and `?.` written as `.location` and `.`, every character in its old place."""
    plain = source.replace("?.", " .") if "?." in source else source
    return MEMBER.sub(lambda match: f".{match.group(1)}".ljust(len(match.group(0))), plain)


def _why_made_hidden(made: _Made) -> str:
    """Return why an element that a script makes cannot be seen, '' when it can."""
    style = ";".join(
        f"{_css_name(name[6:])}:{value}" for name, value in made.given.items() if name.startswith("style.") and name != "style.cssText"
    )
    style += f";{made.given.get('style', '')};{made.given.get('style.cssText', '')}"
    gone = "hidden attribute" if made.given.get("hidden", "false") != "false" else ""
    return gone or tiny_by_attributes(made.given) or why_hidden(declarations(style))


def _css_name(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"-{letter.group(0).lower()}", name)


def _literal(value: str) -> str:
    """Return the text of strings that are joined, '' for anything else."""
    if value[:1] not in {'"', "'", "`"} and "(" not in value:
        return ""
    return "".join(_piece(piece) for piece in PIECES.finditer(value)).strip()


def _piece(match: re.Match[str]) -> str:
    text, coded = match.group("string")[1:-1], match.group("coded") or ""
    if coded.startswith("atob"):
        return _from_base64(text)
    return unquote(unescape(text)) if coded else unescape(text)


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-8", errors="replace").strip()
    except (binascii.Error, ValueError):
        return ""


def _delay(source: str, match: re.Match[str]) -> float | None:
    """Return the timer's delay where the statement stands in one, 0 where it stands in none, None where the timer does not say."""
    before = source[max(0, match.start() - 300) : match.start()]
    timers = list(TIMER.finditer(before))
    if not timers or before[timers[-1].end() :].count("}") > before[timers[-1].end() :].count("{"):
        return 0.0
    after = re.search(r"[}\"']" + TIMER_DELAY.pattern, source[match.end() : match.end() + 300])
    return float(after.group(1)) / 1000 if after else None
