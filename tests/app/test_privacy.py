"""A person's data handed out and erased: found wherever they are, gone from every answer, and what was decided still provable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from crawlers import CrawlSettings
from fraud.app.keeping import open_writer, visit_keeper
from fraud.app.parts import App
from fraud.app.privacy import erase_person, export_person, keep_no_longer
from fraud.app.replaying import replay_decision
from fraud.app.scoring import Scorers
from fraud.app.vetting import VettingMeans, vet_applications
from fraud.decisions.erasing import ERASED
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import Decision, DecisionKind
from fraud.domain.events import Click, Visit
from fraud.domain.hashing import canonical_json, sha256_of
from fraud.domain.privacy import FOUND_BY, IDENTIFYING, PersonKind
from fraud.domain.tables import TABLES
from fraud.errors import InputError, NotFound, ReplayError
from fraud.simulation.sites.applications import FORCED, PROFILE, serve_sites
from fraud.storage.erasure import SqlErasure
from fraud.storage.lake_upkeep import GRACE
from tests.app.products import ingest_one
from tests.conftest import MORNING, OpenApp

WHY = (SYSTEM, "Request 17")
CLICKED = datetime(2026, 3, 2, 10, 1, tzinfo=UTC)
CLICKS = """click_id,clicked_at,affiliate_id,ip,user_agent,device_id
c1,2026-03-02T10:00:00Z,a,198.51.100.7,Browser/1,d-1
c2,2026-03-02T10:00:01Z,a,198.51.100.8,Browser/1,d-2
c3,2026-03-03T10:00:01Z,b,198.51.100.7,Browser/2,d-3
"""
CONVERSIONS = """conversion_id,converted_at,affiliate_id,click_id,customer_id,customer_email,ip,amount,commission,currency
v1,2026-03-02T11:00:00Z,a,c1,ada,Ada.Lovelace+shop@gmail.com,198.51.100.7,100,5,EUR
v2,2026-03-03T11:00:00Z,a,c2,bob,bob@example.org,198.51.100.8,50,2.5,EUR
"""
AFFILIATES = "affiliate_id,name,email,phone\na,Ada,adalovelace@googlemail.com,+49 30 123456\nb,Bob,bob@site.example,+49 30 654321\n"


@pytest.fixture
def shop(app: App, tmp_path: Path) -> App:
    for kind, written in (("clicks", CLICKS), ("conversions", CONVERSIONS), ("affiliates", AFFILIATES)):
        file = tmp_path / f"{kind}.csv"
        file.write_text(written)
        ingest_one(app, kind, file)
    return app


def rows(app: App, sql: str) -> list[tuple[object, ...]]:
    with app.lake.connect(DEFAULT_PROGRAM) as events:
        return events.sql(sql).fetchall()


def test_a_mail_address_finds_the_person_however_it_is_spelled(shop: App) -> None:
    found = export_person(shop, DEFAULT_PROGRAM, (PersonKind.EMAIL, "ada.lovelace@gmail.com"), SYSTEM)
    assert [row["conversion_id"] for row in found.rows["conversions"]] == ["v1"]
    assert [row["affiliate_id"] for row in found.rows["affiliates"]] == ["a"]
    entry = shop.stores.audit.entries(DEFAULT_PROGRAM, 1)[0]
    assert (entry["action"], entry["subject"]) == ("privacy.exported", found.subject)
    assert "ada" not in str(entry)


def test_erasing_a_customer_keeps_the_money_and_forgets_the_person(shop: App) -> None:
    before = rows(shop, "SELECT sum(commission), count(*) FROM conversions")
    done = erase_person(shop, DEFAULT_PROGRAM, (PersonKind.CUSTOMER, "ada"), WHY)
    assert done.rows == {"conversions": 1}
    assert rows(shop, "SELECT sum(commission), count(*) FROM conversions") == before
    about = rows(shop, "SELECT customer_id, customer_email, customer_email_domain, ip, amount FROM conversions ORDER BY conversion_id")
    assert about[0] == (None, None, None, None, 100)
    assert about[1][0] == "bob"
    assert export_person(shop, DEFAULT_PROGRAM, (PersonKind.CUSTOMER, "ada"), SYSTEM).rows == {"conversions": []}


def test_erasing_an_address_touches_only_rows_with_it(shop: App) -> None:
    assert erase_person(shop, DEFAULT_PROGRAM, (PersonKind.IP, "198.51.100.7"), WHY).rows == {
        "clicks": 2,
        "conversions": 1,
        "affiliates": 0,
        "visits": 0,
    }
    assert rows(shop, "SELECT click_id, ip, device_id, affiliate_id FROM clicks ORDER BY click_id") == [
        ("c1", None, None, "a"),
        ("c2", "198.51.100.8", "d-2", "a"),
        ("c3", None, None, "b"),
    ]


def test_what_was_answered_moments_ago_is_said_to_be_on_its_way(shop: App) -> None:
    who, writer = (PersonKind.IP, "198.51.100.99"), open_writer(shop)
    scorer = Scorers(shop, writer.record, writer.record_clicks).of(DEFAULT_PROGRAM)
    addresses = ["198.51.100.99", "198.51.100.1", "198.51.100.99"]
    clicks = [Click(click_id=f"late{place}", clicked_at=MORNING, affiliate_id="a", ip=ip) for place, ip in enumerate(addresses)]
    scorer.answer_many(clicks, ["r"] * 3)
    first = erase_person(shop, DEFAULT_PROGRAM, who, WHY)
    assert (first.rows["clicks"], first.on_their_way) == (0, 2)
    assert erase_person(shop, "another", who, WHY).on_their_way == 0, "another program's people are others"
    writer.close()
    second = erase_person(shop, DEFAULT_PROGRAM, who, WHY)
    assert (second.rows["clicks"], second.on_their_way) == (2, 0)
    assert rows(shop, "SELECT count(*) FROM clicks WHERE ip = '198.51.100.99'") == [(0,)]


def test_what_was_erased_leaves_the_disk_when_readers_are_done(shop: App) -> None:
    erase_person(shop, DEFAULT_PROGRAM, (PersonKind.DEVICE, "d-1"), WHY)
    shop.lake.compact(MORNING + timedelta(days=3650))
    files = list((shop.workspace.root / "lake").glob("clicks/**/*.parquet"))
    assert files
    with shop.lake.connect(DEFAULT_PROGRAM) as events:
        found = events.sql(f"SELECT count(*) FROM read_parquet({[str(one) for one in files]}) WHERE device_id = 'd-1'").fetchall()
    assert found == [(0,)]
    assert timedelta(days=1) >= GRACE


def test_reports_of_the_tag_go_with_the_clicks_they_are_of(shop: App) -> None:
    """They name nobody, and yet say how somebody's browser behaved."""
    reports = [Visit(visit_id=f"r{n}", click_id=f"c{n}", seen_at=CLICKED, viewport_width=390, pointer_moves=n) for n in (1, 2, 3)]
    visit_keeper(shop)(DEFAULT_PROGRAM, reports)
    about = (PersonKind.IP, "198.51.100.7")
    assert sorted(row["click_id"] for row in export_person(shop, DEFAULT_PROGRAM, about, SYSTEM).rows["visits"]) == ["c1", "c3"]
    assert erase_person(shop, DEFAULT_PROGRAM, about, WHY).rows["visits"] == 2
    assert rows(shop, "SELECT click_id, viewport_width, pointer_moves FROM visits ORDER BY visit_id") == [
        (None, None, None),
        ("c2", 390, 2),
        (None, None, None),
    ]


