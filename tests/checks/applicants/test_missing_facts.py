"""Missing is unknown: taking facts away never turns an inconclusive signal into a finding."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.facts import AffiliateLink, Embed, Failure, ParkingSign, SiteFacts, SocialProfile, VisitedPage
from fraud.checks.applicants.context import VettingFacts
from fraud.checks.running import run_applicant_checks
from fraud.domain.signals import Status
from tests.checks.applicants.samples import NOW, PACK, facts, page, profile, shell, site, unreachable

WORDS = st.sampled_from([0, 10, 60, 120, 200, 400, 2000])
LANGUAGES = st.sampled_from([("en", 0.99), ("de", 0.99), ("de", 0.3), ("", None)])
SIGNS = st.sampled_from(
    [(), (ParkingSign(kind="sale_phrase"),), (ParkingSign(kind="provider_script"), ParkingSign(kind="title_is_domain"))]
)
LINKS = st.sampled_from([(), (AffiliateLink(url="https://amzn.to/x", network="amazon_short", text="tent"),) * 6])
EMBEDS = st.sampled_from([(), (Embed(tag="iframe", url="https://go.acmeoutdoor.com/c/1", hidden=True),)])
PROFILES = st.sampled_from([(), (SocialProfile(platform="x", handle="trail", url="https://x.com/trail"),)])
TEXTS = st.sampled_from(["", "We went hiking with tents. " * 40, "Soup and onions. " * 40, "word " * 4000])
URLS = ("https://trailnotes.example/", "https://acmeoutdoor.com/", "https://acmeoutdoor-deals.com/")


@st.composite
def pages(draw: st.DrawFn, number: int) -> VisitedPage:
    made = shell if draw(st.integers(0, 3)) == 0 else page
    language, confidence = draw(LANGUAGES)
    changes = {
        "detected_language": language,
        "language_confidence": confidence,
        "declared_language": draw(st.sampled_from(["", "en", "de"])),
        "parking_signs": draw(SIGNS),
        "affiliate_links": draw(LINKS),
        "embeds": draw(EMBEDS),
        "social_profiles": draw(PROFILES),
    }
    if made is page:
        changes |= {"word_count": draw(WORDS), "text": draw(TEXTS)}
        changes |= {} if draw(st.booleans()) else {"identity_pages": ()}
    return made(str(number) if number else "", **changes)


@st.composite
def sites(draw: st.DrawFn, url: str) -> SiteFacts:
    if draw(st.integers(0, 4)) == 0:
        return unreachable(url)
    kept = [draw(pages(number)) for number in range(draw(st.integers(1, 4)))]
    late = (Failure(url=url + "late", kind="timeout"),) if draw(st.booleans()) else ()
    return site(*kept, requested_url=url, failures=late, random_path_same_as_home=draw(st.sampled_from([None, False, True])))


@st.composite
def cases(draw: st.DrawFn) -> VettingFacts:
    chosen = draw(st.lists(st.sampled_from(URLS), max_size=2, unique=True))
    program = draw(st.sampled_from([None, profile(), profile(languages=()), profile(brand_terms=(), requires_disclosure=True)]))
    stated = draw(st.sampled_from([(), ("https://x.com/trail",), ("@trail", "@other")]))
    email = draw(st.sampled_from(["", "me@gmail.com", "me@trailnotes.example", "me@agency.example", "me@mailinator.com"]))
    return facts(*(draw(sites(url)) for url in chosen), profile=program, social_profiles=stated or ("@trail",), email=email)


Removal = Callable[[VettingFacts], VettingFacts]


def without_profile(seen: VettingFacts) -> VettingFacts:
    return msgspec.structs.replace(seen, profile=None)


def without_terms(*names: str) -> Removal:
    def remove(seen: VettingFacts) -> VettingFacts:
        if seen.profile is None:
            return seen
        return msgspec.structs.replace(seen, profile=msgspec.structs.replace(seen.profile, **dict.fromkeys(names, ())))

    return remove


def without_email(seen: VettingFacts) -> VettingFacts:
    return msgspec.structs.replace(seen, application=msgspec.structs.replace(seen.application, email_domain="", email_kind=None))


def without_the_last_site(seen: VettingFacts) -> VettingFacts:
    return msgspec.structs.replace(seen, sites=seen.sites[:-1])


def unanswered(seen: VettingFacts) -> VettingFacts:
    return msgspec.structs.replace(seen, sites=tuple(unreachable(each.requested_url) for each in seen.sites))


def without_the_last_page(seen: VettingFacts) -> VettingFacts:
    return msgspec.structs.replace(seen, sites=tuple(_shorter(each) for each in seen.sites))


def _shorter(each: SiteFacts) -> SiteFacts:
    if len(each.pages) < 2:
        return unreachable(each.requested_url)
    lost = Failure(url=each.pages[-1].snapshot.url, kind="budget", message="out of time")
    return msgspec.structs.replace(each, pages=each.pages[:-1], failures=(*each.failures, lost))


def without_languages(seen: VettingFacts) -> VettingFacts:
    return _with_pages(seen, detected_language="", language_confidence=None, declared_language="")


def without_probes(seen: VettingFacts) -> VettingFacts:
    return msgspec.structs.replace(
        seen, sites=tuple(msgspec.structs.replace(each, random_path_status=None, random_path_same_as_home=None) for each in seen.sites)
    )


def _with_pages(seen: VettingFacts, **changes: object) -> VettingFacts:
    def changed(each: SiteFacts) -> SiteFacts:
        kept = tuple(msgspec.structs.replace(p, facts=msgspec.structs.replace(p.facts, **changes)) for p in each.pages)
        return msgspec.structs.replace(each, pages=kept)

    return msgspec.structs.replace(seen, sites=tuple(changed(each) for each in seen.sites))


REMOVALS = [
    without_profile,
    without_terms("languages"),
    without_terms("keywords"),
    without_terms("domains"),
    without_terms("brand_terms", "tracking_hosts"),
    without_email,
    without_the_last_site,
    unanswered,
    without_the_last_page,
    without_languages,
    without_probes,
]


def statuses(seen: VettingFacts) -> dict[tuple[str, str], Status]:
    return {(signal.check_id, signal.subject): signal.status for signal in run_applicant_checks(PACK, seen)}


@settings(deadline=None)
@given(cases(), st.lists(st.sampled_from(REMOVALS), min_size=1, max_size=4))
def test_taking_facts_away_never_makes_a_finding_of_what_was_unknown(
    seen: VettingFacts, removals: list[Callable[[VettingFacts], VettingFacts]]
) -> None:
    before = statuses(seen)
    for remove in removals:
        seen = remove(seen)
        after = statuses(seen)
        assert not [key for key, status in before.items() if status is Status.INCONCLUSIVE and after.get(key) is Status.FINDING]
        before = after


@settings(deadline=None)
@given(cases())
def test_no_check_ever_breaks(seen: VettingFacts) -> None:
    assert Status.ERROR not in statuses(seen).values()
    assert seen.as_of == NOW
