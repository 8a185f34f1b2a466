"""Shadows, report links, targets and erasure, on both databases."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from fraud.decisions.erasing import erased, is_erased
from fraud.domain.decisions import Artefact, DecisionKind, Outcome, SubjectKind
from fraud.domain.outbox import EventKind, OutboundEvent
from fraud.domain.programs import Application
from fraud.domain.report_links import ReportLink
from fraud.domain.scans import Period
from fraud.domain.shadows import ShadowDecision
from fraud.domain.targets import Metric, Target
from fraud.errors import NotFound
from fraud.storage.applications import SqlApplications
from fraud.storage.database import Database
from fraud.storage.decisions import SqlDecisions
from fraud.storage.erasure import SqlErasure, bare_application
from fraud.storage.outbox import SqlOutbox
from fraud.storage.report_links import SqlReportLinks
from fraud.storage.shadows import SqlShadows
from fraud.storage.targets import SqlTargets
from tests.storage.samples import NOON, decision

PACK = Artefact(id="other@1", hash="1" * 64)


def shadow(number: int, outcome: Outcome = Outcome.PASS, program: str = "shoes") -> ShadowDecision:
    return ShadowDecision(
        decision_id=f"dec_{number}",
        program_id=program,
        policy=PACK,
        kind=DecisionKind.SCAN,
        subject_kind=SubjectKind.AFFILIATE,
        subject_id="a",
        decided_at=NOON + timedelta(minutes=number),
        live=Outcome.PASS,
        outcome=outcome,
        score=0.5,
        commission=Decimal("4.50"),
        currency="EUR",
    )


def test_shadows_are_kept_once_in_order_and_apart(database: Database) -> None:
    store = SqlShadows(database)
    made = [shadow(2, Outcome.REVIEW), shadow(1), shadow(3)]
    store.add(made)
    store.add([*made, shadow(1, program="hats")])
    assert store.count("shoes", PACK.hash) == 3
    assert list(store.all("shoes", PACK.hash)) == [made[1], made[0], made[2]]
    assert list(store.all("shoes", PACK.hash, differing=True)) == [made[0]]
    assert store.count("shoes", "0" * 64) == 0


def test_links_are_found_by_program_and_id_and_remember_their_end(database: Database) -> None:
    store = SqlReportLinks(database)
    link = ReportLink(
        link_id="lnk_1", program_id="shoes", affiliate_id="a", created_at=NOON, created_by="Ada", expires_at=NOON + timedelta(days=1)
    )
    store.save(link)
    store.save(msgspec.structs.replace(link, revoked_at=NOON))
    assert store.get("shoes", "lnk_1").revoked_at == NOON
    assert [one.link_id for one in store.all("shoes")] == ["lnk_1"]
    with pytest.raises(NotFound):
        store.get("hats", "lnk_1")


def test_targets_come_by_their_end(database: Database) -> None:
    store = SqlTargets(database)
    late, soon = (
        Target(
            target_id=f"tgt_{days}",
            program_id="shoes",
            affiliate_id="",
            metric=Metric.REVENUE,
            goal=Decimal("1000.50"),
            period=Period(start=NOON, end=NOON + timedelta(days=days)),
            set_at=NOON,
            set_by="Ada",
            reason="Spring",
        )
        for days in (30, 7)
    )
    store.save(late)
    store.save(soon)
    assert store.all("shoes") == [soon, late]
    assert store.all("hats") == []
    with pytest.raises(NotFound, match="fraud target list"):
        store.get("hats", "tgt_7")


@pytest.mark.parametrize("name", ["198.51.100.7", "50%_off", 'a"quote', "back\\slash", "müller", "'; --"])
def test_a_decision_is_found_by_whom_it_names_and_by_nothing_else(database: Database, name: str) -> None:
    decisions, erasure = SqlDecisions(database), SqlErasure(database)
    about, other = decision("dec_1", inputs={"click": {"ip": name}}), decision("dec_2", inputs={"click": {"ip": "x"}})
    decisions.add([about, other])
    assert [one.decision_id for one in erasure.decisions_naming(about.program_id, name)] == ["dec_1"]
    assert erasure.decisions_naming("hats", name) == []
    erasure.rewrite([erased(about, [name], NOON)])
    assert is_erased(decisions.get(about.program_id, "dec_1"))
    assert decisions.get(about.program_id, "dec_2") == other
    assert erasure.decisions_naming(about.program_id, name) == []


def test_old_inputs_are_found_until_they_are_erased(database: Database) -> None:
    decisions, erasure = SqlDecisions(database), SqlErasure(database)
    old = decision("dec_1", kind=DecisionKind.SCORE, inputs={"click": {}})
    decisions.add([old, decision("dec_2", kind=DecisionKind.SCAN)])
    kinds, later = [DecisionKind.SCORE], old.decided_at + timedelta(days=1)
    assert erasure.decisions_before(old.program_id, kinds, old.decided_at, 9) == []
    assert [one.decision_id for one in erasure.decisions_before(old.program_id, kinds, later, 9)] == ["dec_1"]
    erasure.rewrite([erased(old, [], NOON)])
    assert erasure.decisions_before(old.program_id, kinds, later, 9) == []


def test_an_application_becomes_bare_and_what_named_its_applicant_is_forgotten(database: Database) -> None:
    applications, erasure, outbox = SqlApplications(database), SqlErasure(database), SqlOutbox(database)
    made = Application(application_id="app_1", program_id="shoes", name="Ada Lovelace", applied_at=NOON)
    applications.save(made)
    event = OutboundEvent(
        event_id="evt_1", program_id="shoes", kind=EventKind.DECISION_MADE, subject="app_1", created_at=NOON, data={"of": "Ada Lovelace"}
    )
    outbox.publish([event], [_Anybody()])
    assert erasure.forget_events("shoes", ["Ada Lovelace"]) == 1
    assert erasure.forget_events("shoes", ["Ada Lovelace"]) == 0
    assert [one.application_id for one in erasure.applications_before("shoes", NOON + timedelta(days=1))] == ["app_1"]
    erasure.forget_applicant(bare_application(made), lambda dossier: dossier)
    assert applications.get("shoes", "app_1") == Application(application_id="app_1", program_id="shoes", applied_at=NOON)
    assert erasure.applications_before("shoes", NOON + timedelta(days=1)) == []


class _Anybody:
    name = "anybody"

    def wants(self, event: OutboundEvent) -> bool:
        return bool(event)

    def deliver(self, event: OutboundEvent, at: object) -> None:
        raise AssertionError((event, at))
