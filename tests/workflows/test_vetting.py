"""Vetting from end to end, with sites on loopback and the real crawler: what is seen, decided, kept, and said again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from crawlers import CrawlSettings
from crawlers.errors import RefusedAddress, SourceUnavailable
from crawlers.facts import SiteFacts
from fraud.domain.decisions import Decision, DecisionKind, Outcome
from fraud.domain.dossiers import Dossier
from fraud.domain.hashing import canonical_json
from fraud.domain.programs import Application
from fraud.domain.signals import Severity, Signal, Status, Tier
from fraud.errors import ProfileError, ReplayError
from fraud.workflows.vetting import VettingOutcome, VettingTools, replay_vetting, vet, vet_many
from tests.checks.applicants.samples import NOW, PACK, PROFILE, profile, site
from tests.workflows.sites import Answer, served, vetted

STORY = "<p>" + "We went hiking along the ridge and slept in our two small tents beside the lake, tired and happy. " * 20 + "</p>"
FOOT = '<footer><a href="/privacy">Privacy policy</a> <a href="/about">About us</a> <a href="/contact">Contact</a></footer>'
MENU = '<nav><a href="/lake">The lake</a> <a href="/ridge">The ridge</a> <a href="/stove">The stove</a></nav>'
FRAME = '<iframe src="http://go.acmeoutdoor.com/c/77" width="1" height="1" style="display:none"></iframe>'
PARKED = (
    '<title>lot.test</title><script src="http://img.sedoparking.com/a.js"></script><p>This domain may be for sale. Buy this domain.</p>'
)


def html(title: str, body: str, story: str = STORY) -> Answer:
    head = f'<!doctype html><html lang="en"><head><title>{title}</title></head>'
    return Answer(f"{head}<body>{MENU}<main><h1>{title}</h1>{body}{story}</main>{FOOT}</body></html>".encode())


def blog(host: str, front: str = "") -> dict[str, Answer]:
    """An honest blog of a few pages; `front` is more HTML for its front page."""
    stories = {path: html(path, "", STORY.replace("lake", path)) for path in ("lake", "ridge", "stove")}
    identity = {path: html(path, "<p>Trail notes is written by two friends.</p>", "") for path in ("privacy", "about", "contact")}
    return {f"{host}/": html("Trail notes", front), **{f"{host}/{path}": page for path, page in (stories | identity).items()}}


WEB = {
    **blog("blog.test"),
    **blog("stuffer.test", FRAME),
    **blog("hop.test", '<script>window.location.href = "http://go.acmeoutdoor.com/c/77";</script>'),
    "lot.test/*": Answer(PARKED.encode()),
    "inner.test/": Answer(status=302, location="http://169.254.169.254/latest/meta-data/"),
    "broken.test/*": Answer(b"<p>down</p>", 503),
    "away.test/": Answer(status=301, location="http://blog.test/"),
}


@pytest.fixture(scope="module")
def settings() -> Iterator[CrawlSettings]:
    with served(WEB) as made:
        yield made


def applying(host: str, **changes: Any) -> Application:
    return Application(application_id=host, websites=(f"http://{host}/",), email=f"me@{host}", **changes)


def by_check(dossier: Dossier) -> dict[str, Signal]:
    return {signal.check_id: signal for signal in dossier.signals}


def vet_one(settings: CrawlSettings, host: str) -> VettingOutcome:
    (outcome,) = vetted(settings, applying(host), profile=PROFILE)
    return outcome


def test_an_honest_blog_is_approved(settings: CrawlSettings) -> None:
    dossier = vet_one(settings, "blog.test").dossier
    assert dossier.outcome is Outcome.APPROVE
    assert dossier.coverage == 1.0
    assert not [signal for signal in dossier.signals if signal.found]
    assert dossier.facts["sites"][0]["pages"][0]["url"] == "http://blog.test/"


def test_a_hidden_frame_with_the_programs_link_is_found_and_quoted(settings: CrawlSettings) -> None:
    bodies: dict[str, bytes] = {}
    (outcome,) = vetted(settings, applying("stuffer.test"), profile=PROFILE, bodies=bodies)
    signal = by_check(outcome.dossier)["website.hidden_tracking"]
    assert outcome.dossier.outcome is Outcome.REVIEW
    assert (signal.status, signal.severity, signal.tier) == (Status.FINDING, Severity.CRITICAL, Tier.CONCLUSIVE)
    assert "http://go.acmeoutdoor.com/c/77" in signal.evidence[0].excerpt
    assert b"http://go.acmeoutdoor.com/c/77" in bodies[signal.evidence[0].sha256]


def test_a_page_that_moves_on_by_itself_is_not_approved(settings: CrawlSettings) -> None:
    dossier = vet_one(settings, "hop.test").dossier
    assert by_check(dossier)["website.hidden_tracking"].severity is Severity.HIGH
    assert dossier.outcome is Outcome.REVIEW


def test_a_parked_page_is_never_approved(settings: CrawlSettings) -> None:
    dossier = vet_one(settings, "lot.test").dossier
    assert dossier.outcome is Outcome.REVIEW
    assert "parked_site" in dossier.typologies


@pytest.mark.parametrize(("host", "why"), [("inner.test", "169.254.169.254"), ("broken.test", "503")])
def test_a_site_that_cannot_be_read_gives_a_dossier_with_inconclusive_signals(settings: CrawlSettings, host: str, why: str) -> None:
    dossier = vet_one(settings, host).dossier
    seen = by_check(dossier)
    assert {signal.status for name, signal in seen.items() if name.startswith("website.") and name != "website.social_profiles"} == {
        Status.INCONCLUSIVE
    }
    assert why in seen["website.parked"].text
    assert dossier.outcome is Outcome.REQUEST_INFO
    assert dossier.needed


def test_a_site_that_leads_elsewhere_says_so(settings: CrawlSettings) -> None:
    signal = by_check(vet_one(settings, "away.test").dossier)["website.reachable"]
    assert signal.status is Status.FINDING
    assert [hop["status"] for hop in signal.value["hops"]] == [301, 200]


def test_many_are_vetted_in_order_and_a_bad_one_spoils_none(settings: CrawlSettings) -> None:
    hosts = ["lot.test", "blog.test", "broken.test", "stuffer.test"]
    outcomes = vetted(settings, *(applying(host) for host in hosts), profile=PROFILE)
    assert [outcome.dossier.application_id for outcome in outcomes] == hosts
    assert [outcome.dossier.outcome for outcome in outcomes] == [Outcome.REVIEW, Outcome.APPROVE, Outcome.REQUEST_INFO, Outcome.REVIEW]


@pytest.mark.parametrize("host", ["blog.test", "stuffer.test", "lot.test", "inner.test", "broken.test", "away.test"])
def test_a_kept_decision_replays_bit_for_bit(settings: CrawlSettings, host: str) -> None:
    decision = vet_one(settings, host).decision
    kept = msgspec.json.decode(msgspec.json.encode(decision), type=Decision)
    assert kept == decision
    assert canonical_json(replay_vetting(kept, PACK)) == canonical_json(decision.verdict)


def test_a_decision_names_everything_it_rests_on(settings: CrawlSettings) -> None:
    bodies: dict[str, bytes] = {}
    (outcome,) = vetted(settings, applying("blog.test"), profile=PROFILE, bodies=bodies)
    decision = outcome.decision
    assert (decision.kind, decision.subject_id, decision.decided_by) == (DecisionKind.VET, "blog.test", "system")
    assert (decision.policy, decision.models, decision.as_of) == (PACK.artefact, (), NOW)
    assert set(decision.evidence_manifest) == set(bodies) - _probe(bodies, decision)
    assert outcome.dossier.decision_id == decision.decision_id
    assert outcome.dossier.signals == decision.signals


def _probe(bodies: dict[str, bytes], decision: Decision) -> set[str]:
    """Bodies that no page of the facts was read from, such as robots.txt."""
    return {name for name in bodies if name not in canonical_json(decision.inputs).decode()}


def test_personal_values_do_not_reach_decision_or_dossier(settings: CrawlSettings) -> None:
    person = {
        "phone": "+49301234567",
        "address": "Example Street 5",
        "payout_account": "DE0012",
        "tax_id": "99/8877",
        "signup_ip": "198.51.100.7",
    }
    (outcome,) = vetted(settings, applying("blog.test", **person), profile=PROFILE)
    kept = msgspec.json.encode((outcome.decision, outcome.dossier)).decode()
    assert not [value for value in (*person.values(), "me@blog.test") if value in kept]
    assert outcome.application.phone == person["phone"]


def test_another_policy_gives_another_answer_from_the_same_inputs(settings: CrawlSettings) -> None:
    decision = vet_one(settings, "stuffer.test").decision
    lax = msgspec.structs.replace(
        PACK,
        checks=PACK.checks | {"website.hidden_tracking": msgspec.structs.replace(PACK.checks["website.hidden_tracking"], enabled=False)},
    )
    assert replay_vetting(decision, lax).outcome is Outcome.APPROVE


def tools(collect: Any) -> VettingTools:
    return VettingTools(collect=collect, actor_id="system", pepper=b"pepper", now=lambda: NOW)


@pytest.mark.parametrize(
    "fault", [RefusedAddress("http://blog.test/", "That address is not visited."), SourceUnavailable("blog.test", "It asked us to stop.")]
)
def test_what_the_crawler_refuses_is_inconclusive(fault: Exception) -> None:
    async def collect(url: str) -> SiteFacts:
        raise fault

    outcome = asyncio.run(vet(applying("blog.test"), None, PACK, tools(collect)))
    signal = by_check(outcome.dossier)["website.parked"]
    assert signal.status is Status.INCONCLUSIVE
    assert str(fault) in signal.text


def test_a_collector_that_breaks_is_an_error_in_the_dossier_and_in_the_log() -> None:
    async def collect(url: str) -> SiteFacts:
        if "two" in url:
            raise ZeroDivisionError
        return site(requested_url=url)

    application = Application(application_id="a", websites=("https://one.example/", "https://two.example/"))
    with capture_logs() as logs:
        outcome = asyncio.run(vet(application, PROFILE, PACK, tools(collect)))
    statuses = {(signal.subject, signal.status) for signal in outcome.dossier.signals if signal.check_id == "website.thin"}
    assert statuses == {("https://one.example/", Status.CLEAR), ("https://two.example/", Status.ERROR)}
    assert logs[0]["website"] == "https://two.example/"
    assert replay_vetting(outcome.decision, PACK) == outcome.decision.verdict


def test_no_more_than_so_many_are_in_work_at_once() -> None:
    running: list[int] = [0, 0]

    async def collect(url: str) -> SiteFacts:
        running[0] += 1
        running[1] = max(running)
        await asyncio.sleep(0)
        running[0] -= 1
        return site(requested_url=url)

    applications = [Application(websites=(f"https://b{number}.example/",)) for number in range(9)]
    outcomes = asyncio.run(vet_many(applications, None, PACK, tools(collect), side_by_side=3))
    assert len({outcome.application.application_id for outcome in outcomes}) == 9
    assert running == [0, 3]


def test_an_application_with_profiles_only_is_asked_for_more() -> None:
    async def collect(url: str) -> SiteFacts:
        raise AssertionError("there is nothing to visit")

    application = Application(application_id="a", social_profiles=("https://social.example/@trail",), email="me@gmail.com")
    outcome = asyncio.run(vet(application, profile(requires_disclosure=True), PACK, tools(collect)))
    assert outcome.dossier.outcome is Outcome.REQUEST_INFO
    assert by_check(outcome.dossier)["website.parked"].status is Status.NOT_APPLICABLE


def test_an_application_of_nothing_is_refused() -> None:
    with pytest.raises(ProfileError, match="neither websites nor social_profiles"):
        asyncio.run(vet(Application(application_id="a"), None, PACK, tools(None)))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"inputs": {}}, "have been erased"),
        ({"inputs": {"application": 1}}, "are not whole"),
        ({"kind": DecisionKind.SCAN}, "is no vetting but a scan"),
    ],
)
def test_what_cannot_be_replayed_says_why(changes: dict[str, Any], says: str) -> None:
    async def collect(url: str) -> SiteFacts:
        return site(requested_url=url)

    decision = asyncio.run(vet(applying("blog.test"), None, PACK, tools(collect))).decision
    with pytest.raises(ReplayError, match=says):
        replay_vetting(msgspec.structs.replace(decision, **changes), PACK)
