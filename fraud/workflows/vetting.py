"""Vetting: visit an applicant's sites, run the checks, decide, and freeze all of it, so that the same answer can be computed again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec
import structlog

from crawlers.backlinks.facts import Authority
from crawlers.errors import CrawlError, LookupFailed
from crawlers.facts import DnsFacts, Failure, Hop, SiteFacts
from crawlers.reading.affiliate import network_of
from crawlers.review_facts import ReviewPage
from crawlers.social.facts import ProfileFacts
from fraud.checks.applicants.context import Applicant, Surroundings, VettingFacts, as_builtins, from_builtins, protected
from fraud.checks.applicants.summary import summary
from fraud.checks.plugins import replacements
from fraud.checks.running import run_applicant_checks
from fraud.decisions.deciding import decide_application
from fraud.decisions.facts import application_facts
from fraud.domain.clock import as_utc
from fraud.domain.decisions import Artefact, Decision, DecisionKind, SubjectKind, Verdict
from fraud.domain.dossiers import Dossier
from fraud.domain.graph_view import KnownMatch
from fraud.domain.ids import new_id
from fraud.domain.networks import AddressReader
from fraud.domain.programs import Application, ProgramProfile
from fraud.errors import ReplayError
from fraud.policy.pack import Pack
from fraud.workflows.applications import verified
from fraud.workflows.asking import DearSource, completed
from fraud.workflows.audience import AudienceTools, audience_of
from fraud.workflows.contacts import KnownList

SIDE_BY_SIDE = 8
"""Applications in work at once; politeness and the number of requests in flight are the crawler's own business."""

_log = structlog.get_logger(__name__)


class Memory(Protocol):
    """What the workspace knows of websites, and how it learns of new ones."""

    def surroundings(self, applicant: Applicant, site: SiteFacts) -> Surroundings:
        """Earlier applicants' sites that are like this one, lists it is on, and the code that proves it."""
        ...

    def remember(self, applicant: Applicant, site: SiteFacts) -> None:
        """Keeps the site's print, so that later applicants are compared with it."""
        ...


class ProfileModel(Protocol):
    """A model of what profiles' counts look like: how decisions name it, and the risk 0..1 it gives (None: no count is known)."""

    @property
    def artefact(self) -> Artefact:
        """Its name and hash."""
        ...

    def risk(self, one: ProfileFacts) -> float | None:
        """The risk of one profile."""
        ...


@dataclass(frozen=True)
class VettingTools:
    """What a vetting works with: `collect` visits one website, `pepper` keys the hashes of personal values.

    `memory` is what the workspace knows of websites, `mail_records` finds the records of an e-mail address's domain, `acquaintances` the
    affiliates and earlier applicants who state the same as an applicant, `profile` looks one social profile up, `address_reader` knows
    networks, `known_list` is the program's own list, `review_page` reads a review service's page; without them those facts stay unknown.
    `authorities` asks free services how well known domains are, `profile_model` was fitted on the operator's own profiles. `dear` are the
    sources that cost time or money, the cheaper first.
    """

    collect: Callable[[str], Awaitable[SiteFacts]]
    actor_id: str
    pepper: bytes
    now: Callable[[], datetime]
    memory: Memory | None = None
    mail_records: Callable[[str], Awaitable[DnsFacts]] | None = None
    acquaintances: Callable[[Application], tuple[KnownMatch, ...] | None] | None = None
    profile: Callable[[str], Awaitable[ProfileFacts]] | None = None
    address_reader: AddressReader | None = None
    known_list: KnownList | None = None
    review_page: Callable[[ReviewPage], Awaitable[ReviewPage]] | None = None
    authorities: Callable[[tuple[str, ...]], Awaitable[tuple[Authority, ...]]] | None = None
    profile_model: ProfileModel | None = None
    dear: tuple[DearSource, ...] = ()


