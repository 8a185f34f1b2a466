"""URLs as pages write them: joined to their base, with a host where there is one, never raising."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import parse_qs, urljoin, urlsplit

LONGEST_URL = 2_048
SPACES = re.compile(r"[\t\n\r]+")
NOT_LOADED = ("javascript:", "data:", "about:", "blob:")


@lru_cache(maxsize=8_192)
def absolute(base: str, url: str) -> str:
    """Return the URL joined to the page's address; as it is when it cannot be joined. At most 2,048 characters."""
    url = clean(SPACES.sub("", url).strip())[:LONGEST_URL]
    if url.startswith(("http://", "https://")):
        return url
    try:
        return urljoin(base, url)[:LONGEST_URL]
    except ValueError:
        return url


@lru_cache(maxsize=8_192)
def host_of(url: str) -> str:
    """Return the lower-case host of an http(s) URL, '' for anything else."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").rstrip(".") if parts.scheme in {"http", "https"} else ""
    except ValueError:
        return ""


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