def test_reports_of_the_tag_are_kept_no_longer_than_clicks(shop: App) -> None:
    visit_keeper(shop)(DEFAULT_PROGRAM, [Visit(visit_id="r1", click_id="c1", seen_at=CLICKED)])
    removed = {one.kind: one.rows for one in shop.lake.remove_before(CLICKED.date() + timedelta(days=1))}
    assert removed["visits"] == 1
    assert rows(shop, "SELECT count(*) FROM visits") == [(0,)]


def test_other_programs_are_not_touched(shop: App) -> None:
    assert erase_person(shop, "another", (PersonKind.CUSTOMER, "ada"), WHY).rows == {"conversions": 0}
    assert rows(shop, "SELECT count(*) FROM conversions WHERE customer_id = 'ada'") == [(1,)]


def test_rows_set_aside_that_name_the_person_go_too(shop: App) -> None:
    shop.lake.quarantine("clicks", DEFAULT_PROGRAM, [{"row": {"ip": "198.51.100.7"}}, {"row": {"ip": "203.0.113.9"}}], MORNING)
    assert erase_person(shop, DEFAULT_PROGRAM, (PersonKind.IP, "198.51.100.7"), WHY).quarantined == 1
    assert "198.51.100.7" not in str(shop.lake.quarantined(DEFAULT_PROGRAM))