@dataclass(frozen=True)
class VettingOutcome:
    """One application, vetted: the application with its id, the decision to keep, and the dossier to show."""

    application: Application
    decision: Decision
    dossier: Dossier


async def vet(application: Application, profile: ProgramProfile | None, pack: Pack, tools: VettingTools) -> VettingOutcome:
    """Vets one application. Sites that cannot be read give inconclusive signals, never an error; a `ProfileError` when it names none."""
    application = verified(application, f"application {application.application_id or 'without an id'}")
    as_of = as_utc(tools.now())
    visits = [(website, await _visited(website, tools)) for website in application.websites]
    sites = tuple(site for _, site in visits if site is not None)
    applicant = protected(application, tools.pepper)
    facts = VettingFacts(
        application=applicant,
        profile=profile,
        sites=sites,
        failed_visits=tuple(website for website, site in visits if site is None),
        networks=_networks(sites),
        surroundings=_surroundings(applicant, sites, tools.memory),
        mail=await tools.mail_records(applicant.email_domain) if tools.mail_records and applicant.email_domain else None,
        known=tools.acquaintances(application) if tools.acquaintances else None,
        audience=await audience_of(
            application, sites, AudienceTools(tools.pepper, tools.profile, tools.address_reader, tools.known_list, tools.review_page)
        ),
        as_of=as_of,
    )
    decision = _decision(await completed(facts, pack, tools.dear), pack, tools)
    return VettingOutcome(application=application, decision=decision, dossier=dossier_of(decision))


def _audience_tools(tools: VettingTools) -> AudienceTools:
    return AudienceTools(
        pepper=tools.pepper,
        profile=tools.profile,
        networks=tools.address_reader,
        known=tools.known_list,
        review_page=tools.review_page,
        authorities=tools.authorities,
        profile_risk=tools.profile_model.risk if tools.profile_model else None,
    )


class Listener(Protocol):
    """Is told of every application as it ends, so that nothing of it has to be held until the last one."""

    def finished(self, outcome: VettingOutcome) -> None:
        """An application was vetted."""
        ...

    def broke(self, application: Application, fault: Exception) -> None:
        """An application could not be vetted; the others go on."""
        ...


async def vet_each(
    applications: Iterable[Application], profile: ProgramProfile | None, pack: Pack, tools: VettingTools, listener: Listener
) -> None:
    """Vets applications, at most eight at once, and hands each outcome on as it ends: memory does not grow with their number."""
    waiting = iter(applications)

    async def work() -> None:
        for application in waiting:
            try:
                outcome = await vet(application, profile, pack, tools)
            except Exception as fault:
                _log.exception("vetting_broke", application_id=application.application_id)
                listener.broke(application, fault)
            else:
                listener.finished(outcome)

    async with asyncio.TaskGroup() as group:
        for _ in range(SIDE_BY_SIDE):
            group.create_task(work())


async def vet_many(
    applications: Sequence[Application], profile: ProgramProfile | None, pack: Pack, tools: VettingTools, side_by_side: int = SIDE_BY_SIDE
) -> list[VettingOutcome]:
    """Vets applications, at most `side_by_side` at once; the outcomes come in the applications' order."""
    places = asyncio.Semaphore(side_by_side)

    async def one(application: Application) -> VettingOutcome:
        async with places:
            return await vet(application, profile, pack, tools)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(application)) for application in applications]
    return [task.result() for task in tasks]


def replay_vetting(decision: Decision, pack: Pack) -> Verdict:
    """The verdict of a stored vetting, computed from its inputs alone; a `ReplayError` when they are not there or not whole."""
    facts = facts_of(decision)
    return decide_application(
        pack, run_applicant_checks(pack, facts), application_facts(facts.application, pack.profile_under(facts.profile))
    )


