"""The graph in the product: a ring is one alert, a confirmation is felt by its neighbours, and anybody's links can be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crawlers.facts import TrackerId
from fraud.app.graph import FRESH, Acquaintances, graph_around, rescore_linked, update_graph
from fraud.app.memory import SiteMemory, prints_of
from fraud.app.parts import App
from fraud.checks.applicants.context import protected
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import DecisionKind, SubjectKind
from fraud.domain.programs import Application
from fraud.domain.scans import ScanResult
from fraud.errors import NotFound
from tests.app.products import ingest_one, scan_newest
from tests.app.test_memory import applicant, seen
from tests.conftest import MORNING, settings_of

RING = ("a3", "a7", "a9")
AGENCY = ("a20", "a21", "a22")


def tables(folder: Path) -> None:
    """Forty affiliates over eight days; three undeclared ones are paid together, and so are three of one declared agency."""
    rng = np.random.default_rng(0)
    names = [f"a{n}" for n in range(40)]
    shared = dict.fromkeys(RING, "DE11") | dict.fromkeys(AGENCY, "DE22")
    accounts = pd.DataFrame({"affiliate_id": names, "payout_account": [shared.get(one, f"own-{one}") for one in names]})
    accounts["websites"] = [f"https://{one}.example/" for one in names]
    accounts["group_id"] = [("agency" if one in AGENCY else "") for one in names]
    accounts.to_csv(folder / "affiliates.csv", index=False)
    seconds = np.sort(rng.uniform(0, 8 * 86_400, 8_000))
    clicks = pd.DataFrame(
        {
            "click_id": [f"c{n}" for n in range(seconds.size)],
            "clicked_at": [(MORNING - timedelta(days=8, hours=1) + timedelta(seconds=float(at))).isoformat() for at in seconds],
            "affiliate_id": rng.choice(names, seconds.size),
            "device_id": [f"d{one}" for one in rng.integers(0, 60_000, seconds.size)],
        }
    )
    clicks.to_csv(folder / "clicks.csv", index=False)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A product that holds the made-up program."""
    opened = App(settings_of(tmp_path / "workspace"), FixedClock(MORNING))
    tables(tmp_path)
    for kind in ("affiliates", "clicks"):
        ingest_one(opened, kind, tmp_path / f"{kind}.csv")
    yield opened
    opened.close()


@pytest.fixture
def result(app: App) -> ScanResult:
    return scan_newest(app).result


def test_a_ring_is_one_alert_with_its_members(result: ScanResult) -> None:
    (ring,) = result.rings
    assert ring.affiliate_ids == RING
    (alert,) = [one for one in result.alerts if one.subject_kind is SubjectKind.RING]
    assert (alert.subject_id, alert.members) == (ring.ring_id, RING)
    assert "duplicate_account" in alert.typologies
    assert {row.affiliate_id for row in result.affiliates if row.alerted} >= set(RING)
    assert not [one for one in result.alerts if one.subject_id in RING]
    assert {held.affiliate_ids for held in ring.things if held.kind == "payout_account"} == {RING}


def test_a_declared_agency_is_linked_and_not_alerted(app: App, result: ScanResult) -> None:
    assert not {row.affiliate_id for row in result.affiliates if row.alerted} & set(AGENCY)
    links = [link for link in graph_around(app, DEFAULT_PROGRAM, "a20").links if link.declared]
    assert {link.left for link in links} | {link.right for link in links} == set(AGENCY)


def test_sites_that_were_vetted_join_the_accounts_they_belong_to(app: App) -> None:
    accounts = (TrackerId(kind="google_adsense", value="pub-1"), TrackerId(kind="google_tag_manager", value="GTM-1"))
    memory = SiteMemory(DEFAULT_PROGRAM, prints_of(app), app.workspace.root / "lists", app.pepper)
    for name in ("a30", "a31", "a32"):
        memory.remember(protected(applicant(name), app.pepper), seen(name, trackers=accounts))
    found = scan_newest(app).result
    assert ("a30", "a31", "a32") in {ring.affiliate_ids for ring in found.rings}
    (link,) = [one for one in graph_around(app, DEFAULT_PROGRAM, "a30").links if {one.left, one.right} == {"a30", "a31"}]
    assert "the same tag manager" in link.text
    assert link.also_explained_by


