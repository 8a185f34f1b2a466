"""An export's links as one profile, in one pass and flat memory.

Referring domains are kept up to `MOST_DOMAINS`; beyond that a sample drawn by their hash is kept (distinct sampling, Gibbons 2001), so that
every domain has the same chance however many links it has.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from statistics import median

import msgspec
from msgspec import Struct, yaml

from crawlers.backlinks.drawing import drawn, stratum_of
from crawlers.backlinks.exports import Export, file_hash, free_host, platforms
from crawlers.backlinks.facts import Backlink, BacklinkFacts, Cluster, LinkingPage
from crawlers.backlinks.tables import UnreadableExport
from crawlers.domains import registrable_domain

MOST_DOMAINS = 50_000
MOST_ANCHORS = 12
MOST_TITLES = 4
LEAST_SHARED = 3
"""Owners from which a common title or name pattern is a cluster (detection 6.1)."""
LEAST_WEEKS = 8
SITEWIDE_PAGES, SITEWIDE_SHARE = 8, 0.8
_DIGITS = re.compile(r"\d+")
_SPACE = re.compile(r"\s+")
_ADDRESS = re.compile(r"(?:https?://)?(?:[\w-]+\.)+[a-z]{2,24}(?:/\S*)?\Z", re.IGNORECASE)


class Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of link texts: `commercial` sell, `generic` say nothing."""

    commercial: tuple[str, ...]
    generic: tuple[str, ...]


@dataclass(frozen=True)
class About:
    """Whom a profile is of: own domains, names that are their brand, and the domains their sites link to (None: not read)."""

    domains: frozenset[str]
    brands: tuple[str, ...] = ()
    linked_domains: frozenset[str] | None = None


@dataclass(slots=True)
class _Domain:
    links: int = 0
    rel_known: int = 0
    followed: int = 0
    anchors: dict[str, int] = field(default_factory=dict)
    titles: dict[str, None] = field(default_factory=dict)
    language: str = ""
    authority: float | None = None
    traffic: float | None = None
    outbound: float | None = None
    address: str = ""
    page: str = ""
    first_seen: date | None = None
    sitewide: bool = False
    lost_known: bool = False
    alive: bool = False


def read_profile(path: Path, about: About, most_domains: int = MOST_DOMAINS) -> BacklinkFacts:
    """Read an export into a profile. Never raises what a bad file causes: `failure` says why there is none."""
    export = Export(path)
    collecting = _Collecting(about, most_domains)
    try:
        for link in export:
            collecting.add(link)
        sha256 = file_hash(path)
    except UnreadableExport as fault:
        return BacklinkFacts(source=export.source, rows=export.rows, failure=fault.message)
    except OSError as fault:
        return BacklinkFacts(failure=f"{path.name} cannot be read: {fault.strerror}.")
    found = collecting.facts(export)
    return msgspec.structs.replace(found, sha256=sha256) if found.referring_domains else _without_rows(export)


def _without_rows(export: Export) -> BacklinkFacts:
    why = f"{export.path.name} has no usable row ({export.rows} read, {export.unreadable} unreadable)."
    return BacklinkFacts(source=export.source, rows=export.rows, unreadable=export.unreadable, failure=why)


def profile_of(links: Iterable[Backlink], about: About, most_domains: int = MOST_DOMAINS) -> BacklinkFacts:
    """Return the profile of links that are already at hand."""
    collecting = _Collecting(about, most_domains)
    for link in links:
        collecting.add(link)
    return collecting.facts(None)


