"""What a website ties its owner to: accounts in its pages, who holds its name, where it is hosted; as edges of the shared-identity graph.

Analytics, tag, advertising and pixel accounts, verification tokens and the holder of the name are an owner's own. Servers, name servers,
certificates, icons, templates and texts are weak: themes and shared hosting give strangers the same.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
import pandas as pd

from crawlers.domains import registrable_domain
from crawlers.facts import SiteFacts
from fraud.links.edges import COLUMNS

TRACKER_KINDS: Mapping[str, str] = {
    "google_analytics": "analytics_id",
    "google_analytics_4": "analytics_id",
    "yandex_metrica": "analytics_id",
    "microsoft_clarity": "analytics_id",
    "hotjar": "analytics_id",
    "google_tag_manager": "tag_id",
    "google_adsense": "adsense_id",
    "google_ads": "ad_id",
    "taboola": "ad_id",
    "skimlinks": "ad_id",
    "facebook_pixel": "pixel_id",
    "tiktok_pixel": "pixel_id",
    "pinterest_tag": "pixel_id",
    "linkedin_insight": "pixel_id",
    "google_site_verification": "verification",
    "bing_site_verification": "verification",
    "facebook_domain_verification": "verification",
    "pinterest_verification": "verification",
    "yandex_verification": "verification",
}
"""What the accounts that readers find in pages are in the graph. A Matomo site's number is missing: every installation has a number 1."""
MOST_NAMES = 20
"""Registered names on one certificate. One of more is a host's or a content network's, and ties nobody to anybody."""

Tie = tuple[str, str]
"""The kind of a thing and its name."""


class SiteTies(msgspec.Struct, frozen=True, kw_only=True):
    """What one vetted website ties to: who applied with it, its registered name, when it was seen."""

    application_id: str
    domain: str
    ties: tuple[Tie, ...]
    seen: datetime | None = None


def ties_of(site: SiteFacts) -> tuple[Tie, ...]:
    """Everything that a visited website can have in common with another, sorted."""
    return tuple(sorted({*_accounts(site), *_hosting(site), *_look(site)}))


def _accounts(site: SiteFacts) -> Iterator[Tie]:
    for page in site.pages:
        for tracker in page.facts.trackers:
            if tracker.kind in TRACKER_KINDS:
                yield TRACKER_KINDS[tracker.kind], f"{tracker.kind} {_account(tracker.kind, tracker.value)}"
    if site.registration is not None and site.registration.holder:
        yield "registrant", " ".join(site.registration.holder.lower().split())


def _account(kind: str, value: str) -> str:
    """The account without the property within it: one owner's sites are UA-1234567-1, -2 and so on."""
    return value.rpartition("-")[0] if kind == "google_analytics" else value.removeprefix("ca-")


def _hosting(site: SiteFacts) -> Iterator[Tie]:
    if site.dns is not None:
        yield from (("hosting_ip", address) for address in site.dns.addresses)
        if site.dns.name_servers:
            yield "name_servers", " ".join(sorted(site.dns.name_servers))
    if site.certificate is not None:
        names = {registrable_domain(name.removeprefix("*.")) for name in site.certificate.names} - {""}
        yield from (("tls_name", name) for name in names if len(names) <= MOST_NAMES)


def _look(site: SiteFacts) -> Iterator[Tie]:
    if site.favicon is not None:
        yield "favicon", str(site.favicon.mmh3)
    if site.pages and site.pages[0].facts.structure:
        yield "template", hashlib.sha256(repr(site.pages[0].facts.structure).encode()).hexdigest()[:16]


def with_sites(edges: pd.DataFrame, sites: Sequence[SiteTies]) -> pd.DataFrame:
    """Edges of accounts and applicants with what their vetted websites tie added."""
    return pd.concat([edges, site_edges(sites, owners_by_domain(edges))], ignore_index=True) if sites else edges


def site_edges(sites: Iterable[SiteTies], owners: Mapping[str, Iterable[str]]) -> pd.DataFrame:
    """What vetted websites tie, as edges (`fraud.links.edges.COLUMNS`) of those who own them: `owners` of each registered name.

    A website that nobody owns (any more) has no edge. What only pages under one registered name have in common is that site's or its
    platform's own, and ties the people who publish there to nobody.
    """
    met: defaultdict[Tie, set[str]] = defaultdict(set)
    kept = [site for site in sites if site.domain in owners]
    for site in kept:
        for tie in site.ties:
            met[tie].add(site.domain)
    rows = [
        (owner, *tie, 1, _naive(site.seen), _naive(site.seen), "site")
        for site in kept
        for tie in site.ties
        if len(met[tie]) > 1
        for owner in owners[site.domain]
    ]
    frame = pd.DataFrame(list(dict.fromkeys(rows)), columns=list(COLUMNS))
    return frame.astype({"count": "int64", "first_seen": "datetime64[us]", "last_seen": "datetime64[us]"})


def owners_by_domain(edges: pd.DataFrame) -> dict[str, list[str]]:
    """Which accounts state a website under each registered name; `edges` are those of accounts or applicants."""
    stated = edges[edges["kind"] == "website"]
    owners: dict[str, list[str]] = {}
    for affiliate, website in zip(stated["affiliate_id"], stated["entity"], strict=True):
        host = str(website).partition("/")[0].partition(":")[0]
        owners.setdefault(registrable_domain(host) or host, []).append(str(affiliate))
    return owners


def _naive(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
