"""Vetting, wired: the safe fetcher, the evidence store, the checks and the record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from crawlers import CrawlSettings, Fetcher, collect_site
from crawlers.errors import SettingsError
from crawlers.facts import SiteFacts
from crawlers.limits import parse_connect_to, parse_host_port, tls_context
from fraud.app.parts import App
from fraud.app.writing import write_dossier
from fraud.domain.actors import Actor
from fraud.domain.dossiers import Dossier
from fraud.domain.programs import Application, ProgramProfile
from fraud.errors import InputError
from fraud.settings import Settings
from fraud.workflows.vetting import VettingOutcome, VettingTools, vet_many


@dataclass(frozen=True)
class VettingMeans:
    """Who vets, under which pack (empty: the profile's, else the default), and how. `crawl` replaces the settings' way to the web."""

    actor: Actor
    policy: str = ""
    progress: Callable[[str], None] = field(default=lambda _: None)
    crawl: CrawlSettings | None = None


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
    outcomes = asyncio.run(_vet_all(app, applications, profile, means))
    return [_keep(app, outcome) for outcome in outcomes]


async def _vet_all(
    app: App, applications: Sequence[Application], profile: ProgramProfile | None, means: VettingMeans
) -> list[VettingOutcome]:
    async with Fetcher(means.crawl or crawl_settings(app.settings), now=app.clock.now) as fetcher:

        async def collect(url: str) -> SiteFacts:
            means.progress(f"Visiting {url}")
            return await collect_site(url, fetcher, keep=app.evidence.put)

        pack = app.pack(means.policy or (profile.policy if profile else ""))
        tools = VettingTools(collect=collect, actor_id=means.actor.actor_id, pepper=app.pepper, now=app.clock.now)
        return await vet_many(applications, profile, pack, tools)


def _keep(app: App, outcome: VettingOutcome) -> Dossier:
    app.stores.applications.save(outcome.application)
    app.stores.decisions.add([outcome.decision])
    app.stores.applications.add_dossier(outcome.dossier)
    return outcome.dossier


def write_vetted(app: App, dossier: Dossier, application: Application, folder: Path) -> list[Path]:
    """Writes a dossier with the evidence its signals quote."""
    quoted = {evidence.sha256 for signal in dossier.signals for evidence in signal.evidence if evidence.sha256}
    return write_dossier(
        dossier, application, folder, {sha256: app.evidence.get(sha256) for sha256 in sorted(quoted) if app.evidence.has(sha256)}
    )
