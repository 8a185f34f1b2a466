"""The suite's run: every site served, every applicant vetted once by the product as it is wired."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fraud.app.parts import App
from fraud.app.vetting import VettingMeans, crawl_settings, vet_applications
from fraud.domain.actors import SYSTEM
from fraud.domain.clock import FixedClock
from fraud.domain.dossiers import Dossier
from fraud.settings import Settings
from tests.conftest import MORNING
from tests.sites.cases import PROFILE, Case, bystanders
from tests.sites.hosts import Internet, certify, internet

Vet = Callable[[Sequence[Case]], dict[str, Dossier]]


@contextmanager
def served(cases: Sequence[Case], folder: Path) -> Iterator[tuple[App, Internet]]:
    """The cases' sites, and a product on a workspace of its own that reaches them and nothing else."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program is not installed")
    hosts = {**bystanders(), **{case.name: case.host for case in cases}}
    ca, certificate = certify([name for name, host in hosts.items() if host.certified], folder, openssl)
    with internet(hosts, MORNING, certificate) as web:
        app = App(Settings(workspace=folder / "workspace", _env_file=None, **web.settings(ca)), FixedClock(MORNING))  # type: ignore[arg-type, call-arg]  # as in the root conftest
        blocked = app.workspace.root / "lists" / "block"
        blocked.mkdir(parents=True)
        (blocked / "harmful.txt").write_text("# hosts\n0.0.0.0 block-listed.test\n")
        try:
            yield app, web
        finally:
            app.close()


def vetted(app: App, cases: Sequence[Case]) -> dict[str, Dossier]:
    """The dossiers by case. Honest sites come first, so that copies meet their originals."""
    means = VettingMeans(actor=SYSTEM, crawl=replace(crawl_settings(app.settings), delay=0.0))
    ordered = sorted(cases, key=lambda case: not case.honest)
    halves = [[case for case in ordered if case.honest], [case for case in ordered if not case.honest]]
    found: dict[str, Dossier] = {}
    for half in halves:
        if half:
            dossiers = vet_applications(app, [case.applying for case in half], PROFILE, means)
            found |= {case.kind: dossier for case, dossier in zip(half, dossiers, strict=True)}
    return found


@pytest.fixture(scope="session")
def vet(tmp_path_factory: pytest.TempPathFactory) -> Vet:
    """Serves the cases, vets their applicants, and gives the dossiers by case."""

    def run(cases: Sequence[Case]) -> dict[str, Dossier]:
        with served(cases, tmp_path_factory.mktemp("sites")) as (app, _web):
            return vetted(app, cases)

    return run
