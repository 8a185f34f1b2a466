"""Applicants and sites made by hand: an honest blog by default, changed where an example needs it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from crawlers.facts import Failure, IdentityPage, PageFacts, SiteFacts, Snapshot, VisitedPage
from fraud.checks.applicants.context import VettingFacts, Visit, protected
from fraud.checks.running import run_applicant_checks
from fraud.domain.programs import Application, ProgramProfile
from fraud.domain.signals import Signal
from fraud.policy.loading import load_pack

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BLOG = "https://trailnotes.example/"
PACK = load_pack()
PROFILE = ProgramProfile(
    name="Acme Outdoor",
    keywords=("hiking", "tents", "camping"),
    domains=("acmeoutdoor.com",),
    brand_terms=("Acmeoutdoor",),
    tracking_hosts=("go.acmeoutdoor.com",),
    languages=("en",),
)


def page(path: str = "", **changes: Any) -> VisitedPage:
    """A page of the blog; `changes` are fields of its facts."""
    url = changes.pop("url", BLOG + path)
    truncated = changes.pop("truncated", False)
    facts = {
        "url": url,
        "title": f"Trail notes {path}",
        "text": f"We went hiking with two tents to {path or 'the lake'}. " * 30,
        "word_count": 270,
        "declared_language": "en",
        "detected_language": "en",
        "language_confidence": 0.99,
        "identity_pages": (IdentityPage(kind="privacy", url=BLOG + "privacy"), IdentityPage(kind="about", url=BLOG + "about")),
    }
    snapshot = Snapshot(url=url, fetched_at=NOW, sha256=(path or "home").ljust(64, "0")[:64], truncated=truncated)
    return VisitedPage(snapshot=snapshot, facts=PageFacts(**(facts | changes)))


def shell(path: str = "", **changes: Any) -> VisitedPage:
    """A page that only scripts fill."""
    empty = {
        "text": "",
        "word_count": 0,
        "scripts_needed": True,
        "detected_language": "",
        "language_confidence": None,
        "identity_pages": (),
    }
    return page(path, **(empty | changes))


def site(*pages: VisitedPage, **changes: Any) -> SiteFacts:
    """The blog with these pages, or with three of its own."""
    kept = pages or (page(), page("lake"), page("ridge"))
    url = changes.pop("requested_url", BLOG)
    fields = {"final_url": url, "registrable_domain": "trailnotes.example", "reachable": True, "started_at": NOW, "finished_at": NOW}
    return SiteFacts(requested_url=url, pages=kept, **(fields | changes))


def unreachable(url: str = BLOG) -> SiteFacts:
    """A site that did not answer."""
    failure = Failure(url=url, kind="timeout", message="The server did not answer within 30 seconds.")
    return SiteFacts(requested_url=url, failure=failure, started_at=NOW, finished_at=NOW)


def facts(*sites: SiteFacts, profile: ProgramProfile | None = PROFILE, **application: Any) -> VettingFacts:
    """The facts of an application for these sites."""
    urls = tuple(each.requested_url for each in sites)
    stated = {"application_id": "app-1", "websites": urls, "email": "me@trailnotes.example"}
    made = Application(**(stated | application))
    return VettingFacts(application=protected(made, b"pepper"), profile=profile, sites=sites, as_of=NOW)


def visit(*pages: VisitedPage, profile: ProgramProfile | None = PROFILE, **changes: Any) -> Visit:
    """A visit to the blog with these pages."""
    seen = site(*pages, **changes)
    return Visit(facts(seen, profile=profile), seen)


def profile(**changes: Any) -> ProgramProfile:
    """The program with other terms."""
    return msgspec.structs.replace(PROFILE, **changes)


def limits(check_id: str) -> dict[str, float]:
    """The shipped thresholds of a check."""
    return dict(PACK.limits(check_id))


def signals(seen: VettingFacts) -> dict[str, Signal]:
    """Every check's signal on an application with one site at most, by check."""
    return {signal.check_id: signal for signal in run_applicant_checks(PACK, seen)}
