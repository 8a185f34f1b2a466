"""Registrable domains, by the Public Suffix List's snapshot that tldextract ships; nothing is downloaded."""

from __future__ import annotations

from functools import lru_cache

import tldextract

_extract = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=(), fallback_to_snapshot=True, include_psl_private_domains=True)


@lru_cache(maxsize=16_384)
def registrable_domain(host: str) -> str:
    """Return the part of a host name that one owner registered: `shop.example.co.uk` gives `example.co.uk`, `me.github.io` itself.

    A last label that the list does not know counts as a suffix (the list's own default rule): `www.shop.test` gives `shop.test`. IP
    addresses and suffixes come back as they are.
    """
    host = host.lower().strip(".")
    found = _extract(host)
    if found.suffix or found.ipv4 or ":" in host:
        return found.top_domain_under_public_suffix or host
    return ".".join(host.split(".")[-2:])


def same_site(host: str, other: str) -> bool:
    """Say whether two hosts belong to one registrable domain."""
    return bool(host) and registrable_domain(host) == registrable_domain(other)


def is_within(host: str, domain: str) -> bool:
    """Say whether the host is the domain or below it."""
    return host == domain or host.endswith("." + domain)