class _Collecting:
    def __init__(self, about: About, most: int) -> None:
        self._about, self._most = about, most
        self._level = 0
        self._domains: dict[str, _Domain] = {}
        self._links = self._known = self._followed = 0

    def add(self, link: Backlink) -> None:
        """Take one link into account; a site's links to itself are none."""
        if link.domain in self._about.domains:
            return
        self._links += link.links
        self._known += link.links * (link.follow is not None)
        self._followed += link.links * bool(link.follow)
        if self._level and not _drawn(link.domain, self._level):
            return
        kept = self._domains.get(link.domain)
        if kept is None:
            kept = self._domains[link.domain] = _Domain()
            if len(self._domains) > self._most:
                self._thin_out()
        _note(kept, link)

    def _thin_out(self) -> None:
        while len(self._domains) > self._most:
            self._level += 1
            self._domains = {name: kept for name, kept in self._domains.items() if _drawn(name, self._level)}

    def facts(self, export: Export | None) -> BacklinkFacts:
        """Sum up."""
        domains = self._domains
        anchors = {name: kind_and_text(_usual(kept.anchors), self._about) for name, kept in domains.items() if kept.anchors}
        titled, repeats, titles = _titles(domains)
        networks, addressed, shared = _networks(domains.values())
        firsts = [kept.first_seen for kept in domains.values() if kept.first_seen]
        rated, idle = _rated(domains.values())
        outbound = [kept.outbound for kept in domains.values() if kept.outbound is not None]
        back = self._about.linked_domains
        phrases = Counter(text for kind, text in anchors.values() if kind in {"commercial", "other"})
        return BacklinkFacts(
            source=export.source if export else "",
            rows=export.rows if export else self._links,
            unreadable=export.unreadable if export else 0,
            missing=export.missing if export else (),
            referring_domains=len(domains) << self._level,
            sampled=len(domains),
            links=self._links,
            rel_known=self._known,
            followed=self._followed,
            anchors=dict(Counter(kind for kind, _ in anchors.values())),
            anchor_entropy=_entropy(phrases),
            top_phrase=_top(phrases, anchors),
            networks=networks,
            addressed=addressed,
            shared=shared,
            titles=titles,
            titled=titled,
            title_repeats=repeats,
            names=_names(domains),
            reciprocal=None if back is None else sum(name in back or registrable_domain(name) in back for name in domains),
            peak_z=peak_z(firsts),
            dated=len(firsts),
            lost_known=sum(kept.lost_known for kept in domains.values()),
            lost=sum(kept.lost_known and not kept.alive for kept in domains.values()),
            rated=rated,
            idle=idle,
            outbound_median=median(outbound) if outbound else None,
            sitewide=sum(_is_sitewide(kept) for kept in domains.values()),
            free_hosts=sum(free_host(name) for name in domains),
            junk_endings=sum(name.rpartition(".")[2] in platforms().junk_endings for name in domains),
            languages=dict(Counter(kept.language[:2] for kept in domains.values() if kept.language).most_common(10)),
            examples=tuple(sorted(domains)[:10]),
            pages=drawn(
                LinkingPage(url=kept.page, domain=name, stratum=stratum_of(kept.authority)) for name, kept in domains.items() if kept.page
            ),
        )


def _drawn(domain: str, level: int) -> bool:
    return int.from_bytes(hashlib.blake2b(domain.encode("utf-8", "replace"), digest_size=8).digest()) % (1 << level) == 0


def _note(kept: _Domain, link: Backlink) -> None:
    kept.links += link.links
    kept.rel_known += link.follow is not None
    kept.followed += bool(link.follow)
    if link.anchor is not None and (link.anchor in kept.anchors or len(kept.anchors) < MOST_ANCHORS):
        kept.anchors[link.anchor] = kept.anchors.get(link.anchor, 0) + 1
    if link.title and len(kept.titles) < MOST_TITLES:
        kept.titles[normal(link.title)] = None
    kept.language = kept.language or link.language
    kept.address = kept.address or link.address
    kept.page = kept.page or ("" if link.lost else link.url)
    kept.authority = link.authority if link.authority is not None else kept.authority
    kept.traffic = link.traffic if link.traffic is not None else kept.traffic
    if link.outbound is not None:
        kept.outbound = max(link.outbound, kept.outbound or 0.0)
    if link.first_seen and (kept.first_seen is None or link.first_seen < kept.first_seen):
        kept.first_seen = link.first_seen
    kept.sitewide = kept.sitewide or bool(link.sitewide)
    if link.lost is not None:
        kept.lost_known = True
        kept.alive = kept.alive or not link.lost


def _usual(anchors: dict[str, int]) -> str:
    return max(anchors, key=lambda text: (anchors[text], text))


def _is_sitewide(kept: _Domain) -> bool:
    most = max(kept.anchors.values(), default=0)
    return kept.sitewide or (kept.links >= SITEWIDE_PAGES and most >= SITEWIDE_SHARE * kept.links)


@lru_cache(maxsize=8_192)
def normal(text: str) -> str:
    """Return a text as it is compared: case folded, one blank between words."""
    return _SPACE.sub(" ", text).strip().casefold()


def kind_and_text(anchor: str, about: About) -> tuple[str, str]:
    """Return the kind of an anchor (`brand` `url` `generic` `empty` `commercial` `other`) and its normal form."""
    text = normal(anchor)
    if not text:
        return "empty", ""
    if _ADDRESS.match(text):
        return "url", text
    joined = "".join(letter for letter in text if letter.isalnum())
    if any(brand in joined for brand in _brands(about)):
        return "brand", text
    if text.strip(" .!?»>→:…") in _words()[1]:
        return "generic", text
    padded = f" {text} "
    return ("commercial" if any(word in padded for word in _words()[0]) else "other"), text


