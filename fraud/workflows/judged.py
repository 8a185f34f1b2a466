"""What was seen when clicks were answered: all that their decisions follow from, small and quick to write down for a whole group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from fraud.checks.clicks.facts import ClickFacts, Degraded, ManyClickFacts
from fraud.checks.standing import AffiliateStanding, AgentFacts
from fraud.domain.clicks import Clicks, ColumnClicks, ListedClicks
from fraud.domain.decisions import Artefact
from fraud.domain.events import Click
from fraud.domain.shared import Shared

CLICKS_A_RECORD = 250
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


class _Columns(msgspec.Struct, frozen=True):
    """Clicks by column: `at` in microseconds since 1970, as bytes; `program_id` as one text when it is everybody's."""

    at: bytes
    program_id: str | list[str]
    columns: Mapping[str, Sequence[Any]]


class _Record(msgspec.Struct, frozen=True, array_like=True):
    """`JudgedClicks` as it is written down: clicks by column, without what is unknown of all, or as rows where they came one by one;
    numbers as bytes; agents and standings once each, with who has which."""

    decision_ids: Sequence[str]
    decided_at: datetime
    request_ids: Sequence[str]
    clicks: _Columns | list[Any]
    features: bytes
    identified: bytes
    agents: Sequence[AgentFacts | None]
    agent_of: Sequence[int]
    standings: Sequence[AffiliateStanding]
    standing_of: Sequence[int]
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
        clicks=_clicks_of(kept.clicks),
        features=_numbers(kept.features).reshape(len(kept.decision_ids), -1),
        identified=np.frombuffer(kept.identified, np.bool_),
        agents=Shared(kept.agents, kept.agent_of),
        standings=Shared(kept.standings, kept.standing_of),
        scores=_numbers(kept.scores),
        p_values=_numbers(kept.p_values),
        named=kept.named,
        degraded=kept.degraded,
    )
    return JudgedClicks(kept.decision_ids, kept.decided_at, kept.request_ids, facts, kept.policy, kept.models, kept.feature_set_hash)


def _record(judged: JudgedClicks, start: int, end: int) -> bytes:
    facts, part = judged.facts, slice(start, end)
    agents, standings = facts.agents[part], facts.standings[part]
    record = _Record(
        decision_ids=judged.decision_ids[part],
        decided_at=judged.decided_at,
        request_ids=judged.request_ids[part],
        clicks=_kept(facts.clicks[part]),
        features=facts.features[part].tobytes(),
        identified=facts.identified[part].tobytes(),
        agents=agents.different,
        agent_of=agents.which,
        standings=standings.different,
        standing_of=standings.which,
        scores=facts.scores[part].tobytes(),
        p_values=facts.p_values[part].tobytes(),
        named={place - start: names for place, names in facts.named.items() if start <= place < end},
        degraded=facts.degraded[part],
        policy=judged.policy,
        models=judged.models,
        feature_set_hash=judged.feature_set_hash,
    )
    return bytes((end - start,)) + _ENCODE(record)


def _kept(clicks: Clicks) -> _Columns | list[Any]:
    """Clicks as they lie: few, which came one by one, as rows."""
    if isinstance(clicks, ListedClicks):
        return [msgspec.structs.astuple(click) for click in clicks.rows]
    program = clicks.program_id
    return _Columns(clicks.at().tobytes(), list(clicks.column("program_id")) if program is None else program, clicks.known())


def _clicks_of(kept: _Columns | list[Any]) -> Clicks:
    """Clicks by column, or from rows; columns that came later are unknown."""
    if isinstance(kept, list):
        return ListedClicks([_click_of(row) for row in kept])
    at = np.frombuffer(kept.at, np.int64)
    if isinstance(kept.program_id, str):
        return ColumnClicks(kept.program_id, at, kept.columns)
    return ListedClicks([ColumnClicks(program, at, kept.columns).one(place) for place, program in enumerate(kept.program_id)])


def _click_of(row: Any) -> Click:
    """A click from its columns in their order, or by their names; columns that came later are unknown."""
    return msgspec.convert(row if isinstance(row, dict) else dict(zip(Click.__struct_fields__, row, strict=False)), Click)


def _numbers(raw: bytes) -> NDArray[np.float64]:
    return np.frombuffer(raw, np.float64)
