"""URLs as pages write them: joined to their base, with a host where there is one, never raising."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import idna

LONGEST_URL = 2_048
SPACES = re.compile(r"[\t\n\r]+")
AROUND = "".join(map(chr, range(0x21)))
"""Control characters and blanks, which browsers take off both ends of an address."""
WEB_SCHEME = re.compile(r"(https?):", re.IGNORECASE)
AUTHORITY = re.compile(r"(https?://)([^/?#]*)(.*)\Z", re.IGNORECASE | re.DOTALL)
NOT_LOADED = ("javascript:", "data:", "about:", "blob:")


@lru_cache(maxsize=8_192)
def absolute(base: str, url: str) -> str:
    """Return the address a browser would load: joined to the page's, at most 2,048 characters; as it is when it cannot be joined.

    Read after the URL standard (WHATWG, "special" schemes): backslashes are slashes, any number of slashes but none or one may stand before
    the host, line breaks and tabs count for nothing, and a host may be percent-encoded.
    """
    url = _slashed(clean(SPACES.sub("", url).strip(AROUND))[:LONGEST_URL], base)
    scheme = WEB_SCHEME.match(url)
    rest = url[scheme.end() :] if scheme else url
    here = base.partition(":")[0].lower()
    named = scheme.group(1).lower() if scheme else here
    if named in {"http", "https"} and (rest.startswith("//") or named != here):
        return _with_plain_host(f"{named}://{rest.lstrip('/')}")
    try:
        return urljoin(base, rest)[:LONGEST_URL]
    except ValueError:
        return url


def _slashed(url: str, base: str) -> str:
    """Return the URL with slashes for the backslashes before its query, where it is a web address."""
    if "\\" not in url or (":" in url.partition("/")[0] and not WEB_SCHEME.match(url)):
        return url
    end = min((place for mark in "?#" if (place := url.find(mark)) >= 0), default=len(url))
    return url[:end].replace("\\", "/") + url[end:]


def _with_plain_host(url: str) -> str:
    match = AUTHORITY.match(url)
    if match is None or "%" not in match.group(2):
        return url[:LONGEST_URL]
    user, at, host = match.group(2).rpartition("@")
    return f"{match.group(1)}{user}{at}{clean(unquote(host))}{match.group(3)}"[:LONGEST_URL]


@lru_cache(maxsize=8_192)
def host_of(url: str) -> str:
    """Return the lower-case ASCII host of an http(s) URL, '' for anything else; as written where it cannot be put into ASCII."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".") if parts.scheme in {"http", "https"} else ""
    except ValueError:
        return ""
    try:
        return host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return host


def path_of(url: str) -> str:
    """Return the path of a URL, '' when it cannot be read."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def params_of(url: str) -> dict[str, list[str]]:
    """Return the query's non-empty parameters."""
    try:
        return parse_qs(urlsplit(url).query, max_num_fields=200)
    except ValueError:
        return {}


def is_loaded(url: str) -> bool:
    """Say whether a browser asks another computer for this address."""
    return bool(url) and not url.lower().startswith(NOT_LOADED)


def clean(text: str) -> str:
    """Return the text without lone surrogates, which neither JSON nor UTF-8 can hold."""
    return text.encode("utf-8", errors="replace").decode("utf-8")
