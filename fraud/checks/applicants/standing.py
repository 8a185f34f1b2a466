"""How a site stands: kept up to date, made for readers rather than for advertisements, ranked as claimed, proved to be theirs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from crawlers.backlinks.facts import Authority
from fraud.checks.applicants.context import Visit, evidence_of, only_scripts
from fraud.checks.applicants.names import within
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal

_FRESH = CHECKS["website.freshness"]
_ADS = CHECKS["website.made_for_ads"]
_RANK = CHECKS["website.rank"]
_PROVED = CHECKS["website.ownership"]
_ANY = CHECKS["website.any_address_answers"]

CLICKBAIT = frozenset({"outbrain", "taboola", "revcontent", "mgid"})
_POPS = "pop_advertising"
_TOMORROW = timedelta(days=2)  # clocks and time zones; a later date is a promise, not a change


def any_address_answers(visit: Visit, limits: Limits) -> Signal:
    """W03: a path and a host that nobody made; a shell drawn by scripts answers alike by design."""
    path, host = visit.site.random_path_same_as_home, visit.site.random_subdomain_same_as_home
    if path is None and host is None:
        return _ANY.not_applicable(visit.subject, "No made-up address was tried, or none was answered.")
    seen = Observation(
        text=f"A made-up path {_answers(path)}; a made-up host {_answers(host)}.",
        value={"path": path, "status": visit.site.random_path_status, "host": host},
        evidence=(evidence_of(visit.home),),
    )
    if not (path or host) or visit.home.facts.scripts_needed:
        return _ANY.clear(visit.subject, seen)
    return _ANY.finding(visit.subject, Severity.MEDIUM if path and host else Severity.LOW, seen)


def _answers(same: bool | None) -> str:
    return "was not tried" if same is None else "gets the home page too" if same else "does not get the home page"


def freshness(visit: Visit, limits: Limits) -> Signal:
    """W20: the newest date of sitemap, feed and pages, else the end of the copyright year."""
    newest = _newest(visit)
    if newest is None:
        if not visit.readable:
            return _FRESH.inconclusive(visit.subject, only_scripts("dates"))
        return _FRESH.not_applicable(visit.subject, "The pages that were read state no dates.")
    days = max((visit.facts.as_of - newest).days, 0)
    seen = Observation(
        text=f"The newest date is {newest.date().isoformat()}, {days} days ago.",
        value=days,
        baseline=limits["maximum_days"],
        unit="days",
        evidence=(evidence_of(visit.home, newest=newest.date().isoformat()),),
    )
    return _FRESH.finding(visit.subject, Severity.LOW, seen) if days > limits["maximum_days"] else _FRESH.clear(visit.subject, seen)


def _newest(visit: Visit) -> datetime | None:
    latest = visit.facts.as_of + _TOMORROW
    stated = [moment for page in visit.site.pages for moment in page.facts.dates]
    if visit.site.sitemap and visit.site.sitemap.newest:
        stated.append(visit.site.sitemap.newest)
    years = [year for page in visit.site.pages if (year := page.facts.copyright_year)]
    past = [moment for moment in stated if moment <= latest]
    if past or not years:
        return max(past, default=None)
    return min(datetime(max(years), 12, 31, tzinfo=UTC), visit.facts.as_of)


def made_for_ads(visit: Visit, limits: Limits) -> Signal:
    """W24: signs that must come together, since each of them alone is an honest newspaper's."""
    pages = visit.readable
    if not pages:
        return _ADS.inconclusive(visit.subject, only_scripts("ad places"))
    words = sum(page.facts.word_count for page in pages)
    slots = [page.facts.ad_slots for page in pages]
    services = {name for page in pages for name in page.facts.ad_services}
    ads = visit.site.ads_txt
    lines = ads.direct + ads.reseller if ads else 0
    signs = {
        "many ad places for the words": 1000 * sum(slots) / max(words, 1) > limits["maximum_per_1000"],
        "many ad places on a page": max(slots) > limits["maximum_slots"],
        "a long ads.txt of resellers": lines > limits["maximum_lines"]
        and ads is not None
        and ads.reseller / lines > limits["reseller_share"],
        "pages that reload themselves": any(page.facts.reloads_after is not None for page in pages),
        "widgets of clickbait": bool(services & CLICKBAIT),
        "pop-under advertising": _POPS in services,
    }
    shown = [name for name, seen in signs.items() if seen]
    seen = Observation(
        text=f"{sum(slots)} ad place(s) for {words} words; {', '.join(shown) or 'no sign of a site made for advertisements'}.",
        value={"signs": shown, "slots": sum(slots), "services": sorted(services)},
        baseline=limits["minimum_signs"],
        sample_size=len(pages),
        evidence=tuple(evidence_of(page, ad_slots=page.facts.ad_slots) for page in pages[:3]),
    )
    if len(shown) < limits["minimum_signs"]:
        return _ADS.clear(visit.subject, seen)
    return _ADS.finding(visit.subject, Severity.HIGH if len(shown) > limits["minimum_signs"] else Severity.MEDIUM, seen)


