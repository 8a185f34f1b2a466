"""User agents: what a browser, crawler or library says it is. Nothing here guesses; it only reads the declaration."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

import crawleruseragents
import ua_parser

LONGEST_REMEMBERED = 512
"""Characters of the longest text whose reading is remembered: browsers' own are below 300, and what is sent decides how much is held."""

_HEADLESS = r"Headless|PhantomJS|SlimerJS|Puppeteer|Playwright|Selenium|WebDriver|Electron/.*Nightmare|jsdom"
_LIBRARIES = (
    r"^(?:curl|wget|python|okhttp|java|go-http-client|libwww-perl|lwp|axios|node-fetch|node|undici|got|aiohttp|httpx|urllib|requests|"
    r"apache-httpclient|guzzlehttp|php|ruby|faraday|rest-client|restsharp|postmanruntime|insomnia|httpie|scrapy|mechanize|winhttp|"
    r"dart|reqwest|hyper|powershell)\b"
)
_OWN = re.compile(f"{_HEADLESS}|(?i:{_LIBRARIES})")
_PHONES = ("iPhone", "iPod")
_MOBILE_SYSTEMS = ("iOS", "Android", "Windows Phone", "KaiOS", "BlackBerry OS")
_DESKTOP_SYSTEMS = ("Windows", "Mac OS X", "Linux", "Ubuntu", "Fedora", "Chrome OS")


@dataclass(frozen=True)
class Agent:
    """A user agent read: `declared_bot` with the `why`, browser and system family (`None` when not told) and the device's class."""

    declared_bot: bool
    why: str | None
    browser: str | None
    system: str | None
    device: str | None


@cache
def _crawlers() -> re.Pattern[str]:
    patterns = [entry["pattern"] for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


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
    if text in {"", "-"}:
        return "empty"
    found = _OWN.search(text) or _crawlers().search(text)
    return found.group(0) if found else None


def _device(text: str, system: str | None, hardware: str | None) -> str | None:
    if system is None:
        return None
    if system in _MOBILE_SYSTEMS:
        tablet = hardware == "iPad" or (system == "Android" and "Mobile" not in text and hardware not in _PHONES)
        return "tablet" if tablet else "phone"
    return "desktop" if system in _DESKTOP_SYSTEMS else "other"
