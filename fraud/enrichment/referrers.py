"""Referrers: from a URL or host to the registrable domain, by the public suffix list that ships with tldextract (never fetched), and to the
kind of page that sends its visitors."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator
from enum import StrEnum
from functools import cache
from importlib import resources

import tldextract
import yaml

HOST_SQL = r"nullif(lower(regexp_extract({column}, '^(?:[A-Za-z][A-Za-z0-9+.\-]*:)?(?://)?(?:[^/?#@]*@)?([^/?#:@\s]+)', 1)), '')"
"""SQL for the host of a referrer in `{column}`: with or without scheme, without user, port and path; NULL when there is none."""


class ReferrerKind(StrEnum):
    """What kind of page a referrer is. `OTHER` is any page that no list names: a website like most."""

    OWN = "own"
    SEARCH = "search"
    SOCIAL = "social"
    AD = "ad"
    MAIL = "mail"
    OTHER = "other"


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


def referrer_kind(host: str, own: Collection[str] = ()) -> ReferrerKind | None:
    """The kind of page at a host (as `HOST_SQL` gives it, or an app's package); `own` are the registrable domains that the affiliate
    declared, which stand over every list. `None` for no host."""
    host = host.strip().strip(".").lower()
    if not host:
        return None
    domain = registrable_domain(host)
    if domain is not None and domain in own:
        return ReferrerKind.OWN
    listed = _listed()
    return next((listed[name] for name in _names(host, domain) if name in listed), ReferrerKind.OTHER)


def referrer_kinds(hosts: Iterable[str], own: Collection[str] = ()) -> dict[str, ReferrerKind | None]:
    """`referrer_kind` of each distinct host."""
    return {host: referrer_kind(host, own) for host in set(hosts)}


def _names(host: str, domain: str | None) -> Iterator[str]:
    """Under which names a host may be listed, the most specific first: itself, what is above it, its name under any suffix."""
    labels = host.split(".")
    for start in range(len(labels)):
        yield ".".join(labels[start:])
    if domain and "." in domain and not _is_address(domain):
        yield f"{domain.partition('.')[0]}.*"


@cache
def _listed() -> dict[str, ReferrerKind]:
    content = yaml.safe_load((resources.files("fraud.enrichment") / "referrers.yaml").read_text(encoding="utf-8"))
    return {name: ReferrerKind(kind) for kind, names in content.items() for name in names}


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
