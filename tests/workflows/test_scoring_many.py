"""Many clicks at once get the answers that each alone would get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import pytest

from fraud.detection.clicks import fit_click_model
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import Artefact
from fraud.domain.events import Click
from fraud.errors import StorageError
from fraud.policy.loading import load_pack
from fraud.storage.counters import MemoryCounters
from fraud.workflows.offline import click_features_of
from fraud.workflows.scoring import (
    AnsweredClicks,
    ClickAnswer,
    ClickScorer,
    JudgedClick,
    ScoringTools,
    ServedModel,
    UnknownRisks,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PACK = load_pack()


def traffic(count: int, seed: int, begin: datetime = NOON) -> list[Click]:
    """A few visitors in a hurry among many, robots, unknown columns, repeats of ids, and clicks from the future."""
    draw = Random(seed)
    return [
        Click(
            click_id=f"{seed}-{draw.randrange(count)}",
            clicked_at=begin + timedelta(seconds=draw.randrange(600), days=draw.choice([0] * 50 + [30])),
            affiliate_id=f"aff{draw.randrange(4)}",
            ip=draw.choice(["203.0.113.7", f"198.51.100.{draw.randrange(250)}", "2001:db8::1", "{ip}", None]),
            user_agent=draw.choice(["Mozilla/5.0 (X11; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0", "curl/8", None]),
            device_id=draw.choice([None, None, f"d{draw.randrange(20)}"]),
            country=draw.choice(["DE", "AT", None]),
            sub_id=draw.choice([None, "s"]),
        )
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def model() -> ServedModel:
    features = click_features_of(traffic(2_500, 1, NOON - timedelta(days=1)), MemoryCounters())
    return ServedModel(fit_click_model(features), Artefact(id="m", hash="h"))


def scorer_of(model: ServedModel | None, keep: Callable[[list[JudgedClick]], None]) -> ClickScorer:
    """A scorer with counters of its own."""
    tools = ScoringTools(priors=UnknownRisks(), counters=MemoryCounters(), record=lambda decision: None, clock=FixedClock(NOON))
    return ClickScorer(PACK, model, replace(tools, judged=lambda clicks: keep(list(clicks))))


def plain(answer: ClickAnswer) -> ClickAnswer:
    """An answer without the name that is new each time."""
    return msgspec.structs.replace(answer, decision_id="")


@pytest.mark.parametrize("served", [True, False])
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_answers_and_records_are_those_of_one_click_after_the_other(model: ServedModel, served: bool, seed: int) -> None:
    single: list[JudgedClick] = []
    together: list[JudgedClick] = []
    one, many = (scorer_of(model if served else None, keep.extend) for keep in (single, together))
    clicks = traffic(900, seed)
    names = [f"r{number}" for number in range(len(clicks))]
    expected = [plain(one.answer(click, name)) for click, name in zip(clicks, names, strict=True)]
    given = [
        plain(answer)
        for start in range(0, 900, 300)
        for answer in many.answer_many(clicks[start : start + 300], names[start : start + 300])
    ]
    assert given == expected
    assert [msgspec.structs.replace(two, decision_id="") for two in together] == [
        msgspec.structs.replace(two, decision_id="") for two in single
    ]
    assert {answer.decision.value for answer in given} >= {"allow", "block"}


@pytest.mark.parametrize("seed", [7, 8])
def test_groups_answer_as_clicks_one_after_the_other_and_are_written_as_their_answers_are(model: ServedModel, seed: int) -> None:
    single: list[JudgedClick] = []
    together: list[JudgedClick] = []
    one, many = (scorer_of(model, keep.extend) for keep in (single, together))
    new = [msgspec.structs.replace(click, click_id=f"{seed} {place}") for place, click in enumerate(traffic(1_200, seed))]
    clicks = [*new, *new[:30], *traffic(100, seed + 1)]
    expected = [plain(one.answer(click, "r")) for click in clicks]
    groups = many.answer_in_groups(clicks, ["r"] * len(clicks))
    assert [plain(answer) for group in groups for answer in group] == expected
    assert [isinstance(group, AnsweredClicks) for group in groups] == [True, True, False], "repeats are answered one by one"
    for group in groups:
        if isinstance(group, AnsweredClicks):
            assert msgspec.json.decode(b"[" + group.encoded() + b"]", type=list[ClickAnswer]) == list(group)
            assert group.tally().total() == len(group)
    assert len(together) == len(single)
    assert [many.answer(click) for click in clicks[:50]] == list(groups[0])[:50], "a repeat hears the very answer"


@pytest.mark.parametrize("name", ['quote"', "back\\slash", "Umlaut-ü", "<click>", "<decision>", "tab\t"])
def test_names_that_json_writes_otherwise_are_written_so(model: ServedModel, name: str) -> None:
    clicks = [msgspec.structs.replace(click, click_id=f"{name}{place}") for place, click in enumerate(traffic(40, 9))]
    (group,) = scorer_of(model, lambda clicks: None).answer_in_groups(clicks, [name] * 40)
    assert isinstance(group, AnsweredClicks)
    assert msgspec.json.decode(b"[" + group.encoded() + b"]", type=list[ClickAnswer]) == list(group)


def test_a_batch_that_cannot_be_recorded_is_not_answered_and_may_be_sent_again() -> None:
    kept: list[JudgedClick] = []
    full = True

    def keep(clicks: list[JudgedClick]) -> None:
        if full:
            raise StorageError("full")
        kept.extend(clicks)

    scorer = scorer_of(None, keep)
    clicks = traffic(50, 5)
    with pytest.raises(StorageError):
        scorer.answer_many(clicks, [""] * 50)
    assert scorer.answer_many_from_memory(clicks, [""] * 50).count(None) >= 40, "it was counted, and is for a store to say"
    with pytest.raises(StorageError):
        scorer.answer_in_groups(traffic(50, 10), [""] * 50)
    assert len(scorer.given._answers) == 0, "nothing of it counts as answered"
    full = False
    assert all(scorer.answer_many(traffic(50, 6), [""] * 50))
    assert len(kept) == len({click.click_id for click in traffic(50, 6)})
