"""What a dossier shows of the facts: the applicant, the program's terms and each visit, without the pages' texts."""

from __future__ import annotations

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
    }


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
