"""Dear sources are asked only where their answer could change the outcome, unless one asks for it."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from fraud.checks.applicants.context import VettingFacts
from fraud.domain.signals import Severity
from fraud.policy.pack import Pack
from fraud.workflows.asking import Asking, DearSource, completed, could_change
from tests.checks.applicants.samples import PACK, facts, site

FACTS = facts(site())


def source(asked: list[str], gravest: Severity = Severity.LOW, applies: bool = True, ask: Asking = "auto") -> DearSource:
    async def gather(seen: VettingFacts) -> VettingFacts:
        asked.append(seen.subject)
        return seen

    return DearSource("audience.live_links", gravest, lambda _: applies, gather, ask)


def asked_for(ask: Asking, applies: bool = True) -> list[str]:
    asked: list[str] = []
    asyncio.run(completed(FACTS, PACK, (source(asked, applies=applies, ask=ask),)))
    return asked


def heavier(weight: float) -> Pack:
    check = msgspec.structs.replace(PACK.checks["audience.live_links"], weight=weight)
    return msgspec.structs.replace(PACK, checks=PACK.checks | {"audience.live_links": check})


@pytest.mark.parametrize(("ask", "asked"), [("never", []), ("auto", []), ("always", ["app-1"])])
def test_a_source_that_cannot_change_a_clear_case_is_asked_only_on_demand(ask: Asking, asked: list[str]) -> None:
    assert asked_for(ask) == asked


def test_what_does_not_apply_is_not_asked_even_on_demand() -> None:
    assert asked_for("always", applies=False) == []


def test_a_source_whose_finding_would_weigh_enough_is_asked() -> None:
    asked: list[str] = []
    asyncio.run(completed(FACTS, heavier(12.0), (source(asked, Severity.HIGH),)))
    assert asked == ["app-1"]


def test_a_check_that_the_policy_switched_off_is_not_worth_asking_for() -> None:
    off = msgspec.structs.replace(PACK.checks["audience.live_links"], enabled=False, weight=12.0)
    pack = msgspec.structs.replace(PACK, checks=PACK.checks | {"audience.live_links": off})
    assert not could_change(FACTS, pack, source([], Severity.HIGH))
