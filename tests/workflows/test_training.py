"""Learning from reviews: what a lesson is made of, what a ranker says, and whom to review next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from fraud.checks.traffic.facts import FeatureResidual, TrafficCounts, TrafficFacts
from fraud.decisions.inputs import PeerKey, TrafficInputs
from fraud.decisions.ranking import COLUMNS, TrafficRanker, fit_ranker, vector_of, with_ranks
from fraud.domain.decisions import Artefact, Decision, DecisionKind, Outcome, SubjectKind, Verdict
from fraud.domain.scans import CommissionAtRisk, RankedSubject
from fraud.domain.signals import Family, Reason, Severity
from fraud.errors import InputError
from fraud.features.catalogue import feature_set_hash
from fraud.workflows.training import Label, lesson_of, review_sample, train

NIGHT = datetime(2026, 3, 20, tzinfo=UTC)
DAY = timedelta(days=1)


def inputs(number: int, bad: bool, evidence: float | None = None) -> TrafficInputs:
    """An affiliate; the bad ones sell to few people and have many refunds, which the statistics hardly noticed."""
    rng = np.random.default_rng(number)
    said = float(rng.gamma(1.0, 0.6) + 0.4 * bad) if evidence is None else evidence
    values = {
        "repeated_customer_share": float(np.clip(rng.beta(2, 20) + 0.3 * bad, 0, 1)),
        "reversal_share": float(np.clip(rng.beta(2, 30) + 0.25 * bad, 0, 1)),
        "top_agent_share": float(rng.beta(3, 9)),
    }
    facts = TrafficFacts(
        subject=f"a{number}",
        values=values,
        support=dict.fromkeys(values, 80.0),
        counts=TrafficCounts(clicks=200, conversions=20),
        peers={"repeated_customer_share": 0.09, "reversal_share": 0.06, "top_agent_share": 0.25},
        residuals=(FeatureResidual(feature="top_agent_share", side="high", z=0.5, value=0.3, peer=0.25, support=80.0),),
        evidence=said,
    )
    return TrafficInputs(facts=facts, peer_key=PeerKey(affiliate_type=None, main_country=None, clicks=200))


def decision(number: int, bad: bool, as_of: datetime = NIGHT, **changes: Any) -> Decision:
    verdict = Verdict(outcome=Outcome.PASS, score=0.1, coverage=1.0, typologies=(), reasons=(), guards=(), public_reason="")
    plain = Decision(
        decision_id=f"d{number}-{as_of:%d}",
        program_id="p",
        kind=DecisionKind.SCAN,
        subject_kind=SubjectKind.AFFILIATE,
        subject_id=f"a{number}",
        as_of=as_of,
        decided_at=as_of,
        decided_by="system",
        verdict=verdict,
        signals=(),
        policy=Artefact(id="default", hash="0"),
        feature_set_hash=feature_set_hash(),
        inputs=msgspec.to_builtins(inputs(number, bad)),
        run_id=f"scan-{as_of:%d}",
    )
    return msgspec.structs.replace(plain, **changes)


def is_bad(number: int) -> bool:
    return number % 4 == 0


def night(many: int = 160, as_of: datetime = NIGHT) -> list[Decision]:
    return [decision(number, is_bad(number), as_of) for number in range(many)]


def labels(many: int = 130) -> dict[str, Label]:
    return {f"a{number}": Label(bad=is_bad(number), at=NIGHT + DAY) for number in range(many)}


@pytest.fixture(scope="module")
def ranker() -> TrafficRanker:
    return train(lesson_of(night(), labels()))[0]


class TestLesson:
    def test_of_the_reviewed_alone_with_the_whole_night_beside_it(self) -> None:
        lesson = lesson_of(night(), labels())
        assert lesson.rows.shape == (130, len(COLUMNS))
        assert lesson.bad.sum() == sum(is_bad(number) for number in range(130))
        assert lesson.night.shape == (160, len(COLUMNS))
        assert not lesson.unlabelled

    def test_an_affiliate_is_learned_from_as_its_reviewer_saw_it(self) -> None:
        """The label is of the 21st: the scan of the 20th is what was looked at, not those of the 10th and the 28th."""
        three = [one for day in (10, 20, 28) for one in night(as_of=NIGHT.replace(day=day))]
        seen = decision(7, False, NIGHT, inputs=msgspec.to_builtins(inputs(7, False, evidence=9.75)))
        lesson = lesson_of([seen if one.decision_id == "d7-20" else one for one in three], labels())
        assert 9.75 in lesson.rows[:, 0]
        assert len(lesson.night) == 160

    @pytest.mark.parametrize(("many", "bad"), [(0, 0), (59, 20), (100, 10), (100, 0)])
    def test_too_few_labels_say_how_many_are_missing(self, many: int, bad: int) -> None:
        few = {f"a{number}": Label(bad=number < bad) for number in range(many)}
        with pytest.raises(InputError, match=rf"^{many} reviewed affiliates .* {bad} of them bad: 60 with 15 bad"):
            lesson_of(night(), few)

    def test_decisions_of_older_features_teach_nothing_and_are_counted(self) -> None:
        old = [msgspec.structs.replace(one, feature_set_hash="older") for one in night()]
        with pytest.raises(InputError, match="130 more decisions are of an older set"):
            lesson_of(old, labels())

    def test_where_only_bad_ones_are_known_the_others_stand_unlabelled(self) -> None:
        confirmed = {f"a{number}": Label(bad=True) for number in range(80) if is_bad(number)}
        lesson = lesson_of(night(), confirmed)
        assert lesson.unlabelled
        assert (len(lesson.bad), int(lesson.bad.sum())) == (160, 20)
        ranker, trained = train(lesson)
        assert trained.unlabelled
        assert ranker.ranker.label_frequency_ < 1.0


class TestRanker:
    def test_learns_what_the_statistics_hardly_noticed(self, ranker: TrafficRanker) -> None:
        others = [inputs(number, is_bad(number)) for number in range(1_000, 1_200)]
        ranked = np.array([said for said in ranker.ranked(others) if said is not None])
        bad = np.array([is_bad(number) for number in range(1_000, 1_200)])
        assert np.median(ranked[bad]) > np.quantile(ranked[~bad], 0.95)

    def test_speaks_in_the_unit_of_the_evidence(self, ranker: TrafficRanker) -> None:
        everybody = [inputs(number, is_bad(number)) for number in range(160)]
        ranked = sorted(said for said in ranker.ranked(everybody) if said is not None)
        evidence = sorted(one.facts.evidence or 0.0 for one in everybody)
        assert np.allclose(ranked, evidence, atol=0.01)

    def test_keeps_the_order_of_whoever_is_surer_than_the_night(self, ranker: TrafficRanker) -> None:
        said = ranker.in_evidence(np.array([-50.0, ranker.odds[0], ranker.odds[-1], ranker.odds[-1] + 1, ranker.odds[-1] + 2]))
        assert (np.diff(said[1:]) > 0).all()
        assert (said >= 0).all()

    def test_says_the_same_of_one_and_of_many(self, ranker: TrafficRanker) -> None:
        many = [inputs(number, is_bad(number)) for number in range(30)]
        assert [ranker.ranked([one])[0] for one in many] == ranker.ranked(many)
        assert ranker.ranked([]) == []

    def test_of_whom_nothing_is_known_nothing_is_said(self, ranker: TrafficRanker) -> None:
        unknown = inputs(1, False)
        unknown = msgspec.structs.replace(unknown, facts=msgspec.structs.replace(unknown.facts, evidence=None))
        assert with_ranks(ranker, [unknown]) == [unknown]
        assert with_ranks(None, [unknown]) == [unknown]

    def test_names_what_moved_a_place(self, ranker: TrafficRanker) -> None:
        influences = ranker.explain(inputs(4_000, True).facts, top=4)
        assert {one.column.partition(":")[0] for one in influences} & {"repeated_customer_share", "reversal_share"}
        assert influences[0].log_odds > 0
        assert [abs(one.log_odds) for one in influences] == sorted((abs(one.log_odds) for one in influences), reverse=True)

    def test_needs_both_kinds(self) -> None:
        rows = np.array([vector_of(inputs(number, False).facts) for number in range(70)])
        with pytest.raises(ValueError, match="two classes"):
            fit_ranker(rows, np.zeros(70, dtype=bool), rows)


def row(number: int, code: str) -> RankedSubject:
    reason = Reason(code=code, family=Family.TIMING, severity=Severity.HIGH, text=f"text of {code}")
    nothing = CommissionAtRisk(low=None, mid=None, high=None, currency=None)
    return RankedSubject(
        affiliate_id=f"a{number}",
        rank=number,
        score=1.0 / number,
        outcome=Outcome.REVIEW,
        alerted=False,
        decision_id=f"d{number}",
        typologies=(),
        reasons=(reason,),
        clicks=10,
        conversions=1,
        commission=None,
        commission_at_risk=nothing,
    )


class TestSample:
    def test_is_two_thirds_of_the_riskiest_and_one_third_by_chance(self) -> None:
        rows = [row(number, f"code{number % 7}") for number in range(1, 301)]
        asked = review_sample(rows, reviewed={"a1", "a2"}, size=30, seed=1)
        top = [one for one in asked if one.chosen == "rank"]
        assert len(top) == 20
        assert [one.rank for one in top] == list(range(3, 23))
        assert len({one.affiliate_id for one in asked}) == 30
        assert max(one.rank for one in asked if one.chosen == "chance") > 100
        assert review_sample(rows, {"a1", "a2"}, 30, seed=1) == asked
        assert review_sample(rows, {"a1", "a2"}, 30, seed=2) != asked

    def test_does_not_show_the_same_reason_thirty_times(self) -> None:
        rows = [row(number, "bots" if number <= 60 else f"code{number}") for number in range(1, 301)]
        top = [one for one in review_sample(rows, (), 30, seed=1) if one.chosen == "rank"]
        assert sum(one.reason == "text of bots" for one in top) == 7

    def test_of_few_is_everybody_who_is_left(self) -> None:
        rows = [row(number, "one") for number in range(1, 6)]
        assert {one.affiliate_id for one in review_sample(rows, {"a5"}, 30, seed=1)} == {"a1", "a2", "a3", "a4"}
        assert review_sample([], (), 30, seed=1) == []