def rank(visit: Visit, limits: Limits) -> Signal:
    """W25: the place in the rank list that was given, else what a service says, against the claimed visits."""
    place, claimed = visit.around.rank, visit.facts.application.claimed_monthly_visits
    asked = [one for one in visit.facts.audience.authorities or () if one.domain == visit.domain]
    if place is None and asked and all(one.failure for one in asked):
        return _RANK.inconclusive(visit.subject, "; ".join(f"{one.provider}: {one.failure}" for one in asked))
    if place is None and not asked:
        return _RANK.not_applicable(visit.subject, "No rank list was given.")
    told = [one for one in asked if not one.failure]
    claim = "no visits claimed" if claimed is None else f"{claimed:,} monthly visits claimed"
    said = [] if place is None else [f"is place {place:,} of the rank list" if place else "is not on the rank list"]
    seen = Observation(
        text=f"{visit.domain} {'; '.join([*said, *map(_authority, told)])}; {claim}.",
        value={"rank": place, "claimed": claimed, **{one.provider: one.score for one in told}},
        baseline=limits["minimum_visits"],
        evidence=(evidence_of(visit.home, rank=place), *(Evidence(detail=_detail(one)) for one in told)),
    )
    little = place == 0 if place is not None else _little_known(told, limits)
    unlikely = claimed is not None and claimed >= limits["minimum_visits"] and little
    return _RANK.finding(visit.subject, Severity.LOW, seen) if unlikely else _RANK.clear(visit.subject, seen)


def _little_known(told: list[Authority], limits: Limits) -> bool:
    """Whether every service that answered has next to nothing to say of the domain."""
    scores = [one.score / one.scale for one in told if one.score is not None and one.scale]
    few = all(one.referring_domains is None or one.referring_domains < limits["minimum_referring"] for one in told)
    return bool(scores) and max(scores) < limits["minimum_authority"] and few


def _authority(one: Authority) -> str:
    more = [] if one.rank is None else [f"place {one.rank:,}"]
    more += [] if one.referring_domains is None else [f"{one.referring_domains:,} referring domains"]
    told = f" ({', '.join(more)})" if more else ""
    return f"has {one.score:g} of {one.scale:g} at {one.provider}{told}"


def _detail(one: Authority) -> dict[str, Any]:
    kept: dict[str, Any] = msgspec.to_builtins(one)
    return kept


def ownership(visit: Visit, limits: Limits) -> Signal:
    """Ownership proof: the applicant's code in a TXT record, a meta element, the agreed file, or a link to a page of the program."""
    nonce = visit.around.nonce
    if not nonce:
        return _PROVED.not_applicable(visit.subject, "No code was given out for this website.")
    places = proved_at(visit, nonce)
    if not places:
        text = (
            f"Not proved. To prove it, put {nonce} into a TXT record, an affiliate-proof meta element, or /.well-known/affiliate-proof.txt."
        )
        return _PROVED.not_applicable(visit.subject, text)
    evidence = (Evidence(url=visit.site.final_url, fetched_at=visit.site.finished_at, detail={"places": places}),)
    return _PROVED.clear(visit.subject, Observation(text=f"The code was found in {', '.join(places)}.", value=places, evidence=evidence))


def proved_at(visit: Visit, nonce: str) -> list[str]:
    """The agreed places that hold the code."""
    dns, domains = visit.site.dns, visit.profile.domains if visit.profile else ()
    links = (link for page in visit.site.pages for link in page.facts.links if within(link.host, domains))
    held = {
        "a DNS record": dns is not None and any(nonce in text for text in dns.texts),
        "a meta element": nonce in visit.home.facts.proof_tokens,
        "a file": nonce in (visit.site.proof_file or "").split(),
        "a link": any(nonce in link.url for link in links),
    }
    return [place for place, holds in held.items() if holds]
