"""What was seen when clicks were answered: all that their decisions follow from, small and quick to write down for a whole group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from fraud.checks.clicks.facts import ClickFacts, Degraded, ManyClickFacts
from fraud.checks.standing import AffiliateStanding, AgentFacts
from fraud.domain.decisions import Artefact
from fraud.domain.events import Click

_T = TypeVar("_T")

CLICKS_A_RECORD = 128
"""Clicks in one record: enough to share what a record costs, few enough for their number to be one byte."""


class JudgedClick(msgspec.Struct, frozen=True, array_like=True):
    """What was seen when one click was answered."""

    decision_id: str
    decided_at: datetime
    request_id: str
    facts: ClickFacts
    policy: Artefact
    models: tuple[Artefact, ...]
    feature_set_hash: str


@dataclass(frozen=True)
class JudgedClicks:
    """The same of clicks that were answered together; `models` were asked about those that are not degraded."""

    decision_ids: Sequence[str]
    decided_at: datetime
    request_ids: Sequence[str]
    facts: ManyClickFacts
    policy: Artefact
    models: tuple[Artefact, ...]
    feature_set_hash: str

    def __len__(self) -> int:
        return len(self.decision_ids)

    def __iter__(self) -> Iterator[JudgedClick]:
        return (self.of(place) for place in range(len(self)))

    def of(self, place: int) -> JudgedClick:
        """One of them."""
        return JudgedClick(
            decision_id=self.decision_ids[place],
            decided_at=self.decided_at,
            request_id=self.request_ids[place],
            facts=self.facts.of(place),
            policy=self.policy,
            models=() if self.facts.degraded[place] else self.models,
            feature_set_hash=self.feature_set_hash,
        )

    def only(self, places: Sequence[int]) -> JudgedClicks:
        """Those at some places."""
        return replace(
            self,
            decision_ids=[self.decision_ids[place] for place in places],
            request_ids=[self.request_ids[place] for place in places],
            facts=self.facts.only(places),
        )


class _Record(msgspec.Struct, frozen=True, array_like=True):
    """`JudgedClicks` as it is written down: clicks as rows of their columns (by name, as they once were, they are read too), numbers as
    bytes, and agents and standings once each, with who has which."""

    decision_ids: Sequence[str]
    decided_at: datetime
    request_ids: Sequence[str]
    clicks: list[Any]
    features: bytes
    identified: bytes
    agents: list[AgentFacts | None]
    agent_of: list[int]
    standings: list[AffiliateStanding]
    standing_of: list[int]
    scores: bytes
    p_values: bytes
    named: dict[int, tuple[str, ...]]
    degraded: Sequence[Degraded]
    policy: Artefact
    models: tuple[Artefact, ...]
    feature_set_hash: str


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(_Record).decode


def records_of(judged: JudgedClicks) -> list[bytes]:
    """The clicks as records of at most `CLICKS_A_RECORD`; the first byte of each says how many it has."""
    starts = range(0, len(judged), CLICKS_A_RECORD)
    return [_record(judged, start, min(start + CLICKS_A_RECORD, len(judged))) for start in starts]


def clicks_in(record: bytes) -> int:
    """How many clicks a record has."""
    return record[0]


def read_record(record: bytes) -> JudgedClicks:
    """A record read back. Raises `msgspec.MsgspecError` for what is none."""
    kept = _DECODE(memoryview(record)[1:])
    facts = ManyClickFacts(
        clicks=[_click_of(row) for row in kept.clicks],
        features=_numbers(kept.features).reshape(len(kept.clicks), -1),
        identified=np.frombuffer(kept.identified, np.bool_),
        agents=[kept.agents[number] for number in kept.agent_of],
        standings=[kept.standings[number] for number in kept.standing_of],
        scores=_numbers(kept.scores),
        p_values=_numbers(kept.p_values),
        named=kept.named,
        degraded=kept.degraded,
    )
    return JudgedClicks(kept.decision_ids, kept.decided_at, kept.request_ids, facts, kept.policy, kept.models, kept.feature_set_hash)


def _record(judged: JudgedClicks, start: int, end: int) -> bytes:
    facts, part = judged.facts, slice(start, end)
    agents, agent_of = _each_once(facts.agents[part])
    standings, standing_of = _each_once(facts.standings[part])
    record = _Record(
        decision_ids=judged.decision_ids[part],
        decided_at=judged.decided_at,
        request_ids=judged.request_ids[part],
        clicks=[msgspec.structs.astuple(click) for click in facts.clicks[part]],
        features=facts.features[part].tobytes(),
        identified=facts.identified[part].tobytes(),
        agents=agents,
        agent_of=agent_of,
        standings=standings,
        standing_of=standing_of,
        scores=facts.scores[part].tobytes(),
        p_values=facts.p_values[part].tobytes(),
        named={place - start: names for place, names in facts.named.items() if start <= place < end},
        degraded=facts.degraded[part],
        policy=judged.policy,
        models=judged.models,
        feature_set_hash=judged.feature_set_hash,
    )
    return bytes((end - start,)) + _ENCODE(record)


def _click_of(row: Any) -> Click:
    """A click from its columns in their order, or by their names; columns that came later are unknown."""
    return msgspec.convert(row if isinstance(row, dict) else dict(zip(Click.__struct_fields__, row, strict=False)), Click)


def _each_once(things: Sequence[_T]) -> tuple[list[_T], list[int]]:
    """The different ones, and the number of each thing's among them."""
    names = [*map(id, things)]
    different = dict(zip(names, things, strict=True))
    numbers = {name: number for number, name in enumerate(different)}
    return list(different.values()), [numbers[name] for name in names]


def _numbers(raw: bytes) -> NDArray[np.float64]:
    return np.frombuffer(raw, np.float64)