def facts_of(decision: Decision) -> VettingFacts:
    """What the checks saw when the decision was made; a `ReplayError` when that is not kept."""
    if decision.kind is not DecisionKind.VET:
        raise ReplayError(f"Decision {decision.decision_id} is no vetting but a {decision.kind.value}, and cannot be replayed as one.")
    if not decision.inputs:
        raise ReplayError(f"The inputs of decision {decision.decision_id} have been erased, so it cannot be computed again.")
    try:
        return from_builtins(decision.inputs)
    except msgspec.ValidationError as fault:
        raise ReplayError(
            f"The inputs of decision {decision.decision_id} are not whole ({fault}), so it cannot be computed again."
        ) from fault


def dossier_of(decision: Decision) -> Dossier:
    """The dossier of a vetting, from its decision alone."""
    verdict = decision.verdict
    return Dossier(
        application_id=decision.subject_id,
        program_id=decision.program_id,
        decision_id=decision.decision_id,
        as_of=decision.as_of,
        outcome=verdict.outcome,
        score=verdict.score,
        coverage=verdict.coverage,
        typologies=verdict.typologies,
        signals=decision.signals,
        public_reason=verdict.public_reason,
        needed=verdict.needed,
        policy=decision.policy,
        models=decision.models,
        facts=summary(facts_of(decision)),
    )


async def _visited(website: str, tools: VettingTools) -> SiteFacts | None:
    """The visit to one website under the name it was given by, or `None` when the collector itself broke (which the log tells)."""
    try:
        site = await tools.collect(website)
    except LookupFailed as failed:
        site = SiteFacts(requested_url=website, failure=failed.failure(), hops=failed.hops)
    except CrawlError as refused:
        site = SiteFacts(requested_url=website, failure=Failure(url=website, kind="connect", message=refused.message))
    except Exception:
        _log.exception("visit_failed", website=website)
        return None
    return msgspec.structs.replace(site, requested_url=website)


def _surroundings(applicant: Applicant, sites: Sequence[SiteFacts], memory: Memory | None) -> dict[str, Surroundings]:
    """What is known of each site, before any of them is remembered: an applicant's own sites are no earlier ones."""
    if memory is None:
        return {}
    known = {site.requested_url: memory.surroundings(applicant, site) for site in sites}
    for site in sites:
        if site.pages:
            memory.remember(applicant, site)
    return known


def _chains(site: SiteFacts) -> Iterator[tuple[Hop, ...]]:
    """Every chain of redirects that was met on a visit."""
    yield site.hops
    yield from (variant.hops for variant in site.variants or ())
    yield from (followed.hops for followed in site.followed or ())


def _networks(sites: Sequence[SiteFacts]) -> dict[str, str]:
    chains = [hops for site in sites for hops in _chains(site)]
    passed = dict.fromkeys(hop.location for hops in chains for hop in hops if hop.location)
    return {url: network for url in passed if (network := network_of(url))}


def _profile_model(facts: VettingFacts, tools: VettingTools) -> tuple[Artefact, ...]:
    """The model of profiles where it was used."""
    return (tools.profile_model.artefact,) if tools.profile_model and facts.audience.profile_risks else ()


def _decision(facts: VettingFacts, pack: Pack, tools: VettingTools) -> Decision:
    """The frozen decision. The checks see the facts as they will be read back, so that a replay cannot see others."""
    inputs = as_builtins(facts)
    signals = run_applicant_checks(pack, from_builtins(inputs))
    now = as_utc(tools.now())
    return Decision(
        decision_id=new_id("dec", now),
        program_id=facts.application.program_id,
        kind=DecisionKind.VET,
        subject_kind=SubjectKind.APPLICATION,
        subject_id=facts.subject,
        as_of=facts.as_of,
        decided_at=now,
        decided_by=tools.actor_id,
        verdict=decide_application(pack, signals, application_facts(facts.application, pack.profile_under(facts.profile))),
        signals=signals,
        policy=pack.artefact,
        models=(*_profile_model(facts, tools), *(one.artefact for one in replacements())),
        inputs=inputs,
        evidence_manifest=tuple(dict.fromkeys(page.snapshot.sha256 for site in facts.sites for page in site.pages)),
    )
