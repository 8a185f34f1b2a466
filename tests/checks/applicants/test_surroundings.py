"""Checks of what surrounds the pages: each both ways, and unknown where nobody looked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from crawlers.backlinks.facts import Authority
from crawlers.facts import BrowserRequest, BrowserVisit, DnsFacts, Link, Registration, SiteFacts
from fraud.checks.applicants import browsing, registry, safety, standing, statements
from fraud.checks.applicants.context import Listing, Resemblance, Surroundings, Visit
from fraud.checks.applicants.likeness import copied, shared_accounts, template_farm
from fraud.domain.signals import Severity, Signal, Status, Tier
from tests.checks.applicants.samples import BLOG, NOW, facts, limits, page, signals, site

OWN = "https://go.acmeoutdoor.com/click/77"
Check = Any  # the checks of this package share a shape that a test need not spell out


def seen(check: Check, name: str, visited: SiteFacts, around: Surroundings | None = None, **application: Any) -> Signal:
    known = facts(visited, **application)
    known = msgspec.structs.replace(known, surroundings={BLOG: around or Surroundings()})
    signal: Signal = check(Visit(known, visited), limits(name))
    return signal


def test_links_to_the_programs_own_tracking_are_affiliate_links() -> None:
    links = tuple(Link(url=f"{OWN}?p={number}", text=f"Tent {number}", host="go.acmeoutdoor.com") for number in range(6))
    found = signals(facts(site(page(links=links))))
    assert found["website.affiliate_links"].value["networks"] == ["this program"]
    assert found["website.disclosure"].status is Status.FINDING


@pytest.mark.parametrize(
    ("days", "own", "status", "severity"),
    [
        (900, None, Status.CLEAR, Severity.INFO),
        (20, None, Status.FINDING, Severity.LOW),
        (3, None, Status.FINDING, Severity.MEDIUM),
        (100, 365, Status.FINDING, Severity.MEDIUM),
    ],
)
def test_a_young_name_is_a_warning_and_never_more(days: int, own: int | None, status: Status, severity: Severity) -> None:
    said = Registration(domain="trailnotes.example", registered_at=NOW - timedelta(days=days))
    visited = site(registration=said)
    known = facts(visited)
    assert known.profile is not None
    known = msgspec.structs.replace(known, profile=msgspec.structs.replace(known.profile, minimum_domain_age_days=own))
    signal = registry.domain_age(Visit(known, visited), limits("website.domain_age"))
    assert (signal.status, signal.severity) == (status, severity)


def test_a_registry_that_failed_leaves_the_age_unknown() -> None:
    failed = site(registration=Registration(domain="trailnotes.example", failure="The registry answered with status 500."))
    assert seen(registry.domain_age, "website.domain_age", failed).status is Status.INCONCLUSIVE
    assert seen(registry.domain_age, "website.domain_age", site()).status is Status.NOT_APPLICABLE


@pytest.mark.parametrize(("status", "found"), [("pending delete", True), ("client transfer prohibited", False)])
def test_a_name_that_is_being_deleted_is_told(status: str, found: bool) -> None:
    said = Registration(domain="trailnotes.example", statuses=(status,), expires_at=NOW + timedelta(days=100))
    assert seen(registry.registration_status, "website.registration_status", site(registration=said)).found is found


def test_a_block_list_entry_is_conclusive_and_quoted() -> None:
    around = Surroundings(listed=(Listing(name="urls", entry="http://trailnotes.example/x.exe"),))
    signal = seen(safety.malware, "website.malware", site(), around)
    assert (signal.status, signal.tier, signal.evidence[0].excerpt) == (Status.FINDING, Tier.CONCLUSIVE, "http://trailnotes.example/x.exe")
    assert seen(safety.malware, "website.malware", site(), Surroundings(listed=())).status is Status.CLEAR


@pytest.mark.parametrize(
    ("rank", "claimed", "status"),
    [(0, 2_000_000, Status.FINDING), (0, 5_000, Status.CLEAR), (900, 2_000_000, Status.CLEAR), (None, 2_000_000, Status.NOT_APPLICABLE)],
)
def test_claims_are_held_against_the_rank_list(rank: int | None, claimed: int, status: Status) -> None:
    signal = seen(standing.rank, "website.rank", site(), Surroundings(rank=rank), claimed_monthly_visits=claimed)
    assert signal.status is status


def test_ownership_is_proved_or_asked_for() -> None:
    proved = seen(standing.ownership, "website.ownership", site(proof_file="proof-1\n"), Surroundings(nonce="proof-1"))
    open_ = seen(standing.ownership, "website.ownership", site(), Surroundings(nonce="proof-1"))
    assert (proved.status, open_.status) == (Status.CLEAR, Status.NOT_APPLICABLE)
    assert "proof-1" in open_.text


def like(name: str, **changes: Any) -> Resemblance:
    return Resemblance(application_id=name, domain=f"{name}.example", **changes)


def test_copies_of_other_owners_count_and_of_the_same_do_not() -> None:
    around = Surroundings(earlier=(like("first", similarity=0.9),))
    assert seen(copied, "website.copied", site(), around).severity is Severity.HIGH
    same = Surroundings(earlier=(like("first", similarity=0.9, same_owner=True),))
    assert seen(copied, "website.copied", site(), same).status is Status.CLEAR
    assert seen(copied, "website.copied", site()).status is Status.NOT_APPLICABLE


def test_a_shared_icon_is_no_shared_account() -> None:
    icons = Surroundings(earlier=tuple(like(name, shared=("icon 5",), template=1.0) for name in ("a", "b", "c")))
    assert seen(shared_accounts, "website.shared_accounts", site(), icons).status is Status.CLEAR
    assert seen(template_farm, "website.template_farm", site(), icons).status is Status.CLEAR
    accounts = Surroundings(earlier=tuple(like(name, shared=("google_analytics UA-1-1",), template=1.0) for name in ("a", "b")))
    assert seen(shared_accounts, "website.shared_accounts", site(), accounts).severity is Severity.HIGH
    assert seen(template_farm, "website.template_farm", site(), accounts).found


@pytest.mark.parametrize(
    ("records", "status"),
    [
        (DnsFacts(name="x", mail_servers=("mx.x",)), Status.CLEAR),
        (DnsFacts(name="x", addresses=("192.0.2.1",)), Status.CLEAR),
        (DnsFacts(name="x", addresses=("192.0.2.1",), mail_servers=("",)), Status.FINDING),
        (DnsFacts(name="x", exists=False), Status.FINDING),
        (DnsFacts(name="x", failure="The name server did not answer."), Status.INCONCLUSIVE),
        (None, Status.NOT_APPLICABLE),
    ],
)
def test_mail_that_cannot_be_delivered(records: DnsFacts | None, status: Status) -> None:
    known = msgspec.structs.replace(facts(site()), mail=records)
    assert statements.mail_server(known, {}).status is status


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ({"address": "12 Market Street, Leeds", "description": "Reviews of tents and trails"}, False),
        ({"address": "PO Box 7, Leeds"}, True),
        ({"description": "asdf"}, True),
        ({"description": "テントと登山の 記事を毎週 書いています"}, False),
        ({"description": "sdfg hjkl qwrt pzx"}, True),
    ],
)
def test_statements_that_say_nothing(stated: dict[str, Any], found: bool) -> None:
    signal = statements.statements(facts(site(), **stated), limits("application.statements"))
    assert signal.found is found


def test_what_a_browser_did_by_itself() -> None:
    own = BrowserVisit(url=BLOG, final_url=BLOG, requests=(BrowserRequest(url=OWN, kind="document"),))
    signal = seen(browsing.browser, "website.browser", site(browser=own))
    assert (signal.severity, signal.tier) == (Severity.CRITICAL, Tier.CONCLUSIVE)
    moved = BrowserVisit(url=BLOG, final_url="https://else.example/", redirects=(("https://else.example/", 3.0),))
    assert seen(browsing.browser, "website.browser", site(browser=moved)).severity is Severity.MEDIUM
    quiet = BrowserVisit(url=BLOG, final_url=BLOG, requests=(BrowserRequest(url=BLOG, kind="document"),))
    assert seen(browsing.browser, "website.browser", site(browser=quiet)).status is Status.CLEAR
    broken = BrowserVisit(url=BLOG, failure="the browser gave up.")
    assert seen(browsing.browser, "website.browser", site(browser=broken)).status is Status.INCONCLUSIVE
    assert "Not run" in seen(browsing.browser, "website.browser", site()).text


def known(score: float | None, claimed: int | None, *, domains: int | None = None, failure: str = "", rank: int | None = None) -> Signal:
    """What a service says of the site's domain, against the claimed visits."""
    said = Authority(domain="trailnotes.example", provider="somebody", score=score, scale=100.0, referring_domains=domains, failure=failure)
    made = facts(site(), claimed_monthly_visits=claimed)
    audience = msgspec.structs.replace(made.audience, authorities=(said,))
    around = {site().requested_url: Surroundings(rank=rank)}
    return standing.rank(Visit(msgspec.structs.replace(made, audience=audience, surroundings=around), site()), limits("website.rank"))


@pytest.mark.parametrize(
    ("score", "claimed", "domains", "status"),
    [
        (3, 2_000_000, 4, Status.FINDING),
        (3, 2_000_000, 400, Status.CLEAR),
        (45, 2_000_000, None, Status.CLEAR),
        (3, 5_000, 4, Status.CLEAR),
        (3, None, 4, Status.CLEAR),
    ],
)
def test_claims_are_held_against_what_a_service_says(score: float, claimed: int | None, domains: int | None, status: Status) -> None:
    signal = known(score, claimed, domains=domains)
    assert signal.status is status
    assert f"{score} of 100 at somebody" in signal.text


def test_a_service_that_is_silent_leaves_the_rank_open_unless_the_list_knows() -> None:
    assert known(None, 2_000_000, failure="Silent.").status is Status.INCONCLUSIVE
    assert known(None, 2_000_000, failure="Silent.", rank=300).status is Status.CLEAR
