"""Collects what is known of an applicant's audience and stated identity, for the checks to judge."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from crawlers.backlinks.facts import Authority, BacklinkFacts
from crawlers.backlinks.profile import About, read_profile
from crawlers.backlinks.verify import VerifyMeans, look_for_links
from crawlers.facts import SiteFacts
from crawlers.review_facts import ReviewPage
from crawlers.review_files import read_reviews
from crawlers.review_pages import linked_pages
from crawlers.social.facts import ProfileFacts, ProfileState
from crawlers.social.files import UnreadableProfiles, read_profiles
from fraud.checks.applicants.audience import Audience
from fraud.checks.applicants.context import VettingFacts
from fraud.checks.applicants.names import host_of, owner_of
from fraud.checks.applicants.social import own_domains
from fraud.domain.hashing import keyed_hash
from fraud.domain.networks import AddressReader
from fraud.domain.programs import Application
from fraud.domain.signals import Severity
from fraud.errors import InputError
from fraud.workflows.asking import Asking, DearSource
from fraud.workflows.contacts import KnownList, phone_facts, signup_facts

MOST_PROFILES = 20
"""Stated profiles that are looked up."""


Asker = Callable[[tuple[str, ...]], Awaitable[tuple[Authority, ...]]]
"""Asks services how well known domains are: one answer for each service and domain, never an exception for what a service causes."""


@dataclass(frozen=True)
class AudienceTools:
    """What collecting works with: `pepper` keys the code of proof, `profile` looks one social profile up, `networks` knows addresses,
    `known` is the program's own list, `review_page` reads the page of a review service, `authorities` asks free services how well
    known domains are, `profile_risk` is the operator's own model of profiles; None where there is none."""

    pepper: bytes
    profile: Callable[[str], Awaitable[ProfileFacts]] | None = None
    networks: AddressReader | None = None
    known: KnownList | None = None
    review_page: Callable[[ReviewPage], Awaitable[ReviewPage]] | None = None
    authorities: Asker | None = None
    profile_risk: Callable[[ProfileFacts], float | None] | None = None


async def audience_of(application: Application, sites: Sequence[SiteFacts], tools: AudienceTools) -> Audience:
    """What can be known of the audience; a source that fails says so in its facts."""
    profiles = await profiles_of(application, tools)
    return Audience(
        backlinks=await backlinks_of(application, sites),
        profiles=profiles,
        profile_risks=risks_of(profiles or (), tools),
        proof=proof_code(tools.pepper, application.application_id) if application.application_id else "",
        phone=phone_facts(application),
        signup=signup_facts(application, tools.networks),
        review_pages=await review_pages_of(sites, tools),
        authorities=await tools.authorities(site_domains(sites)) if tools.authorities and sites else None,
        review_file=await asyncio.to_thread(read_reviews, Path(application.reviews_file)) if application.reviews_file else None,
        listed=tools.known.of(application) if tools.known else None,
    )


def risks_of(profiles: Sequence[ProfileFacts], tools: AudienceTools) -> dict[str, float] | None:
    """The risk of each profile that exists, under the operator's own model; None without one."""
    if tools.profile_risk is None:
        return None
    seen = {one.stated: tools.profile_risk(one) for one in profiles if one.state is ProfileState.FOUND}
    return {stated: risk for stated, risk in seen.items() if risk is not None}


async def review_pages_of(sites: Sequence[SiteFacts], tools: AudienceTools) -> tuple[ReviewPage, ...] | None:
    """The pages of review services that the sites link to, read one after the other; None where nobody reads them."""
    if tools.review_page is None:
        return None
    return tuple([await tools.review_page(page) for site in sites for page in linked_pages(site)])


async def profiles_of(application: Application, tools: AudienceTools) -> tuple[ProfileFacts, ...] | None:
    """The stated profiles looked up, one after the other and each once; None where nobody looks."""
    if tools.profile is None or not application.social_profiles:
        return None
    stated = list(dict.fromkeys(application.social_profiles))[:MOST_PROFILES]
    supplied = supplied_profiles(application)
    return tuple([_better(await tools.profile(one), supplied) for one in stated])


