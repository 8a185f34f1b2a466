"""What backlinks say of a site, counted over referring domains: facts for checks, small enough to be kept with a decision."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct


class Backlink(Struct, kw_only=True):
    """One row of an export. `domain` is the referring domain (free hosts: the full host), '' and None are unknown.

    `links` counts the links a row stands for; `follow` says whether the link passes weight; `lost` that it is gone. `authority` is the
    service's own figure from 0 to 100, `traffic` the visits it estimates for the domain in a month.
    """

    domain: str
    url: str = ""
    target: str = ""
    anchor: str | None = None
    title: str = ""
    language: str = ""
    authority: float | None = None
    traffic: float | None = None
    outbound: float | None = None
    follow: bool | None = None
    sitewide: bool | None = None
    links: int = 1
    address: str = ""
    first_seen: date | None = None
    last_seen: date | None = None
    lost: bool | None = None


class Cluster(Struct, frozen=True, kw_only=True):
    """Referring domains that have something in common: `what` it is, how many they are, and some of them."""

    what: str
    domains: int
    examples: tuple[str, ...] = ()


class LinkingPage(Struct, frozen=True, kw_only=True):
    """A page that an export says links to the site: `stratum` is the level of its claimed authority."""

    url: str
    domain: str
    stratum: str = "unknown"


class LinkState(StrEnum):
    """What became of a claimed link: `LIVE` and to be seen, there but `HIDDEN` from visitors, `GONE`, or nobody could look."""

    LIVE = "live"
    HIDDEN = "hidden"
    GONE = "gone"
    UNKNOWN = "unknown"


class LinkSeen(Struct, frozen=True, kw_only=True):
    """A linking page that was looked at. `followed` says that the link passes weight, `indexable` that search engines may list the page
    (None: there is no link); `reason` why a state is not `live`."""

    url: str
    domain: str
    stratum: str = "unknown"
    state: LinkState = LinkState.UNKNOWN
    followed: bool | None = None
    indexable: bool | None = None
    anchor: str = ""
    status: int = 0
    reason: str = ""
    fetched_at: datetime | None = None
    sha256: str = ""


class BacklinkFacts(Struct, frozen=True, kw_only=True):
    """Who links to a site, from one export.

    Counts are of referring domains unless they say otherwise, each with the kind of anchor it uses most. Very large exports are judged on
    a sample of `sampled` domains, drawn by hash, of about `referring_domains`. A pair such as `networks` of `addressed` means: unknown
    where the second is 0. `missing` are things the export has no column for, `failure` says why nothing could be read.

    `anchors` counts domains by kind (`brand` `url` `generic` `empty` `commercial` `other`); `top_phrase` is the phrase most of them use
    that is neither brand nor address nor generic. `networks` counts distinct /24 (IPv6: /48) of the `addressed` domains, those of shared
    platforms left out (`shared`). `titles` are clusters of one title on many owners' pages, `names` those named after one pattern.
    `reciprocal` is how many of them the site links back to (None: the site was not read). `peak_z` is the robust z of the week with most
    new domains. `rated` counts domains with a known authority and traffic by decile of authority, `idle` those of them without visits.
    `pages` are drawn by level of authority to be looked at; those that the export itself calls lost are left out.
    """

    source: str = ""
    rows: int = 0
    unreadable: int = 0
    missing: tuple[str, ...] = ()
    referring_domains: int = 0
    sampled: int = 0
    links: int = 0
    rel_known: int = 0
    followed: int = 0
    anchors: dict[str, int] = {}
    anchor_entropy: float | None = None
    top_phrase: Cluster | None = None
    networks: int = 0
    addressed: int = 0
    shared: int = 0
    titles: tuple[Cluster, ...] = ()
    titled: int = 0
    title_repeats: int = 0
    names: tuple[Cluster, ...] = ()
    reciprocal: int | None = None
    peak_z: float | None = None
    dated: int = 0
    lost_known: int = 0
    lost: int = 0
    rated: tuple[int, ...] = ()
    idle: tuple[int, ...] = ()
    outbound_median: float | None = None
    sitewide: int = 0
    free_hosts: int = 0
    junk_endings: int = 0
    languages: dict[str, int] = {}
    examples: tuple[str, ...] = ()
    pages: tuple[LinkingPage, ...] = ()
    sha256: str = ""
    failure: str = ""


class Rank(Struct, frozen=True, kw_only=True):
    """A domain's place in Common Crawl's graph: by harmonic centrality and by PageRank (1 is the best); `hosts` it has there."""

    domain: str
    harmonic: int
    pagerank: int
    hosts: int = 0


class Authority(Struct, frozen=True, kw_only=True):
    """What a service says of a domain: its `score` from 0 to 10 or 100 (`scale`), its place (None: not ranked), referring domains.

    `failure` says why there is no answer; it is never a low score.
    """

    domain: str
    provider: str
    score: float | None = None
    scale: float = 100.0
    rank: int | None = None
    referring_domains: int | None = None
    asked_at: str = ""
    failure: str = ""
