"""Referrers: from a URL or host to the registrable domain, by the public suffix list that ships with tldextract. Never fetches a list."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import cache

import tldextract

HOST_SQL = r"nullif(lower(regexp_extract({column}, '^(?:[A-Za-z][A-Za-z0-9+.\-]*:)?(?://)?(?:[^/?#@]*@)?([^/?#:@\s]+)', 1)), '')"
"""SQL for the host of a referrer in `{column}`: with or without scheme, without user, port and path; NULL when there is none."""


@cache
def _extractor() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def registrable_domain(host: str) -> str | None:
    """The registrable domain of a host (`news.bbc.co.uk` gives `bbc.co.uk`); an IP address stands for itself; else `None`.

    Under a top level that the list does not know, the last two labels, as the list's own default rule says.
    """
    host = host.strip().strip(".").lower()
    if _is_address(host):
        return host
    parts = _extractor()(host)
    if not parts.suffix and "." in host:
        return ".".join(host.split(".")[-2:])
    return parts.top_domain_under_public_suffix or None


def registrable_domains(hosts: Iterable[str]) -> dict[str, str | None]:
    """`registrable_domain` of each distinct host."""
    return {host: registrable_domain(host) for host in set(hosts)}


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
