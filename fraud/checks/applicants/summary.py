"""What a dossier shows of the facts: the applicant, the program's terms and each visit, without the pages' texts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from crawlers.facts import SiteFacts, VisitedPage
from fraud.checks.applicants.context import VettingFacts
from fraud.domain.clock import isoformat
from fraud.domain.hashing import canonical_json

_LISTED = 50  # entries of one kind; the whole is kept with the decision


def summary(facts: VettingFacts) -> dict[str, Any]:
    """The facts for a reader, as plain JSON values; personal values are hashes already."""
    return {
        "as_of": isoformat(facts.as_of),
        "application": msgspec.json.decode(canonical_json(facts.application)),
        "program": facts.profile.name if facts.profile else "",
        "sites": [_site(site) for site in facts.sites],
        "failed_visits": list(facts.failed_visits),
        "audience": _audience(facts),
    }


def _audience(facts: VettingFacts) -> dict[str, Any]:
    """What is known of the audience, without texts of posts and reviews."""
    audience = facts.audience
    return {
        "proof": audience.proof,
        "backlinks": _plain(audience.backlinks, ("pages",)),
        "links": [_plain(one) for one in audience.links or ()],
        "profiles": [_plain(one, ("recent", "history")) for one in (audience.profiles or ())[:_LISTED]],
        "authorities": [_plain(one) for one in audience.authorities or ()],
        "review_pages": [_plain(one, ("reviews",)) for one in audience.review_pages or ()],
        "review_file": _plain(audience.review_file, ("reviews",)),
        "asked": [{"source": source, "asked_at": moment, "age_days": _age(facts, moment)} for source, moment in _asked(facts)],
    }


def _asked(facts: VettingFacts) -> list[tuple[str, str]]:
    """When each outside source was asked: an answer may be kept for some days."""
    audience = facts.audience
    moments = [(one.stated, one.asked_at) for one in audience.profiles or ()]
    moments += [(one.url, one.fetched_at) for one in audience.review_pages or ()]
    said = [(f"{one.provider}: {one.domain}", one.asked_at) for one in audience.authorities or () if one.asked_at]
    return [*((source, isoformat(moment)) for source, moment in moments if moment is not None), *said]


def _age(facts: VettingFacts, moment: str) -> float:
    return max(0.0, round((facts.as_of - datetime.fromisoformat(moment)).total_seconds() / 86_400, 2))


def _plain(facts: msgspec.Struct | None, without: tuple[str, ...] = ()) -> dict[str, Any] | None:
    if facts is None:
        return None
    kept: dict[str, Any] = msgspec.json.decode(canonical_json(facts))
    return {name: value for name, value in kept.items() if name not in without}


def _site(site: SiteFacts) -> dict[str, Any]:
    failure = site.failure
    return {
        "requested_url": site.requested_url,
        "final_url": site.final_url,
        "registrable_domain": site.registrable_domain,
        "reachable": site.reachable,
        "failure": {"kind": failure.kind, "message": failure.message, "url": failure.url} if failure else None,
        "hops": [{"url": hop.url, "status": hop.status, "location": hop.location} for hop in site.hops],
        "pages": [_page(page) for page in site.pages],
        "failures": [{"url": other.url, "kind": other.kind, "message": other.message} for other in site.failures[:_LISTED]],
        **{name: listed[:_LISTED] for name, listed in _across(site).items()},
    }


def _page(page: VisitedPage) -> dict[str, Any]:
    seen, facts = page.snapshot, page.facts
    return {
        "url": seen.url,
        "status": seen.status,
        "fetched_at": isoformat(seen.fetched_at),
        "sha256": seen.sha256,
        "title": facts.title,
        "words": facts.word_count,
        "language": facts.detected_language or facts.declared_language,
        "scripts_needed": facts.scripts_needed,
    }


def _across(site: SiteFacts) -> dict[str, list[Any]]:
    """What was found over all pages of a site, each thing once."""
    pages = [page.facts for page in site.pages]
    return {
        "affiliate_networks": sorted({link.network for page in pages for link in page.affiliate_links}),
        "social_profiles": sorted({profile.url for page in pages for profile in page.social_profiles}),
        "identity_pages": sorted({entry.url for page in pages for entry in page.identity_pages}),
        "trackers": sorted({f"{tracker.kind} {tracker.value}" for page in pages for tracker in page.trackers}),
        "generators": sorted({page.generator for page in pages if page.generator}),
    }
