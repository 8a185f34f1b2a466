"""Tracking links: opened without a click, made the bulk of a site, or left without a disclosure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from crawlers.facts import VisitedPage
from fraud.checks.applicants.context import Visit, evidence_of, only_scripts
from fraud.checks.applicants.names import host_of, owner_of, within
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal, Tier

_HIDDEN = CHECKS["website.hidden_tracking"]
_LINKS = CHECKS["website.affiliate_links"]

OWN_PROGRAM = "this program"
_QUOTED = 10  # as many as a person reads
_UNSEEN = frozenset({"link", "css"})
_FRAMES = frozenset({"iframe", "frame", "object", "embed", "script"})


class Manner(StrEnum):
    """How an address opens without a click, in falling order of what it proves: a hidden element has no honest use."""

    HIDDEN = "hidden"
    MOVES = "moves"
    LOADS = "loads"


@dataclass(frozen=True)
class Opening:
    """An address that opens without the visitor's click: `how` says by what, `network` whose it is ('' for nobody's we know)."""

    url: str
    how: str
    network: str
    manner: Manner
    evidence: Evidence

    @property
    def own(self) -> bool:
        """Whether it is a tracking link of the program itself."""
        return self.network == OWN_PROGRAM


def hidden_tracking(visit: Visit, limits: Limits) -> Signal:
    """W08: tracking links in hidden elements, frames and style sheets, automatic moves, and the site's own redirects."""
    found = [opening for opening in _openings(visit) if opening.network]
    if found:
        own = [opening for opening in found if opening.own]
        severity, tier = _strength(visit, own)
        return _HIDDEN.finding(visit.subject, severity, _openings_seen(own + [opening for opening in found if not opening.own]), tier)
    if not visit.readable:
        return _HIDDEN.inconclusive(visit.subject, only_scripts("hidden elements"))
    known = "of this program or of a network we know" if visit.profile and visit.profile.tracking_hosts else "of a network we know"
    pages = len(visit.site.pages)
    text = f"No tracking link {known} opens by itself on the {pages} page(s) read."
    return _HIDDEN.clear(visit.subject, Observation(text=text, sample_size=pages, evidence=(evidence_of(visit.home),)))


def _strength(visit: Visit, own: list[Opening]) -> tuple[Severity, Tier]:
    """How much the program's own links prove. Pages that forward are honest where visitors come by a link, the front page is not."""
    if any(opening.manner is Manner.HIDDEN for opening in own):
        return Severity.CRITICAL, Tier.CONCLUSIVE
    front = {visit.home.snapshot.url, visit.site.requested_url, *(hop.url for hop in visit.site.hops)}
    if any(opening.manner is Manner.MOVES and opening.evidence.url in front for opening in own):
        return Severity.HIGH, Tier.CONCLUSIVE
    return Severity.MEDIUM, Tier.ASSOCIATIVE


def _openings(visit: Visit) -> Iterator[Opening]:
    for hop in visit.site.hops:
        if hop.location:
            evidence = Evidence(url=hop.url, fetched_at=visit.site.started_at, detail={"status": hop.status, "location": hop.location})
            network = _owner(visit, hop.location, visit.facts.networks.get(hop.location, ""))
            yield Opening(hop.location, "a redirect", network, Manner.MOVES, evidence)
    for page in visit.site.pages:
        yield from _loaded(visit, page)
        yield from _moves(visit, page)


def _loaded(visit: Visit, page: VisitedPage) -> Iterator[Opening]:
    """What the page loads; a visible picture may be the program's banner, so it says nothing."""
    for embed in page.facts.embeds:
        unseen = embed.hidden or embed.tag in _UNSEEN
        if unseen or embed.tag in _FRAMES:
            means = f" ({embed.why_hidden})" if embed.why_hidden else ""
            how = f"a hidden {embed.tag}{means}" if embed.hidden else f"a {embed.tag}"
            evidence = evidence_of(page, embed.excerpt, tag=embed.tag, hidden_by=embed.why_hidden)
            yield Opening(embed.url, how, _owner(visit, embed.url, embed.network), Manner.HIDDEN if unseen else Manner.LOADS, evidence)


def _moves(visit: Visit, page: VisitedPage) -> Iterator[Opening]:
    for move in page.facts.auto_navigations:
        evidence = evidence_of(page, move.excerpt, move=move.kind, delay_seconds=move.delay_seconds)
        how = f"an automatic move ({move.kind.replace('_', ' ')})"
        yield Opening(move.url, how, _owner(visit, move.url, move.network), Manner.MOVES, evidence)


def _owner(visit: Visit, url: str, network: str) -> str:
    own = visit.profile is not None and within(host_of(url), visit.profile.tracking_hosts)
    return OWN_PROGRAM if own else network


def _openings_seen(openings: list[Opening]) -> Observation:
    first = openings[0]
    more = f", and {len(openings) - 1} more" if len(openings) > 1 else ""
    return Observation(
        text=f"A tracking link of {first.network} opens without a click, by {first.how} on {first.evidence.url}{more}.",
        value=[{"url": opening.url, "how": opening.how, "network": opening.network} for opening in openings[:_QUOTED]],
        baseline=0,
        sample_size=len(openings),
        evidence=tuple(opening.evidence for opening in openings[:_QUOTED]),
    )


def affiliate_links(visit: Visit, limits: Limits) -> Signal:
    """W10: affiliate links per 100 words, and their share of the links to other sites."""
    pages = visit.readable
    if not pages:
        return _LINKS.inconclusive(visit.subject, only_scripts("links"))
    count = sum(len(page.facts.affiliate_links) for page in pages)
    if not count:
        text = f"No affiliate links on the {len(pages)} page(s) read."
        return _LINKS.clear(visit.subject, Observation(text=text, value={"links": 0}, evidence=(evidence_of(visit.home),)))
    density = 100 * count / max(sum(page.facts.word_count for page in pages), 1)
    share = count / max(_leaving(visit, pages), count)
    seen = _density_seen(visit, (count, density, share), limits)
    much = density > limits["maximum_per_100_words"] or share > limits["maximum_share"]
    if much and count >= limits["minimum_links"]:
        return _LINKS.finding(visit.subject, Severity.LOW, seen)
    return _LINKS.clear(visit.subject, seen)


def _leaving(visit: Visit, pages: tuple[VisitedPage, ...]) -> int:
    return sum(owner_of(link.host) != visit.domain for page in pages for link in page.facts.links if link.host)


def _density_seen(visit: Visit, measured: tuple[int, float, float], limits: Limits) -> Observation:
    count, density, share = measured
    links = [(page, link) for page in visit.readable for link in page.facts.affiliate_links]
    networks = sorted({link.network for _, link in links})
    return Observation(
        text=f"{count} affiliate link(s) of {', '.join(networks)}: {density:.1f} per 100 words, {share:.0%} of the links to other sites.",
        value={"links": count, "networks": networks, "per_100_words": round(density, 2), "share": round(share, 4)},
        baseline={"per_100_words": limits["maximum_per_100_words"], "share": limits["maximum_share"]},
        sample_size=count,
        evidence=tuple(evidence_of(page, link.excerpt, network=link.network) for page, link in links[:5]),
    )
