"""Tracking links: opened without a click, made the bulk of a site, or left without a disclosure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from crawlers.facts import Embed, Followed, Variant, VisitedPage
from fraud.checks.applicants.clicks import AddressKind, address_kind
from fraud.checks.applicants.context import OWN_PROGRAM, Visit, evidence_of, only_scripts
from fraud.checks.applicants.names import host_of, owner_of, within
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal, Tier

_HIDDEN = CHECKS["website.hidden_tracking"]
_LINKS = CHECKS["website.affiliate_links"]

_QUOTED = 10  # as many as a person reads
_PICTURES = frozenset({"img", "input", "image", "css", "source", "video", "audio"})
_UNSEEN = frozenset({"link", "css"})
_DOCUMENTS = frozenset({"iframe", "frame", "object", "embed"})
_OUTSIDE = "the page has style rules that were not read, in other files or too many"


class Manner(StrEnum):
    """How an address opens without a click, in falling order of what it proves: what nobody can see has no honest use."""

    HIDDEN = "hidden"
    MOVES = "moves"
    LOADS = "loads"
    SHOWN = "shown"
    UNKNOWN = "unknown"


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

    @property
    def counts(self) -> bool:
        """Whether it is a tracking link that opens; what is shown, or not known, is none."""
        return bool(self.network) and self.manner not in {Manner.SHOWN, Manner.UNKNOWN}


def hidden_tracking(visit: Visit, limits: Limits) -> Signal:
    """W08: tracking links in hidden elements, frames and style sheets, automatic moves, and the site's own redirects.

    Conclusive is only what certainly nobody can see and certainly is a click; the rest asks for a look. Where something was met that may
    hold a tracking link and could not be read, the check says so instead of clearing the site.
    """
    openings = list(_openings(visit))
    found = [opening for opening in openings if opening.counts]
    if found:
        own = [opening for opening in found if opening.own]
        severity, tier = _strength(visit, own)
        return _HIDDEN.finding(visit.subject, severity, _openings_seen(own + [opening for opening in found if not opening.own]), tier)
    if not visit.readable:
        return _HIDDEN.inconclusive(visit.subject, only_scripts("hidden elements"))
    unknown = [opening.how for opening in openings if opening.manner is Manner.UNKNOWN] + list(_unread_scripts(visit))
    if unknown:
        more = f" {len(unknown) - 1} more could not be told either." if len(unknown) > 1 else ""
        return _HIDDEN.inconclusive(visit.subject, f"No hidden tracking link was found, but {unknown[0]}.{more}")
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
    for variant in visit.site.variants or ():
        if variant.page is not None and variant.page.snapshot.sha256 != visit.home.snapshot.sha256:
            yield from _loaded(visit, variant.page)
            yield from _moves(visit, variant.page)
        yield from _redirected(visit, variant)


def _redirected(visit: Visit, variant: Variant) -> Iterator[Opening]:
    """The redirects that only another visitor gets."""
    known = {hop.location for hop in visit.site.hops}
    for hop in variant.hops:
        if hop.location and hop.location not in known:
            detail = {"status": hop.status, "location": hop.location, "visitor": variant.name}
            evidence = Evidence(url=hop.url, fetched_at=visit.site.started_at, detail=detail)
            network = _owner(visit, hop.location, visit.facts.networks.get(hop.location, ""))
            yield Opening(hop.location, f"a redirect ({variant.name.replace('_', ' ')})", network, Manner.MOVES, evidence)


def _loaded(visit: Visit, page: VisitedPage) -> Iterator[Opening]:
    """What the page loads, as far as it says something: addresses of tracking hosts, and hidden ones of the site itself."""
    linked = frozenset(link.url for each in visit.site.pages for link in each.facts.links)
    for embed in page.facts.embeds:
        network = _owner(visit, embed.url, embed.network)
        if network:
            kind = address_kind(embed.url, linked)
            if kind is AddressKind.UNCLEAR and embed.network and embed.hidden:
                kind = AddressKind.CLICK  # the catalogue says so, and nothing speaks for a picture
            how = _how(embed)
            manner = _manner(embed, kind, page)
            if manner is Manner.UNKNOWN:
                how = f"whether {how} for {embed.url} on {page.snapshot.url} can be seen is unknown: {embed.doubt or _OUTSIDE}"
            evidence = evidence_of(page, embed.excerpt, tag=embed.tag, hidden_by=embed.why_hidden, doubt=embed.doubt, address=kind.value)
            yield Opening(embed.url, how, network, manner, evidence)
        elif (seen := _where(visit, embed.url)) is not None and seen.hops:
            yield from _followed(visit, page, embed, seen)
        elif _leads_on(visit, embed, linked):
            how = f"where {_how(embed)} on {page.snapshot.url} leads is unknown: it opens {embed.url} of the same site, which was not read"
            yield Opening(embed.url, how, "", Manner.UNKNOWN, evidence_of(page, embed.excerpt))


def _where(visit: Visit, url: str) -> Followed | None:
    """Where an unseen thing was followed to."""
    return next((seen for seen in visit.site.followed or () if seen.url == url), None)


def _followed(visit: Visit, page: VisitedPage, embed: Embed, seen: Followed) -> Iterator[Opening]:
    """What an unseen thing leads to over its redirects, and what the page behind it loads in turn, which nobody sees either."""
    unseen = embed.hidden or embed.tag in _UNSEEN
    manner = Manner.HIDDEN if unseen and not embed.doubt and embed.tag != "request" else Manner.LOADS
    for hop in seen.hops:
        network = _owner(visit, hop.location, visit.facts.networks.get(hop.location, "")) if hop.location else ""
        if network:
            how = f"{_how(embed)} that redirects over {hop.url}"
            yield Opening(hop.location, how, network, manner, evidence_of(page, embed.excerpt, tag=embed.tag, location=hop.location))
    if seen.page is not None and embed.tag in _DOCUMENTS:
        yield from _inside(visit, page, embed, seen.page)


def _inside(visit: Visit, page: VisitedPage, embed: Embed, inner: VisitedPage) -> Iterator[Opening]:
    loads = [(one.url, one.network, f"a {one.tag}") for one in inner.facts.embeds]
    moves = [(one.url, one.network, f"a {one.kind.replace('_', ' ')}") for one in inner.facts.auto_navigations]
    for url, known, what in loads + moves:
        network = _owner(visit, url, known)
        if network and address_kind(url, frozenset()) is not AddressKind.PICTURE:
            manner = Manner.HIDDEN if embed.hidden and not embed.doubt else Manner.LOADS
            how = f"{what} on {inner.snapshot.url}, which is in {_how(embed)}"
            yield Opening(url, how, network, manner, evidence_of(page, embed.excerpt, tag=embed.tag, location=url))


def _how(embed: Embed) -> str:
    means = f" ({embed.why_hidden})" if embed.why_hidden else ""
    perhaps = "perhaps hidden" if embed.doubt else "hidden"
    return f"a {perhaps} {embed.tag}{means}" if embed.hidden else f"a {embed.tag}"


def _manner(embed: Embed, kind: AddressKind, page: VisitedPage) -> Manner:
    """How a tracking host's address opens. A picture is shown or counts impressions, unless its address is a click's."""
    unseen = embed.hidden or embed.tag in _UNSEEN
    certain = unseen and not embed.doubt
    if embed.tag in _PICTURES or embed.tag == "request":
        if kind is AddressKind.PICTURE:
            return Manner.SHOWN
        if kind is AddressKind.UNCLEAR and not unseen:
            return Manner.UNKNOWN if embed.doubt or page.facts.outside_styles else Manner.SHOWN
        return Manner.HIDDEN if certain and kind is AddressKind.CLICK else Manner.LOADS
    proves = kind is AddressKind.CLICK or (embed.tag in _DOCUMENTS and kind is AddressKind.UNCLEAR)
    return Manner.HIDDEN if certain and proves else Manner.LOADS


def _leads_on(visit: Visit, embed: Embed, linked: frozenset[str]) -> bool:
    """Whether a hidden element opens an address of the site itself that may redirect to a tracking link and was not visited."""
    if not embed.hidden or owner_of(host_of(embed.url)) != visit.domain or embed.url in {page.snapshot.url for page in visit.site.pages}:
        return False
    clicks = embed.tag in _PICTURES | {"request"} and address_kind(embed.url, frozenset()) is AddressKind.CLICK
    return embed.tag in _DOCUMENTS or clicks


def _unread_scripts(visit: Visit) -> Iterator[str]:
    """Scripts that name a tracking host of the program in a way that could not be read."""
    hosts = visit.profile.tracking_hosts if visit.profile else ()
    for page in visit.site.pages:
        for host in page.facts.script_hosts:
            if within(host, hosts):
                yield f"a script on {page.snapshot.url} names {host} and what it does with it could not be read"


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
    count = sum(len(visit.affiliate_links(page)) for page in pages)
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
    links = [(page, link) for page in visit.readable for link in visit.affiliate_links(page)]
    networks = sorted({link.network for _, link in links})
    return Observation(
        text=f"{count} affiliate link(s) of {', '.join(networks)}: {density:.1f} per 100 words, {share:.0%} of the links to other sites.",
        value={"links": count, "networks": networks, "per_100_words": round(density, 2), "share": round(share, 4)},
        baseline={"per_100_words": limits["maximum_per_100_words"], "share": limits["maximum_share"]},
        sample_size=count,
        evidence=tuple(evidence_of(page, link.excerpt, network=link.network) for page, link in links[:5]),
    )
