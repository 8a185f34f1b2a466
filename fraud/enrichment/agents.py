"""User agents: what a browser, crawler or library says it is. Nothing here guesses; it only reads the declaration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product

import crawleruseragents
import numpy as np
import ua_parser
from numpy.typing import NDArray

from fraud.enrichment.crawler_index import GRAM, PatternIndex

LONGEST_REMEMBERED = 512
"""Characters of the longest text whose reading is remembered: browsers' own are below 300, and what is sent decides how much is held."""

_EMPTY = frozenset({"", "-"})
_HEADLESS = r"Headless|PhantomJS|SlimerJS|Puppeteer|Playwright|Selenium|WebDriver|Electron/.*Nightmare|jsdom"
_LIBRARIES = (
    r"^(?:curl|wget|python|okhttp|java|go-http-client|libwww-perl|lwp|axios|node-fetch|node|undici|got|aiohttp|httpx|urllib|requests|"
    r"apache-httpclient|guzzlehttp|php|ruby|faraday|rest-client|restsharp|postmanruntime|insomnia|httpie|scrapy|mechanize|winhttp|"
    r"dart|reqwest|hyper|powershell)\b"
)
_NAMED = (
    r"(?<![a-z0-9])(?!cubot)[a-z0-9._-]*(?:bot|spider|crawler|crawl4ai|scraper|fetcher)(?:[-_][a-z0-9]+)*"
    r"(?=/[0-9v]|[;,)]|\+http|$)|\+https?://"
)
"""A name that ends in what robots call themselves (Cubot is a make of telephones), or an address to complain to."""

_NEEDED_BY_NAMED = ("bot", "spider", "crawler", "crawl4ai", "scraper", "fetcher", "+http")
_OWN = re.compile(f"{_HEADLESS}|(?i:{_LIBRARIES}|{_NAMED})")
_LIBRARY, _ROBOT = re.compile(_LIBRARIES, re.IGNORECASE), re.compile(_NAMED, re.IGNORECASE)
_PHONES = ("iPhone", "iPod")
_MOBILE_SYSTEMS = ("iOS", "Android", "HarmonyOS", "Windows Phone", "KaiOS", "BlackBerry OS", "Symbian OS", "Firefox OS")
_DESKTOP_SYSTEMS = ("Windows", "Mac OS X", "Linux", "Ubuntu", "Debian", "Fedora", "FreeBSD", "OpenBSD", "NetBSD", "Chrome OS")
_TELEVISIONS = re.compile(r"\b(?:TV|SmartTV|AFT[A-Z]\w*|BRAVIA|Tizen|Web0S|webOS|NetCast|Roku|CrKey|PlayStation|Xbox)\b")


@dataclass(frozen=True)
class Agent:
    """A user agent read: `declared_bot` with the `why`, browser and system family (`None` when not told) and the device's
    class: `phone`, `tablet`, `desktop`, `television` (and consoles beside it), `other`; `None` where that is not told, and for robots."""

    declared_bot: bool
    why: str | None
    browser: str | None
    system: str | None
    device: str | None


@cache
def _crawlers() -> re.Pattern[str]:
    patterns = [entry["pattern"] for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


@cache
def _crawler_index() -> PatternIndex:
    return PatternIndex([_HEADLESS, *(entry["pattern"] for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA)])


@cache
def _robot_index() -> PatternIndex:
    """The crawlers, and what robots call themselves by the letters it needs, in any case."""
    index = PatternIndex([_HEADLESS, *(entry["pattern"] for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA)])
    variants = {
        "".join(letters) for needed in _NEEDED_BY_NAMED for letters in product(*zip(needed[:GRAM], needed[:GRAM].upper(), strict=True))
    }
    for gram in sorted(variants):
        index.add(gram, _ROBOT)
    return index


def declaring_automation(texts: Sequence[str]) -> NDArray[np.bool_]:
    """`declares_automation` of each text, much faster for many."""
    stripped = [text.strip() for text in texts]
    plain = np.array([text in _EMPTY or _LIBRARY.match(text) is not None for text in stripped], np.bool_)
    return plain | _robot_index().search_all(stripped)


def declares_automation(text: str) -> bool:
    """Whether a user agent says that it is a crawler, a library or a headless browser: `read_agent(text).declared_bot`, faster."""
    text = text.strip()
    if text in _EMPTY or _LIBRARY.match(text):
        return True
    lower = text.lower()
    named = any(needed in lower for needed in _NEEDED_BY_NAMED) and _ROBOT.search(text) is not None
    return named or _crawler_index().search(text)


def declaration_of(text: str) -> str | None:
    """What in a user agent says that it is automated, `None` when nothing does: `read_agent(text).why`, many times faster."""
    return _declaration(text) if len(text) <= LONGEST_REMEMBERED else _declared(text.strip())


def read_agent(text: str) -> Agent:
    """Reads one user agent; an empty one, or the `-` that logs write for it, is declared automation (no browser sends none)."""
    return _remembered(text) if len(text) <= LONGEST_REMEMBERED else _read(text)


def _read(text: str) -> Agent:
    text = text.strip()
    why = _declared(text)
    parsed = ua_parser.parse(text) if text else None
    browser = parsed.user_agent.family if parsed and parsed.user_agent else None
    system = parsed.os.family if parsed and parsed.os else None
    hardware = parsed.device.family if parsed and parsed.device else None
    return Agent(why is not None, why, browser, system, None if why else _device(text, system, hardware))


_remembered = lru_cache(maxsize=65_536)(_read)


def read_agents(texts: Iterable[str]) -> dict[str, Agent]:
    """`read_agent` of each distinct text."""
    return {text: read_agent(text) for text in set(texts)}


def _declared(text: str) -> str | None:
    if text in _EMPTY:
        return "empty"
    if not declares_automation(text):
        return None
    found = _OWN.search(text) or _crawlers().search(text)
    return found.group(0) if found else None


@lru_cache(maxsize=65_536)
def _declaration(text: str) -> str | None:
    return _declared(text.strip())


def _device(text: str, system: str | None, hardware: str | None) -> str | None:
    if system is None:
        return None
    if _TELEVISIONS.search(text):
        return "television"
    if system == "Android" and hardware not in _PHONES:
        return _android_device(text)
    if system in _MOBILE_SYSTEMS:
        return "tablet" if hardware == "iPad" else "phone"
    return "desktop" if system in _DESKTOP_SYSTEMS or "X11;" in text else "other"


def _android_device(text: str) -> str | None:
    """Browsers write `Mobile` on telephones and not on tablets; what apps send on their own says neither."""
    if "Mobile" in text:
        return "phone"
    return "tablet" if text.startswith("Mozilla/") else None