def supplied_profiles(application: Application) -> dict[tuple[str, str], ProfileFacts]:
    """The figures that the operator supplied with an application, by platform and handle; an `InputError` when the file holds none."""
    if not application.profiles_file:
        return {}
    try:
        return read_profiles(Path(application.profiles_file))
    except UnreadableProfiles as fault:
        raise InputError(f"profiles_file: {fault.message}") from fault


def _better(seen: ProfileFacts, supplied: Mapping[tuple[str, str], ProfileFacts]) -> ProfileFacts:
    """What was seen, or what the operator supplied where nothing could be; a history of followers counts in either case."""
    known = supplied.get((seen.platform, seen.handle.lower()))
    if known is None:
        return seen
    if seen.state in {ProfileState.UNVERIFIED, ProfileState.UNKNOWN}:
        return msgspec.structs.replace(known, stated=seen.stated)
    return msgspec.structs.replace(seen, history=known.history) if seen.state is ProfileState.FOUND else seen


def proof_code(pepper: bytes, application_id: str) -> str:
    """The code that an applicant puts into a profile's text to prove that it is theirs; the same for ever, and of nobody else."""
    return f"affiliate-proof-{keyed_hash(pepper, 'profile-proof', application_id)[:16]}"


async def backlinks_of(application: Application, sites: Sequence[SiteFacts]) -> BacklinkFacts | None:
    """The profile of the export that came with an application (a path of the operator's), None without one."""
    if not application.backlinks_file:
        return None
    return await asyncio.to_thread(read_profile, Path(application.backlinks_file), about(application, sites))


def about(application: Application, sites: Sequence[SiteFacts]) -> About:
    """Whom a backlink profile is of: the declared and visited domains, the applicant's names, and where the sites' pages link to."""
    urls = [*application.websites, *(site.final_url for site in sites)]
    own = frozenset(owner_of(host) for url in urls if (host := host_of(url)))
    pages = [page for site in sites for page in site.pages]
    linked = {owner_of(link.host) for page in pages for link in page.facts.links if link.host}
    names = tuple(name for name in (application.name, application.company) if name)
    return About(domains=own, brands=names, linked_domains=frozenset(linked - own) if pages else None)


def link_source(means: VerifyMeans, ask: Asking) -> DearSource:
    """The look at a sample of the claimed backlinks: up to 30 pages of as many strangers' sites."""

    async def gather(facts: VettingFacts) -> VettingFacts:
        seen = facts.audience.backlinks
        links = await look_for_links(seen.pages if seen else (), frozenset(own_domains(facts)), means)
        return msgspec.structs.replace(facts, audience=msgspec.structs.replace(facts.audience, links=links))

    return DearSource("audience.live_links", Severity.LOW, has_pages_to_look_at, gather, ask)


def authority_source(ask_for: Asker) -> DearSource:
    """The services that charge for saying how well known a domain is."""

    async def gather(facts: VettingFacts) -> VettingFacts:
        said = await ask_for(site_domains(facts.sites))
        known = (*(facts.audience.authorities or ()), *said)
        return msgspec.structs.replace(facts, audience=msgspec.structs.replace(facts.audience, authorities=known))

    return DearSource("website.rank", Severity.LOW, has_visits_to_compare, gather)


def has_visits_to_compare(facts: VettingFacts) -> bool:
    """Whether visits are claimed that no list and no free service says anything of."""
    ranked = any(around.rank is not None for around in facts.surroundings.values())
    told = any(not one.failure for one in facts.audience.authorities or ())
    return facts.application.claimed_monthly_visits is not None and bool(facts.sites) and not ranked and not told


def site_domains(sites: Sequence[SiteFacts]) -> tuple[str, ...]:
    """The registered names where the visits ended, each once."""
    hosts = (host_of(site.final_url or site.requested_url) for site in sites)
    return tuple(dict.fromkeys(owner_of(host) for host in hosts if host))


def has_pages_to_look_at(facts: VettingFacts) -> bool:
    """Whether there are linking pages drawn that nobody has looked at."""
    return facts.audience.links is None and facts.audience.backlinks is not None and bool(facts.audience.backlinks.pages)
