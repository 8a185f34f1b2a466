"""What the workspace knows of websites: copies are found among strangers, owners' own sites are not, lists and codes are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawlers.facts import DnsFacts, SiteFacts, TrackerId
from fraud.app.memory import SiteMemory, site_ties
from fraud.checks.applicants.context import Surroundings, Visit, protected
from fraud.checks.applicants.standing import proved_at
from fraud.domain.programs import Application
from fraud.storage.prints import PrintIndex
from tests.checks.applicants.samples import facts, page, site
from tests.sites.texts import prose

PEPPER = b"pepper"


def applicant(name: str, email: str = "") -> Application:
    return Application(application_id=name, websites=(f"https://{name}.example/",), email=email)


def seen(name: str, story: str = "", **changes: Any) -> SiteFacts:
    text = story or prose(name, "hiking", 400)
    front = page(text=text, word_count=len(text.split()), **changes)
    return site(front, requested_url=f"https://{name}.example/", final_url=f"https://{name}.example/")


@pytest.fixture
def memory(tmp_path: Path) -> SiteMemory:
    return SiteMemory("default", PrintIndex(tmp_path / "prints.sqlite3"), tmp_path / "lists", PEPPER)


def known(memory: SiteMemory, application: Application, visited: SiteFacts) -> Surroundings:
    found = memory.surroundings(protected(application, PEPPER), visited)
    memory.remember(protected(application, PEPPER), visited)
    return found


def test_the_first_applicant_has_nobody_to_be_compared_with(memory: SiteMemory) -> None:
    assert known(memory, applicant("first"), seen("first")).earlier is None


def test_a_copy_is_found_and_an_own_text_is_not(memory: SiteMemory) -> None:
    story = prose("first", "hiking", 400)
    known(memory, applicant("first"), seen("first", story))
    (copy,) = known(memory, applicant("copy"), seen("copy", story)).earlier or ()
    assert (copy.application_id, copy.similarity, copy.distance, copy.same_owner) == ("first", 1.0, 0, False)
    assert known(memory, applicant("other"), seen("other")).earlier == ()


def test_who_came_first_is_no_copy_when_looked_at_again(memory: SiteMemory) -> None:
    story = prose("first", "hiking", 400)
    known(memory, applicant("first"), seen("first", story))
    known(memory, applicant("copy"), seen("copy", story))
    assert known(memory, applicant("first"), seen("first", story)).earlier == ()
    assert len(known(memory, applicant("copy"), seen("copy", story)).earlier or ()) == 1


def test_an_owners_second_site_is_known_by_what_both_applications_state(memory: SiteMemory) -> None:
    story = prose("first", "hiking", 400)
    known(memory, applicant("first", email="Me@Mail.example"), seen("first", story))
    (second,) = known(memory, applicant("second", email="me@mail.example"), seen("second", story)).earlier or ()
    assert second.same_owner


def test_an_account_that_everybody_has_says_nothing(memory: SiteMemory) -> None:
    account = (TrackerId(kind="google_analytics", value="UA-1-1"),)
    for number in range(22):
        known(memory, applicant(f"site{number}"), seen(f"site{number}", trackers=account))
    last = known(memory, applicant("last"), seen("last", trackers=account)).earlier or ()
    assert last
    assert all(one.shared == () for one in last)


def test_programs_are_separate(tmp_path: Path) -> None:
    index, story = PrintIndex(tmp_path / "prints.sqlite3"), prose("first", "hiking", 400)
    known(SiteMemory("one", index, tmp_path, PEPPER), applicant("first"), seen("first", story))
    assert known(SiteMemory("two", index, tmp_path, PEPPER), applicant("copy"), seen("copy", story)).earlier is None


def test_what_sites_tie_their_owners_to_is_remembered_near_identical_texts_too(tmp_path: Path) -> None:
    index, story = PrintIndex(tmp_path / "prints.sqlite3"), prose("first", "hiking", 400)
    memory = SiteMemory("default", index, tmp_path, PEPPER)
    for name, text in (("first", story), ("copy", story), ("other", "")):
        known(memory, applicant(name), seen(name, text, trackers=(TrackerId(kind="google_tag_manager", value=f"GTM-{name}"),)))
    kept = {one.domain: one.ties for one in site_ties(index, "default")}
    assert kept["copy.example"] == (("tag_id", "google_tag_manager GTM-copy"), ("text", "first.example"))
    assert kept["other.example"] == (("tag_id", "google_tag_manager GTM-other"),)
    assert site_ties(index, "another") == []


def test_lists_in_the_usual_forms_are_read(tmp_path: Path) -> None:
    (tmp_path / "block").mkdir()
    (tmp_path / "block" / "urls.csv").write_text('# id,url\n"7","http://bad.example/malware.exe","online"\n')
    (tmp_path / "block" / "hosts.txt").write_text("0.0.0.0 worse.example # why\n")
    (tmp_path / "rank").mkdir()
    (tmp_path / "rank" / "top.csv").write_text("1,first.example\n77,bad.example\n")
    memory = SiteMemory("default", PrintIndex(tmp_path / "prints.sqlite3"), tmp_path, PEPPER)
    bad = memory.surroundings(protected(applicant("bad"), PEPPER), seen("bad"))
    assert [(one.name, "malware.exe" in one.entry) for one in bad.listed or ()] == [("urls", True)]
    assert bad.rank == 77
    fine = memory.surroundings(protected(applicant("fine"), PEPPER), seen("fine"))
    assert (fine.listed, fine.rank) == ((), 0)
    assert [one.name for one in memory.surroundings(protected(applicant("worse"), PEPPER), seen("worse")).listed or ()] == ["hosts"]


def test_without_lists_nothing_is_said(memory: SiteMemory) -> None:
    found = known(memory, applicant("first"), seen("first"))
    assert (found.listed, found.rank) == (None, None)


def test_the_code_is_one_applicants_and_is_found_where_it_was_agreed(memory: SiteMemory) -> None:
    code, others = memory.nonce("first", "https://first.example/"), memory.nonce("other", "https://first.example/")
    assert code != others
    assert code == memory.nonce("first", "first.example")
    proofs = {
        "a DNS record": site(dns=DnsFacts(name="trailnotes.example", texts=("v=spf1", code))),
        "a meta element": site(page(proof_tokens=(code,))),
        "a file": site(proof_file=f"{code}\n"),
    }
    for place, visited in proofs.items():
        assert proved_at(Visit(facts(visited), visited), code) == [place]
        assert proved_at(Visit(facts(visited), visited), others) == []
