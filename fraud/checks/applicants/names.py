"""Host names: what belongs to one owner, what they read like, and how far two of them are apart."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import idna

from crawlers.domains import is_within, registrable_domain

LOOK_ALIKES = {
    "a": "ɑαа",
    "b": "ƅьᖯ",
    "c": "ϲсᴄⲥ",
    "d": "ԁɖ",
    "e": "еҽє",
    "f": "ƒք",
    "g": "ɡցġ",
    "h": "һհ",
    "i": "ıɩɪιіⲓ",
    "j": "ϳј",
    "k": "κкᴋ",
    "l": "1ǀӏⵏ",
    "m": "мᴍ",
    "n": "ոռп",
    "o": "0οоօσᴏⲟ〇०০੦૦௦๐໐၀",
    "p": "ρрⲣ",
    "q": "ԛգզ",
    "r": "гᴦⲅ",
    "s": "ѕƽꜱ",
    "t": "тτᴛ",
    "u": "υսᴜ",
    "v": "νѵᴠ",
    "w": "ԝաѡɯᴡ",
    "x": "хҳ",
    "y": "уүγʏყ",
    "z": "ᴢʐ",
    "ae": "æӕ",
    "oe": "œ",
    "rn": "m",
    "vv": "w",
}
"""Letters that domain names may hold and readers take for others: the part of UTS 39's confusables that IDNA 2008 lets through, each
beside the plain letters it is read as, and a few more of the Cyrillic and Greek letters that dnstwist's homoglyph tables add."""

_PLAIN = str.maketrans({alike: plain for plain, alikes in LOOK_ALIKES.items() for alike in alikes})
_SEPARATORS = re.compile(r"[^\w]+|_+|\d+")


def host_of(url: str) -> str:
    """The host of a URL, or of a website written without its scheme, in lower-case ASCII (punycode); '' when it has none."""
    try:
        host = (urlsplit(url if "://" in url else f"//{url}").hostname or "").rstrip(".")
    except ValueError:
        return ""
    return ascii_host(unquote(host))


def ascii_host(host: str) -> str:
    """A host name in lower-case ASCII; one that cannot be put so is returned as it is, in lower case."""
    host = host.strip().rstrip(".").lower()
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return host


def owner_of(host: str) -> str:
    """The name its owner registered. `www` never makes another owner, also where the suffix is not a public one (`.test`, an intranet)."""
    return registrable_domain(host.removeprefix("www."))


@lru_cache(maxsize=4096)
def own_labels(host: str) -> tuple[str, ...]:
    """The labels its owner chose, as people read them (punycode decoded), the registered one last; suffix and `www` left out."""
    name = owner_of(host)
    chosen = [*host.removesuffix(name).split("."), name.partition(".")[0]]
    return tuple(_readable(label) for label in chosen if label and label != "www")


def _readable(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def tokens(label: str) -> tuple[str, ...]:
    """The words of a label: what hyphens, underscores and figures set apart."""
    return tuple(word for word in _SEPARATORS.split(label) if word)


def squeezed(text: str) -> str:
    """A name as a domain would hold it: lower case, letters and figures only."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).casefold() if letter.isalnum())


def skeleton(text: str) -> str:
    """What a reader sees (after UTS 39's skeleton): look-alike letters as plain ones, accents left out, `m` as `rn`."""
    plain = _without_marks(unicodedata.normalize("NFKD", text).casefold()).translate(_PLAIN)
    return _without_marks(unicodedata.normalize("NFKD", plain)).translate(_PLAIN)


def _without_marks(text: str) -> str:
    return "".join(letter for letter in text if not unicodedata.combining(letter))


def edit_distance(left: str, right: str) -> int:
    """Damerau-Levenshtein (optimal string alignment): letters added, left out, replaced, or swapped with a neighbour."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def within(host: str, domains: tuple[str, ...]) -> bool:
    """Whether a host is one of the domains or lies under one."""
    return any(is_within(host, domain) for domain in map(ascii_host, domains) if domain)
