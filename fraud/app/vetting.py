"""Vetting, wired: the safe fetcher, the evidence store, the checks and the record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

from crawlers import CrawlSettings, Fetcher, Rdap, Records, Robots, Survey, collect_site
from crawlers.backlinks.providers import Provider, known_providers
from crawlers.backlinks.verify import VerifyMeans
from crawlers.browser import BrowserProbe
from crawlers.cache import FolderCache
from crawlers.errors import SettingsError
from crawlers.facts import SiteFacts
from crawlers.limits import parse_connect_to, parse_host_port, tls_context
from crawlers.rdap import operator_fetcher
from crawlers.review_pages import ReviewMeans, read_review_page
from crawlers.social.collect import ProfileCollector, SocialMeans
from crawlers.warc import warc
from fraud.app.answers import Answers, authorities_once, profiles_once, review_pages_once
from fraud.app.enriching import networks
from fraud.app.graph import Acquaintances
from fraud.app.memory import SiteMemory, prints_of
from fraud.app.parts import App
from fraud.app.plausibility import live_model
from fraud.app.shadowing import shadow
from fraud.app.writing import make_folder, write_dossier
from fraud.domain.actors import DEFAULT_PROGRAM, Actor
from fraud.domain.decisions import Outcome
from fraud.domain.dossiers import Dossier
from fraud.domain.hashing import sha256_of
from fraud.domain.policies import PolicyState
from fraud.domain.programs import Application, ProgramProfile
from fraud.errors import FraudError, InputError
from fraud.policy.pack import Pack
from fraud.settings import Settings
from fraud.storage.answers import AnswerFolder
from fraud.workflows.asking import Asking
from fraud.workflows.audience import authority_source, link_source
from fraud.workflows.batches import Batch, Journal
from fraud.workflows.contacts import KnownList
from fraud.workflows.rescreening import News, news
from fraud.workflows.telling import decision_events
from fraud.workflows.vetting import VettingOutcome, VettingTools, facts_of, vet_each, vet_many

MOST_RESCREENED = 100_000
"""Accepted applicants of one program that are vetted anew."""

IANA = "https://data.iana.org/rdap/dns.json"
"""The bootstrap file that says which registry knows a name (RFC 9224)."""


@dataclass(frozen=True)
class VettingMeans:
    """Who vets, under which pack (empty: the profile's, else the default), and how. `crawl` replaces the settings' way to the web,
    `verify_links` the setting of that name."""

    actor: Actor
    policy: str = ""
    progress: Callable[[str], None] = field(default=lambda _: None)
    crawl: CrawlSettings | None = None
    verify_links: Asking | None = None


def crawl_settings(settings: Settings) -> CrawlSettings:
    """The crawler's settings from ours; an unusable one is an `InputError` that names it."""
    with _named("FRAUD_CRAWL_CONNECT_TO", "connect-to"):
        connect_to = parse_connect_to(settings.crawl_connect_to)
    with _named("FRAUD_CRAWL_DNS", "address"):
        dns = parse_host_port(settings.crawl_dns) if settings.crawl_dns else None
    with _named("FRAUD_CRAWL_CA_FILE", "ca-file"):
        if settings.crawl_ca_file is not None:
            tls_context(settings.crawl_ca_file)
    return CrawlSettings(
        connect_to=connect_to,
        ca_file=settings.crawl_ca_file,
        allow_networks=settings.allowed_networks,
        delay=settings.crawl_delay,
        dns=dns,
    )


@contextmanager
def _named(setting: str, inner: str) -> Iterator[None]:
    """Tells of an unusable setting under the name its user knows; `inner` is what the crawler calls it."""
    try:
        yield
    except SettingsError as fault:
        raise InputError(f"{setting}: {fault.message.removeprefix(f'{inner}: ')}") from fault


def profile_for(app: App, program_id: str, given: ProgramProfile | None, actor: Actor) -> ProgramProfile | None:
    """The profile to vet under: the one that is given, which is kept as its program's own, else the one kept before."""
    if given is None:
        return app.profile(program_id)
    if given != app.profile(given.program_id):
        app.stores.programs.save(given)
        app.stores.audit.record(actor, given.program_id, "program.saved", given.program_id, app.clock.now(), {"name": given.name})
    return given


def vet_applications(app: App, applications: Sequence[Application], profile: ProgramProfile | None, means: VettingMeans) -> list[Dossier]:
    """Vets applications to one program side by side; keeps applications, decisions and dossiers, and returns the dossiers in order."""
    program_id = profile.program_id if profile else applications[0].program_id
    for application in applications:
        if application.program_id != program_id:
            name = application.application_id or application.name or "one application"
            raise InputError(
                f"{name} is for the program {application.program_id!r}, but this run judges by the terms of {program_id!r}: "
                "vet each program's applications by themselves."
            )
    return asyncio.run(_vet_all(app, applications, profile, means))


def vet_batch(app: App, batch: Batch, profile: ProgramProfile | None, means: VettingMeans) -> list[Row]:
    """Vets a batch; keeps each application, decision and dossier as it ends, and returns a row for each in the file's order.

    A batch that was stopped goes on where it stopped. What was set aside, or breaks off, has its reason in its row, and the rest goes on.
    """
    program_id = profile.program_id if profile else (batch.applications[0].program_id if batch.applications else DEFAULT_PROGRAM)
    own = [one for one in batch.applications if one.program_id == program_id]
    strangers = [one for one in batch.applications if one.program_id != program_id]
    pack = app.pack(means.policy or (profile.policy if profile else ""))
    journal = Journal(app.workspace.root / "batches" / f"{program_id}-{batch.name}-{sha256_of((profile, pack.hash))[:16]}")
    keeper = _Keeper(app, journal, means.progress, len(own))
    waiting = keeper.without_done(own)
    if waiting:
        asyncio.run(_vet_into(app, waiting, profile, means, keeper))
    for stranger in strangers:
        reason = f"It is for the program {stranger.program_id!r}, but this run judges by the terms of {program_id!r}."
        keeper.rows[stranger.application_id] = Row(stranger.application_id, reason=reason)
    journal.close()
    asides = [Row(aside.application_id, reason=aside.reason, line=aside.line) for aside in batch.set_aside]
    return [keeper.rows[one.application_id] for one in batch.applications] + asides


@dataclass(frozen=True)
class Row:
    """One application of a batch as it ended: the outcome with its figures, or the reason why there is none."""

    application_id: str
    decision_id: str = ""
    outcome: str = ""
    score: float | None = None
    coverage: float | None = None
    findings: int | None = None
    reason: str = ""
    line: int | None = None


class _Keeper:
    """Keeps what ends and remembers a row of it."""

    def __init__(self, app: App, journal: Journal, progress: Callable[[str], None], total: int) -> None:
        self._app, self._journal, self._progress, self._total = app, journal, progress, total
        self.rows: dict[str, Row] = {}

    def without_done(self, applications: Sequence[Application]) -> list[Application]:
        """The applications that an earlier, broken-off run did not end."""
        done = self._journal.done()
        for application in applications:
            if application.application_id in done:
                self._note(self._app.stores.applications.dossier(application.program_id, application.application_id))
        return [application for application in applications if application.application_id not in done]

    def finished(self, outcome: VettingOutcome) -> None:
        """Keeps an application, its decision and its dossier."""
        dossier = _keep(self._app, outcome)
        self._journal.add(dossier.application_id, dossier.decision_id)
        self._note(dossier)

    def broke(self, application: Application, fault: Exception) -> None:
        """Writes down why an application could not be vetted."""
        reason = (
            str(fault) if isinstance(fault, FraudError) else f"The vetting broke off ({type(fault).__name__}); the log has the details."
        )
        self.rows[application.application_id] = Row(application.application_id, reason=reason)

    def _note(self, dossier: Dossier) -> None:
        findings = sum(signal.found for signal in dossier.signals)
        self.rows[dossier.application_id] = Row(
            dossier.application_id, dossier.decision_id, dossier.outcome.value, dossier.score, dossier.coverage, findings
        )
        self._progress(f"{len(self.rows)} of {self._total} vetted")


async def _vet_all(app: App, applications: Sequence[Application], profile: ProgramProfile | None, means: VettingMeans) -> list[Dossier]:
    async with _tools(app, applications[0].program_id, profile, means) as (pack, tools):
        outcomes = await vet_many(applications, profile, pack, tools)
        return [_keep(app, outcome) for outcome in outcomes]


async def _vet_into(
    app: App, applications: Sequence[Application], profile: ProgramProfile | None, means: VettingMeans, keeper: _Keeper
) -> None:
    async with _tools(app, applications[0].program_id, profile, means) as (pack, tools):
        await vet_each(applications, profile, pack, tools, keeper)


@asynccontextmanager
async def _tools(
    app: App, program_id: str, profile: ProgramProfile | None, means: VettingMeans
) -> AsyncIterator[tuple[Pack, VettingTools]]:
    """The pack and the means of a run; the clients are closed at its end."""
    settings = means.crawl or crawl_settings(app.settings)
    async with AsyncExitStack() as open_until_the_end:
        fetcher = await open_until_the_end.enter_async_context(
            Fetcher(settings, now=app.clock.now, cache=FolderCache(app.workspace.root / "pages"))
        )
        robots = Robots(fetcher)
        records = None if settings.connect_to and settings.dns is None else Records(settings.dns)
        survey = Survey(
            records=records,
            registrations=await _registrations(app, settings, fetcher, open_until_the_end),
            browser=await _browser(app, settings, profile, open_until_the_end),
            never=profile.tracking_hosts if profile else (),
        )

        async def collect(url: str) -> SiteFacts:
            means.progress(f"Visiting {url}")
            return await collect_site(url, fetcher, keep=app.evidence.put, robots=robots, survey=survey)

        memory = SiteMemory(program_id, prints_of(app), app.workspace.root / "lists", app.pepper)
        answers, providers = _answers(app, program_id), _providers(app, fetcher)
        tools = VettingTools(
            collect=collect,
            actor_id=means.actor.actor_id,
            pepper=app.pepper,
            now=app.clock.now,
            memory=memory,
            mail_records=records.of if records else None,
            acquaintances=Acquaintances(app, program_id).of,
            profile=profiles_once(_profiles(app, fetcher, robots).of, answers),
            address_reader=networks(app),
            known_list=_known_list(app, program_id),
            review_page=review_pages_once(partial(read_review_page, means=ReviewMeans(fetcher, robots, keep=app.evidence.put)), answers),
            authorities=authorities_once(tuple(one for one in providers if not one.charged), answers),
            profile_model=live_model(app, program_id),
            dear=(
                link_source(VerifyMeans(fetcher, robots, keep=app.evidence.put), means.verify_links or app.settings.verify_links),
                authority_source(authorities_once(tuple(one for one in providers if one.charged), answers)),
            ),
        )
        yield _pack(app, program_id, profile, means.policy), tools


def _pack(app: App, program_id: str, profile: ProgramProfile | None, named: str) -> Pack:
    """The pack that was named, else the one that is live, else that of the profile at hand, which need not be kept."""
    live = None if named else app.stores.policies.current(program_id, PolicyState.LIVE)
    return app.pack_of(live.policy) if live else app.pack(named or (profile.policy if profile else ""))


def _answers(app: App, program_id: str) -> Answers:
    """What platforms and services answered lately; what is older is deleted."""
    answers = Answers(AnswerFolder(app.workspace.root / "answers", program_id), app.clock.now, app.settings.answers_days)
    answers.folder.forget(app.clock.now() - timedelta(days=answers.days))
    return answers


def _providers(app: App, fetcher: Fetcher) -> tuple[Provider, ...]:
    """The services that rank domains, those that a key is set for; an `InputError` for a name that nobody goes by."""
    keys, known = app.settings.keys_of_providers, known_providers()
    if strange := sorted(keys.keys() - known.keys()):
        raise InputError(f"FRAUD_PROVIDER_KEYS names {', '.join(strange)}; known are {', '.join(sorted(known))}.")
    return tuple(known[name](fetcher, key) for name, key in keys.items())


def _known_list(app: App, program_id: str) -> KnownList | None:
    """The program's own list of known applicants, where the workspace has one: `lists/known/PROGRAM.csv`."""
    path = app.workspace.root / "lists" / "known" / f"{program_id}.csv"
    return KnownList(path) if path.is_file() else None


def _profiles(app: App, fetcher: Fetcher, robots: Robots) -> ProfileCollector:
    """What asks platforms about profiles, with the keys that are set."""
    key = app.settings.youtube_key
    return ProfileCollector(SocialMeans(fetcher, robots, keys={"youtube": key.get_secret_value()} if key else {}))


async def _browser(app: App, settings: CrawlSettings, profile: ProgramProfile | None, stack: AsyncExitStack) -> BrowserProbe | None:
    """The browser probe, where a browser was named."""
    if not app.settings.browser:
        return None
    never = profile.tracking_hosts if profile else ()
    return await stack.enter_async_context(BrowserProbe(app.settings.browser, settings, keep=app.evidence.put, never=never))


async def _registrations(app: App, settings: CrawlSettings, fetcher: Fetcher, stack: AsyncExitStack) -> Rdap | None:
    """The registries, where they can be reached: behind a gateway for all connections only an own address is asked."""
    url = app.settings.rdap_url or ("" if settings.connect_to else IANA)
    if not url:
        return None
    with _named("FRAUD_RDAP_URL", "rdap-url"):
        asking = await stack.enter_async_context(operator_fetcher(url, settings, now=app.clock.now))
    return Rdap(url, asking, fetcher)


def _keep(app: App, outcome: VettingOutcome) -> Dossier:
    app.stores.applications.save(outcome.application)
    app.stores.decisions.add([outcome.decision])
    app.stores.applications.add_dossier(outcome.dossier)
    shadow(app, outcome.decision.program_id, [outcome.decision])
    app.tell(decision_events(outcome.decision))
    return outcome.dossier


def write_pages(app: App, dossier: Dossier, path: Path) -> None:
    """Writes every page of the visits as a WARC file, as far as it is still kept."""
    facts = facts_of(app.stores.decisions.find(dossier.decision_id))
    views = [variant.page for site in facts.sites for variant in site.variants or () if variant.page]
    seen = {page.snapshot: None for page in (*(page for site in facts.sites for page in site.pages), *views)}
    make_folder(path.parent)
    with path.open("wb") as file:
        for record in warc((snapshot, app.evidence.get(snapshot.sha256)) for snapshot in seen if app.evidence.has(snapshot.sha256)):
            file.write(record)


def rescreen(app: App, program_id: str, means: VettingMeans) -> Iterator[News]:
    """Vets everybody anew whose newest dossier approves, one after another as they end; yields what changed since last time."""
    accepted = [kept for kept in app.stores.applications.dossiers(program_id, MOST_RESCREENED) if kept.outcome is Outcome.APPROVE]
    before = {kept.application_id: kept for kept in accepted}
    applications = [app.stores.applications.get(program_id, application_id) for application_id in before]
    name = sha256_of(sorted((kept.application_id, kept.decision_id) for kept in accepted))[:16]
    rows = vet_batch(app, Batch(tuple(applications), (), f"again-{name}"), app.profile(program_id), means) if applications else []
    for row in rows:
        if row.decision_id:
            yield news(before[row.application_id], app.stores.applications.dossier(program_id, row.application_id))
        else:
            yield News(application_id=row.application_id, outcome_before=Outcome.APPROVE, failed=row.reason)


def write_vetted(app: App, dossier: Dossier, application: Application, folder: Path) -> list[Path]:
    """Writes a dossier with the evidence its signals quote, and all pages that were seen as `pages.warc.gz`."""
    write_pages(app, dossier, folder / "pages.warc.gz")
    quoted = {evidence.sha256 for signal in dossier.signals for evidence in signal.evidence if evidence.sha256}
    return write_dossier(
        dossier, application, folder, {sha256: app.evidence.get(sha256) for sha256 in sorted(quoted) if app.evidence.has(sha256)}
    )