@lru_cache(maxsize=64)
def _brands(about: About) -> tuple[str, ...]:
    cores = [core_of(domain) for domain in about.domains]
    plain = ("".join(letter for letter in name.casefold() if letter.isalnum()) for name in (*cores, *about.brands))
    return tuple(sorted({name for name in plain if len(name) > 2}))


@cache
def _words() -> tuple[tuple[str, ...], frozenset[str]]:
    words = yaml.decode(files(__package__).joinpath("words.yaml").read_bytes(), type=Words)
    return tuple(f" {word} " for word in words.commercial), frozenset(words.generic)


def core_of(domain: str) -> str:
    """Return the name an owner chose: the label before the public suffix, the first one on free hosts."""
    registered = registrable_domain(domain)
    return (domain if free_host(domain) else registered).partition(".")[0]


def _entropy(counts: Counter[str]) -> float | None:
    whole = counts.total()
    return -sum(n / whole * math.log2(n / whole) for n in counts.values()) if whole else None


def _top(phrases: Counter[str], anchors: dict[str, tuple[str, str]]) -> Cluster | None:
    if not phrases:
        return None
    text, count = min(phrases.items(), key=lambda one: (-one[1], one[0]))
    users = sorted(name for name, (_, used) in anchors.items() if used == text)
    return Cluster(what=text, domains=count, examples=tuple(users[:5]))


def _titles(domains: dict[str, _Domain]) -> tuple[int, int, tuple[Cluster, ...]]:
    """Return how many domains have a title, how many of them share it with other owners, and the largest clusters."""
    by_title: dict[str, set[str]] = {}
    for name, kept in domains.items():
        for title in kept.titles:
            by_title.setdefault(title, set()).add(name)
    clusters: list[Cluster] = []
    repeated: set[str] = set()
    for title, names in by_title.items():
        cores = {core_of(name) for name in names}
        if len(cores) > LEAST_SHARED:  # the domain itself and three others
            repeated |= names
            clusters.append(Cluster(what=title, domains=len(cores), examples=tuple(sorted(names)[:5])))
    clusters.sort(key=lambda one: (-one.domains, one.what))
    return sum(bool(kept.titles) for kept in domains.values()), len(repeated), tuple(clusters[:5])


def _names(domains: dict[str, _Domain]) -> tuple[Cluster, ...]:
    """Return the names that differ in a number only, such as shop-deal-1.xyz to shop-deal-89.xyz."""
    patterns: dict[str, list[str]] = {}
    for name in domains:
        core = core_of(name)
        if any(letter.isdigit() for letter in core):
            patterns.setdefault(_DIGITS.sub("#", core), []).append(name)
    found = [
        Cluster(what=pattern, domains=len(names), examples=tuple(sorted(names)[:5]))
        for pattern, names in patterns.items()
        if len(names) >= LEAST_SHARED and len(pattern) > LEAST_SHARED
    ]
    return tuple(sorted(found, key=lambda one: (-one.domains, one.what))[:5])


def _networks(domains: Iterable[_Domain]) -> tuple[int, int, int]:
    """Return the distinct networks, the domains they hold, and the domains on shared platforms, which are left out."""
    nets: set[str] = set()
    addressed = shared = 0
    for kept in domains:
        net = network_of(kept.address)
        if net == "shared":
            shared += 1
        elif net:
            nets.add(net)
            addressed += 1
    return len(nets), addressed, shared


@lru_cache(maxsize=8_192)
def network_of(address: str) -> str:
    """Return the /24 (IPv6: /48) of an address, `shared` on a platform's network, '' for no address."""
    try:
        found = ip_address(address.strip())
    except ValueError:
        return ""
    if any(found in network for network in _shared_networks() if network.version == found.version):
        return "shared"
    return str(ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))


@cache
def _shared_networks() -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one) for platform in platforms().networks for one in platform.ranges)


def _rated(domains: Iterable[_Domain]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    rated, idle = [0] * 10, [0] * 10
    for kept in domains:
        if kept.authority is not None and kept.traffic is not None:
            decile = min(9, max(0, int(kept.authority // 10)))
            rated[decile] += 1
            idle[decile] += kept.traffic <= 0
    return tuple(rated), tuple(idle)


def peak_z(firsts: Sequence[date]) -> float | None:
    """Return how far the week with most new domains stands out: (peak - median) / max(1.4826 MAD, sqrt(median), 1) over all weeks from the
    first to the last; None for under eight weeks."""
    if not firsts:
        return None
    begin = min(firsts)
    weeks = Counter((day - begin).days // 7 for day in firsts)
    series = [weeks.get(week, 0) for week in range(max(weeks) + 1)]
    if len(series) < LEAST_WEEKS:
        return None
    middle = median(series)
    spread = max(1.4826 * median(abs(count - middle) for count in series), math.sqrt(middle), 1.0)
    return (max(series) - middle) / spread
