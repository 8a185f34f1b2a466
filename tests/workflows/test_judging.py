"""The quick answer to a click is the answer its decision gives."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.checks.clicks import CLICK_CHECK_FUNCTIONS, CLICK_CODES, CLICK_GRADES
from fraud.checks.clicks.facts import ClickFacts, Codes, ManyClickFacts, ModelView
from fraud.checks.grades import GRADES, is_finding
from fraud.checks.standing import AffiliateStanding, AgentFacts
from fraud.domain.catalogue import Limits
from fraud.domain.clicks import ListedClicks
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import Artefact, Decision, Outcome
from fraud.domain.events import Click
from fraud.domain.shared import Shared
from fraud.domain.signals import Severity, Status
from fraud.features.realtime import CLICK_FEATURE_NAMES
from fraud.policy.loading import load_pack
from fraud.policy.pack import Pack
from fraud.policy.rules import Examples, Rule
from fraud.storage.counters import MemoryCounters
from fraud.workflows.judged import CLICKS_A_RECORD, JudgedClicks, clicks_in, read_record, records_of
from fraud.workflows.judging import FEW, ClickJudge
from fraud.workflows.scoring import ClickScorer, JudgedClick, ScoringTools, UnknownRisks, checks_of, click_verdict, decision_on

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PACK = load_pack()
CLICK = Click(click_id="c1", clicked_at=NOON, affiliate_id="aff")


def judge_of(pack: Pack) -> ClickJudge:
    return ClickJudge(pack, checks_of(pack), lambda facts, signals: click_verdict(pack, facts, signals))


JUDGE = judge_of(PACK)
"""One judge for all examples, so that patterns it has seen before are asked about too."""

NUMBERS = st.none() | st.floats(0, 200)
STANDINGS = st.builds(
    AffiliateStanding,
    status=st.sampled_from([None, "active", " Suspended", "banned"]),
    sub_id_status=st.sampled_from([None, "suspended"]),
    risk=st.none() | st.floats(0, 1),
    held=st.booleans(),
)
FACTS = st.builds(
    ClickFacts,
    click=st.just(CLICK),
    features=st.fixed_dictionaries(dict.fromkeys(CLICK_FEATURE_NAMES, NUMBERS)),
    identified=st.booleans(),
    agent=st.none() | st.builds(AgentFacts, declared_bot=st.booleans(), why=st.just("bot")),
    standing=STANDINGS,
    model=st.none() | st.builds(ModelView, score=st.floats(0, 1), p_value=st.floats(0, 1), features=st.just(("ip_clicks_1m",))),
    degraded=st.sampled_from(["", "no_model", "deadline", "future"]),
)


@settings(max_examples=300, deadline=None)
@given(FACTS)
def test_a_judgement_is_what_the_verdict_in_full_says(facts: ClickFacts) -> None:
    verdict = click_verdict(PACK, facts, checks_of(PACK).run("c1", facts))
    judged = JUDGE.judge(facts)
    assert (judged.outcome, judged.score, judged.reasons) == (verdict.outcome, verdict.score, verdict.reasons)


@settings(max_examples=300, deadline=None)
@given(FACTS)
def test_a_check_ends_as_its_grade_says(facts: ClickFacts) -> None:
    for spec, check, limits in checks_of(PACK).steps:
        grade = CLICK_GRADES[spec.check_id](facts, limits)
        told = check(facts, limits)
        (signal,) = told if isinstance(told, tuple) else (told,)
        ends: Severity | Status = signal.severity if signal.found else signal.status
        assert (ends, signal.found) == (grade, is_finding(grade))


def test_every_check_has_a_grade() -> None:
    assert CLICK_GRADES.keys() == CLICK_CHECK_FUNCTIONS.keys()


def test_rules_of_the_program_are_asked_every_time() -> None:
    examples = Examples(fires=({"affiliate_id": "watched"},), quiet=({"affiliate_id": "other"},))
    rule = Rule(
        id="own.review",
        job="click",
        owner="o",
        description="d",
        when='affiliate_id == "watched"',
        examples=examples,
        at_least=Outcome.REVIEW,
    )
    judge = judge_of(msgspec.structs.replace(PACK, rules=(rule,)))
    calm = ClickFacts(click=CLICK, features=dict.fromkeys(CLICK_FEATURE_NAMES), identified=False)
    watched = msgspec.structs.replace(calm, click=msgspec.structs.replace(CLICK, affiliate_id="watched"))
    assert [judge.judge(facts).outcome for facts in (calm, watched, calm)] == [Outcome.ALLOW, Outcome.REVIEW, Outcome.ALLOW]


def clicks(count: int) -> list[Click]:
    """Some repeats, some robots, one visitor in a hurry."""

    def click(number: int) -> Click:
        columns: dict[str, Any] = {"ip": f"203.0.113.{number % 3}", "offer_id": "shoes", "country": "DE" if number % 5 else None}
        agent = "curl/8" if number % 11 == 0 else "Mozilla/5.0 (X11; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0"
        return Click(
            click_id=f"c{number % 70}", clicked_at=NOON + timedelta(seconds=number % 70), affiliate_id="aff", user_agent=agent, **columns
        )

    return [click(number) for number in range(count)]


@pytest.mark.parametrize("pack", [PACK, msgspec.structs.replace(PACK, score=msgspec.structs.replace(PACK.score, fail_open=False))])
def test_the_decision_made_later_is_the_one_that_was_answered(pack: Pack) -> None:
    in_full: list[Decision] = []
    judged: list[JudgedClick] = []
    tools = ScoringTools(priors=UnknownRisks(), counters=MemoryCounters(), record=in_full.append, clock=FixedClock(NOON))
    slow = ClickScorer(pack, None, tools)
    quick = ClickScorer(pack, None, replace(tools, counters=MemoryCounters(), judged=judged.extend))
    for click in clicks(100):
        told, given = slow.score(click).answer, quick.answer(click)
        assert (given.decision, given.score, given.reasons, given.degraded) == (told.decision, told.score, told.reasons, told.degraded)
    later = [decision_on(msgspec.msgpack.decode(msgspec.msgpack.encode(one), type=JudgedClick), pack) for one in judged]
    assert len(later) == len(in_full) == 70
    for mine, other in zip(later, in_full, strict=True):
        assert msgspec.structs.replace(mine, decision_id="") == msgspec.structs.replace(other, decision_id="")


def _plain(value: float | None) -> float:
    return math.nan if value is None else value


def by_column(facts: list[ClickFacts]) -> ManyClickFacts:
    """Clicks one by one as columns."""
    views = [one.model for one in facts]
    return ManyClickFacts(
        clicks=ListedClicks([one.click for one in facts]),
        features=np.array([[_plain(one.features[name]) for name in CLICK_FEATURE_NAMES] for one in facts]),
        identified=np.array([one.identified for one in facts]),
        agents=Shared.of([one.agent for one in facts]),
        standings=Shared.of([one.standing for one in facts]),
        scores=np.array([view.score if view else math.nan for view in views]),
        p_values=np.array([view.p_value if view else math.nan for view in views]),
        named={place: view.features for place, view in enumerate(views) if view},
        degraded=[one.degraded for one in facts],
    )


USUAL = ModelView(score=0.5, p_value=0.5)
AS_SERVED = FACTS.map(lambda facts: msgspec.structs.replace(facts, model=None if facts.degraded else facts.model or USUAL))
"""A click that is not degraded was seen by the model, as in every group that is answered."""


@settings(max_examples=15, deadline=None)
@given(st.lists(AS_SERVED, min_size=FEW, max_size=2 * FEW))
def test_many_are_judged_as_each_is(facts: list[ClickFacts]) -> None:
    many = by_column(facts)
    assert [many.of(place) for place in range(len(many))] == facts
    assert list(judge_of(PACK).judge_many(many)) == list(JUDGE.judge_many(many)) == [JUDGE.judge(one) for one in facts]


@settings(max_examples=15, deadline=None)
@given(st.lists(FACTS, min_size=1, max_size=2 * FEW))
def test_a_check_of_many_ends_as_its_grades_say(facts: list[ClickFacts]) -> None:
    for spec, _, limits in checks_of(PACK).steps:
        codes = CLICK_CODES[spec.check_id](by_column(facts), limits)
        assert [GRADES[code] for code in codes] == [CLICK_GRADES[spec.check_id](one, limits) for one in facts]


def test_many_with_a_check_that_breaks_off_are_judged_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(many: ManyClickFacts, limits: Limits) -> Codes:
        raise ZeroDivisionError

    monkeypatch.setitem(CLICK_CODES, "click.burst", broken)
    calm = ClickFacts(click=CLICK, features=dict.fromkeys(CLICK_FEATURE_NAMES), identified=False, model=ModelView(score=0.5, p_value=0.5))
    assert list(judge_of(PACK).judge_many(by_column([calm] * FEW))) == [JUDGE.judge(calm)] * FEW


def test_every_grade_is_told_of_many() -> None:
    assert CLICK_CODES.keys() == CLICK_GRADES.keys()


@settings(max_examples=15, deadline=None)
@given(st.lists(AS_SERVED, min_size=1, max_size=3 * CLICKS_A_RECORD))
def test_records_read_back_as_what_was_seen(facts: list[ClickFacts]) -> None:
    names = [str(place) for place in range(len(facts))]
    seen = JudgedClicks(names, NOON, names, by_column(facts), PACK.artefact, (Artefact(id="m", hash="h"),), "features")
    records = records_of(seen)
    assert [one for record in records for one in read_record(record)] == list(seen)
    assert [clicks_in(record) for record in records] == [len(read_record(record)) for record in records]


def test_a_record_that_names_the_columns_of_its_clicks_is_read_too() -> None:
    calm = ClickFacts(click=CLICK, features=dict.fromkeys(CLICK_FEATURE_NAMES), identified=False, model=ModelView(score=0.5, p_value=0.5))
    seen = JudgedClicks(["d"], NOON, ["r"], by_column([calm]), PACK.artefact, (), "features")
    (record,) = records_of(seen)
    columns = msgspec.msgpack.decode(record[1:])
    columns[3] = [msgspec.structs.asdict(CLICK)]
    assert list(read_record(record[:1] + msgspec.msgpack.encode(columns))) == list(seen)
