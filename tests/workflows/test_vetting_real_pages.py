"""Real pages, served on loopback: findings quote what was fetched, honest sites pass, parked ones do not."""

from __future__ import annotations

import html
import os
import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from crawlers import read_page
from fraud.domain.decisions import Outcome
from fraud.domain.programs import Application
from fraud.domain.signals import Status
from fraud.workflows.vetting import VettingOutcome, replay_vetting
from tests.checks.applicants.samples import PACK, PROFILE
from tests.workflows.sites import Answer, served, vetted

DATA = Path(os.environ.get("FRAUD_TEST_DATA") or "/nowhere")
pytestmark = [pytest.mark.data, pytest.mark.skipif(not (DATA / "pages").is_dir(), reason="FRAUD_TEST_DATA names no folder with pages")]

EVERY = 12
"""Every so manieth page of the collection is vetted: enough kinds of page in a few seconds."""


def own_host(body: bytes, number: int) -> str:
    """The host a saved page says it is from, or a made-up one."""
    host = (urlsplit(read_page(body, "http://unknown.test/").canonical).hostname or "").lower()
    return host if "." in host and host != "unknown.test" else f"page{number}.test"


def vet_pages(files: list[Path]) -> tuple[list[VettingOutcome], dict[str, bytes]]:
    bodies = {file: file.read_bytes() for file in files}
    hosts = {file: own_host(body, number) for number, (file, body) in enumerate(bodies.items())}
    applications = [Application(application_id=file.name, websites=(f"http://{host}/",)) for file, host in hosts.items()]
    kept: dict[str, bytes] = {}
    with served({f"{host}/": Answer(bodies[file]) for file, host in hosts.items()}) as settings:
        return vetted(settings, *applications, profile=PROFILE, bodies=kept), kept


@cache
def sites() -> tuple[list[VettingOutcome], dict[str, bytes]]:
    return vet_pages(sorted((DATA / "pages" / "sites").glob("*.html"))[::EVERY])


@cache
def parked() -> tuple[list[VettingOutcome], dict[str, bytes]]:
    return vet_pages(sorted((DATA / "pages" / "parked").glob("*.html")))


def plain(text: str) -> str:
    """Words without tags, entities and white space, the way two spellings of the same markup agree."""
    return re.sub(r"\s+", "", html.unescape(re.sub(r"<[^>]*>", " ", text))).casefold()


def squeezed(text: str) -> str:
    return re.sub(r"[\s\"'/]+", "", html.unescape(text)).casefold()


def occurs(excerpt: str, body: bytes) -> bool:
    """Whether an excerpt is in a body: as markup, or as the words a reader sees."""
    for encoding in ("utf-8", "windows-1252", "iso-8859-2"):
        text = body.decode(encoding, errors="replace")
        if squeezed(excerpt) in squeezed(text) or plain(excerpt) in plain(text):
            return True
    return False


@pytest.mark.parametrize("collection", [sites, parked])
def test_every_finding_quotes_what_was_fetched_or_states_an_absence(collection: object) -> None:
    assert callable(collection)
    outcomes, bodies = collection()
    quoted = [(signal, seen) for each in outcomes for signal in each.dossier.signals if signal.found for seen in signal.evidence]
    web = [(signal, seen) for signal, seen in quoted if seen.sha256]
    lost = [(signal.check_id, seen.excerpt) for signal, seen in web if not occurs(seen.excerpt, bodies[seen.sha256])]
    assert web
    assert lost == []
    assert all(signal.evidence for each in outcomes for signal in each.dossier.signals if signal.found)


def test_parked_pages_are_not_approved() -> None:
    outcomes, _ = parked()
    assert len(outcomes) == 3
    for outcome in outcomes:
        assert outcome.dossier.outcome is Outcome.REVIEW
        assert "parked_site" in outcome.dossier.typologies


def test_honest_sites_pass_or_are_asked_for_more() -> None:
    outcomes, _ = sites()
    assert {outcome.dossier.outcome for outcome in outcomes} <= {Outcome.APPROVE, Outcome.REQUEST_INFO}
    assert not [signal for each in outcomes for signal in each.dossier.signals if signal.status is Status.ERROR]


def test_real_decisions_replay() -> None:
    for outcome in sites()[0] + parked()[0]:
        assert replay_vetting(outcome.decision, PACK) == outcome.decision.verdict