@pytest.mark.parametrize(("value", "reason", "sentence"), [("ab", "Why not", "too short"), ("ada", "  ", "--reason")])
def test_it_takes_a_whole_name_and_a_reason(shop: App, value: str, reason: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        erase_person(shop, DEFAULT_PROGRAM, (PersonKind.CUSTOMER, value), (SYSTEM, reason))


def test_every_column_that_finds_or_names_a_person_is_one_of_its_table() -> None:
    for tables in (IDENTIFYING, *FOUND_BY.values()):
        for table, columns in tables.items():
            known = {column.name for column in TABLES[table].columns}
            assert set(columns) <= known
    named = {column.name for table in TABLES.values() for column in table.columns if column.personal}
    assert named <= {name for columns in IDENTIFYING.values() for name in columns}


@pytest.fixture
def vetted(app: App) -> Decision:
    """The decision on an applicant whose site was visited."""
    with serve_sites() as (host, port):
        means = VettingMeans(actor=SYSTEM, crawl=CrawlSettings(connect_to={80: (host, port)}, delay=0.0))
        (dossier,) = vet_applications(app, [FORCED], PROFILE, means)
    return app.stores.decisions.find(dossier.decision_id)


def test_an_erased_applicant_leaves_the_outcome_and_its_proof(app: App, vetted: Decision) -> None:
    copy = msgspec.json.decode(canonical_json(vetted), type=Decision)
    done = erase_person(app, DEFAULT_PROGRAM, (PersonKind.APPLICANT, FORCED.application_id), WHY)
    left = app.stores.decisions.find(vetted.decision_id)
    assert (left.verdict.outcome, left.verdict.score, left.policy) == (vetted.verdict.outcome, vetted.verdict.score, vetted.policy)
    assert [reason.code for reason in left.verdict.reasons] == [reason.code for reason in vetted.verdict.reasons]
    assert done.proofs == {vetted.decision_id: sha256_of(copy)}
    assert left.inputs["erased"]["document_sha256"] == sha256_of(copy)
    assert {signal.text for signal in left.signals} == {ERASED}
    with pytest.raises(ReplayError, match="erased"):
        replay_decision(app, vetted.decision_id)


def test_nothing_of_an_erased_applicant_is_left_in_the_workspace(app: App, vetted: Decision) -> None:
    assert export_person(app, DEFAULT_PROGRAM, (PersonKind.APPLICANT, FORCED.application_id), SYSTEM).application["name"] == FORCED.name
    erase_person(app, DEFAULT_PROGRAM, (PersonKind.APPLICANT, FORCED.application_id), WHY)
    found = export_person(app, DEFAULT_PROGRAM, (PersonKind.APPLICANT, FORCED.application_id), SYSTEM)
    told = canonical_json(found).decode()
    host = FORCED.websites[0].split("/")[2]
    assert FORCED.name not in told
    assert host not in told
    assert not any(app.evidence.has(sha256) for sha256 in vetted.evidence_manifest)
    tables = ("applications", "application_lines", "dossiers", "decisions", "outbox", "audit_log")
    with app.database.reading() as connection:
        for table in tables:
            held = str(connection.execute(text(f"SELECT * FROM {table}")).all())
            assert FORCED.name not in held
            assert host not in held


def test_who_is_erased_twice_is_erased_once(app: App, vetted: Decision) -> None:
    who = (PersonKind.APPLICANT, FORCED.application_id)
    first, second = erase_person(app, DEFAULT_PROGRAM, who, WHY), erase_person(app, DEFAULT_PROGRAM, who, WHY)
    assert (set(first.proofs), second.proofs) == ({vetted.decision_id}, {})


def test_an_applicant_who_never_was_is_not_found(app: App) -> None:
    with pytest.raises(NotFound):
        erase_person(app, DEFAULT_PROGRAM, (PersonKind.APPLICANT, "app_nobody"), WHY)


def test_each_class_of_data_is_kept_as_long_as_its_setting_says(app: App, vetted: Decision, open_at: OpenApp) -> None:
    app.stores.applications.save(msgspec.structs.replace(FORCED, applied_at=MORNING - timedelta(days=40)))
    kept = app.settings.model_copy(update={"retention_decisions_days": 30, "retention_applications_days": 60})
    app.settings = kept
    assert isinstance(app.clock, FixedClock)
    assert keep_no_longer(app, DEFAULT_PROGRAM) == {"decisions": 0, "applications": 0}
    app.clock.move_to(MORNING + timedelta(days=31))
    assert keep_no_longer(app, DEFAULT_PROGRAM) == {"decisions": 1, "applications": 1}
    assert keep_no_longer(app, DEFAULT_PROGRAM) == {"decisions": 0, "applications": 0}
    assert app.stores.applications.get(DEFAULT_PROGRAM, FORCED.application_id).name == ""


def test_a_scan_s_decision_loses_the_address_and_still_says_what_it_said(scanned_copy: App) -> None:
    decision = next(iter(scanned_copy.stores.decisions.decided(DEFAULT_PROGRAM, DecisionKind.SCAN, MORNING - timedelta(days=99))))
    named = msgspec.structs.replace(decision.signals[0], text="Most came from 198.51.100.7.", value="198.51.100.7")
    SqlErasure(scanned_copy.database).rewrite([msgspec.structs.replace(decision, signals=(named, *decision.signals[1:]))])
    done = erase_person(scanned_copy, DEFAULT_PROGRAM, (PersonKind.IP, "198.51.100.7"), WHY)
    assert list(done.proofs) == [decision.decision_id]
    left = scanned_copy.stores.decisions.find(decision.decision_id)
    assert left.signals[0].text == f"Most came from {ERASED}."
    assert left.verdict == decision.verdict
    assert left.inputs["facts"] == decision.inputs["facts"]
