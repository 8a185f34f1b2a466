"""User agents, composed from the parts real ones are made of, and the window size that goes with each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraud.simulation.networks import Egress
from fraud.simulation.randomness import Floats, Ints, pick
from fraud.simulation.world import UA_ZIPF

_KHTML = "AppleWebKit/537.36 (KHTML, like Gecko)"
_WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_WINDOWS, _MAC, _LINUX = "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64"
_IPHONE, _IPAD = "iPhone; CPU iPhone OS {} like Mac OS X", "iPad; CPU OS {} like Mac OS X"
_PHONE_MODELS = ("SM-S921B", "SM-A556B", "Pixel 9", "Redmi Note 13", "CPH2609", "moto g84 5G")


_OLD = (
    f"Mozilla/5.0 ({_WINDOWS}) {_KHTML} Chrome/131.0.0.0 Safari/537.36",
    f"Mozilla/5.0 ({_WINDOWS}) {_KHTML} Chrome/109.0.0.0 Safari/537.36",
    f"Mozilla/5.0 ({_LINUX}) {_KHTML} Chrome/124.0.0.0 Safari/537.36",
    f"Mozilla/5.0 ({_MAC}) {_KHTML} Chrome/117.0.0.0 Safari/537.36",
)


def _desktop() -> list[str]:
    chrome = [
        f"Mozilla/5.0 ({os}) {_KHTML} Chrome/{v}.0.0.0 Safari/537.36" for v in (145, 144, 143, 142) for os in (_WINDOWS, _MAC, _LINUX)
    ]
    edge = [f"Mozilla/5.0 ({os}) {_KHTML} Chrome/{v}.0.0.0 Safari/537.36 Edg/{v}.0.0.0" for v in (145, 144, 143) for os in (_WINDOWS, _MAC)]
    opera = [f"Mozilla/5.0 ({_WINDOWS}) {_KHTML} Chrome/{v}.0.0.0 Safari/537.36 OPR/{v - 16}.0.0.0" for v in (144, 143)]
    firefox = [
        f"Mozilla/5.0 ({os}; rv:{v}.0) Gecko/20100101 Firefox/{v}.0"
        for v in (148, 147, 140)
        for os in (_WINDOWS, "Macintosh; Intel Mac OS X 10.15", _LINUX)
    ]
    safari = [f"Mozilla/5.0 ({_MAC}) {_WEBKIT} Version/{v} Safari/605.1.15" for v in ("26.3", "26.2", "26.1", "18.6", "17.6")]
    return chrome + edge + opera + firefox + safari + [*_OLD]


def _mobile() -> list[str]:
    android = [f"Mozilla/5.0 (Linux; Android 10; K) {_KHTML} Chrome/{v}.0.0.0 Mobile Safari/537.36" for v in (145, 144, 143, 142, 141)]
    samsung = [
        f"Mozilla/5.0 (Linux; Android 10; K) {_KHTML} SamsungBrowser/{v}.0 Chrome/{c}.0.0.0 Mobile Safari/537.36"
        for v, c in ((29, 136), (28, 130))
    ]
    firefox = [f"Mozilla/5.0 (Android {a}; Mobile; rv:{v}.0) Gecko/{v}.0 Firefox/{v}.0" for a, v in ((16, 148), (15, 147), (14, 147))]
    safari = [
        f"Mozilla/5.0 ({_IPHONE.format(os)}) {_WEBKIT} Version/{v} Mobile/15E148 Safari/604.1"
        for os, v in (
            ("18_7", "26.3"),
            ("18_7", "26.2"),
            ("18_7", "26.1"),
            ("18_6", "18.6"),
            ("18_5", "18.5"),
            ("17_7", "17.7"),
            ("16_7", "16.6"),
        )
    ]
    tablets = [
        f"Mozilla/5.0 ({_IPAD.format(os)}) {_WEBKIT} Version/{v} Mobile/15E148 Safari/604.1"
        for os, v in (("18_6", "18.6"), ("17_7", "17.7"))
    ]
    ios_chrome = [
        f"Mozilla/5.0 ({_IPHONE.format(os)}) {_WEBKIT} CriOS/{v}.0.7632.55 Mobile/15E148 Safari/604.1"
        for os, v in (("18_7", 145), ("18_6", 144))
    ]
    return safari + android + samsung + firefox + tablets + ios_chrome


def _webviews() -> list[str]:
    android = [
        f"Mozilla/5.0 (Linux; Android 15; {model} Build/AP3A.240905.015; wv) {_KHTML} Version/4.0 Chrome/{v}.0.7632.45 Mobile Safari/537.36"
        f"{app}"
        for model, v in zip(_PHONE_MODELS, (145, 145, 144, 144, 143, 143), strict=True)
        for app in (" [FB_IAB/FB4A;FBAV/548.0.0.38.74;]", " Instagram 415.0.0.36.76 Android", "")
    ]
    ios = [
        f"Mozilla/5.0 ({_IPHONE.format(os)}) {_WEBKIT} Mobile/22G86 {app}"
        for os in ("18_7", "18_6", "17_7")
        for app in ("[FBAN/FBIOS;FBAV/547.0.0.31.80]", "Instagram 415.0.0.21.86")
    ]
    return android + ios


_BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Twitterbot/1.0",
    "python-requests/2.32.3",
    "curl/8.9.1",
    "Go-http-client/2.0",
)
_HEADLESS = f"Mozilla/5.0 ({_LINUX}) {_KHTML} HeadlessChrome/139.0.0.0 Safari/537.36"


def _interleave(*pools: tuple[float, list[str]]) -> list[str]:
    """The pools shuffled together; each begins at its own depth (0 most popular, 1 least) and runs to the end."""
    ranked = [
        (depth + (1 - depth) * position / len(pool), which, agent)
        for which, (depth, pool) in enumerate(pools)
        for position, agent in enumerate(pool)
    ]
    return [agent for _, _, agent in sorted(ranked)]


@dataclass(frozen=True)
class AgentTable:
    """Every user agent of the world by index: people's first (by popularity), then declared bots, then a headless browser.

    `forged` are those that scripts give themselves: old browsers that some people still use, and the headless one.
    """

    names: tuple[str, ...]
    people: int
    mobile: tuple[bool, ...]
    webview: tuple[bool, ...]
    bots: range
    forged: tuple[int, ...]

    def viewport(self, index: int) -> str | None:
        """A typical window size of that agent; None where there is none to report."""
        if index in self.bots:
            return None
        if "iPad" in self.names[index]:
            return "820x1180"
        sizes = ("390x844", "412x915", "360x800", "430x932") if self.mobile[index] else ("1536x864", "1920x1080", "1440x900", "1366x768")
        return sizes[index % len(sizes)]


def _build() -> AgentTable:
    mobile, webviews = _mobile(), _webviews()
    people = _interleave((0.0, mobile), (0.0, _desktop()), (0.25, webviews))
    names = (*people, *_BOTS, _HEADLESS)
    return AgentTable(
        names=names,
        people=len(people),
        mobile=tuple(name in mobile or name in webviews for name in names),
        webview=tuple(name in webviews for name in names),
        bots=range(len(people), len(people) + len(_BOTS)),
        forged=(*(people.index(name) for name in _OLD), len(names) - 1),
    )


AGENTS = _build()
"""The world's user agents."""


def _weights() -> dict[Egress, Floats]:
    zipf = 1.0 / np.arange(1, AGENTS.people + 1) ** UA_ZIPF
    mobile = np.array(AGENTS.mobile[: AGENTS.people])
    return {egress: zipf * _allowed(egress, mobile) for egress in Egress}


def _allowed(egress: Egress, mobile: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    if egress is Egress.CARRIER:
        return mobile.astype(float)
    if egress in (Egress.CORPORATE, Egress.HOSTING):
        return (~mobile).astype(float)
    return np.ones(len(mobile))


_PEOPLE_WEIGHTS = _weights()


def draw_agents(rng: np.random.Generator, egress: Egress, count: int) -> Ints:
    """`count` user agents (indices) of people who come out of that kind of network: phones on carriers, desks in offices."""
    return pick(rng, _PEOPLE_WEIGHTS[egress], count)


def draw_bots(rng: np.random.Generator, count: int) -> Ints:
    """`count` user agents (indices) that declare a bot."""
    return rng.integers(AGENTS.bots.start, AGENTS.bots.stop, count)