def test_confirming_one_member_scores_the_others_again_and_says_so(app: App, result: ScanResult, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("affiliate_id,label\na3,bad\n")
    ingest_one(app, "labels", labels)
    again = rescore_linked(app, DEFAULT_PROGRAM, "a3", SYSTEM)
    assert [one.affiliate_id for one in again] == ["a7", "a9"]
    assert all(one.after > one.before for one in again)
    told = [entry["detail"]["text"] for entry in app.stores.audit.entries(DEFAULT_PROGRAM, 10) if entry["action"] == "graph.rescored"]
    assert "because a3, to whom it is linked, was reviewed" in told[0]
    newest = app.stores.decisions.latest(DEFAULT_PROGRAM, DecisionKind.SCAN, "a7")
    assert newest is not None
    assert "Linked to a3, confirmed bad by a reviewer." in [reason.text for reason in newest.verdict.reasons]
    assert rescore_linked(app, DEFAULT_PROGRAM, "a3", SYSTEM) == ()
    assert {row.affiliate_id: row.score for row in scan_newest(app).result.affiliates}["a7"] > 0.3


def test_somebody_who_was_never_scanned_moves_nobody(app: App) -> None:
    assert rescore_linked(app, DEFAULT_PROGRAM, "a3", SYSTEM) == ()


def test_the_graph_is_kept_until_something_changes(app: App, tmp_path: Path) -> None:
    first = update_graph(app, DEFAULT_PROGRAM)
    assert update_graph(app, DEFAULT_PROGRAM) == first
    folder = first.file.parent
    days = {file.name: file.stat().st_mtime_ns for file in folder.glob("2026-*.parquet")}
    assert len(days) in {8, 9}
    late = tmp_path / "late.csv"
    late.write_text(f"click_id,clicked_at,affiliate_id,device_id\nlate,{(MORNING - timedelta(hours=2)).isoformat()},a1,shown-late\n")
    ingest_one(app, "clicks", late)
    again = update_graph(app, DEFAULT_PROGRAM)
    assert again.file != first.file
    assert list(folder.glob("shared_*.parquet")) == [again.file]
    now = {file.name: file.stat().st_mtime_ns for file in folder.glob("2026-*.parquet")}
    assert len(now.items() - days.items()) == 1


def test_a_page_may_take_the_graph_since_the_newest_scan_and_says_so(app: App, tmp_path: Path) -> None:
    before = graph_around(app, DEFAULT_PROGRAM, "a1", FRESH)
    newer = tmp_path / "newer.csv"
    newer.write_text(f"click_id,clicked_at,affiliate_id,device_id\nnewer,{(MORNING + timedelta(minutes=1)).isoformat()},a1,new\n")
    ingest_one(app, "clicks", newer)
    assert graph_around(app, DEFAULT_PROGRAM, "a1", FRESH) == before
    assert graph_around(app, DEFAULT_PROGRAM, "a1").as_of > before.as_of


def test_an_applicant_is_linked_at_the_moment_of_applying(app: App) -> None:
    known = Acquaintances(app, DEFAULT_PROGRAM)
    found = known.of(Application(application_id="new", websites=("new.example",), payout_account="de 11", tax_id="T1"))
    assert found
    match, *more = found
    assert (match.other, match.tier, len(more)) == ("a3", "identity", 2)
    met = known.of(Application(application_id="newer", websites=("newer.example",), tax_id="t-1"))
    assert met
    (again,) = met
    assert (again.other, again.role) == ("new", "applicant")


def test_nobody_known_is_said_so(app: App) -> None:
    with pytest.raises(NotFound, match="Nothing is known of 'nobody'"):
        graph_around(app, DEFAULT_PROGRAM, "nobody")
