"""The answers to clicks: one, or those of a group by column, which are made one by one only when somebody asks for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import msgspec

from fraud.domain.clicks import EventKey
from fraud.domain.decisions import Artefact, Outcome
from fraud.domain.shared import Shared
from fraud.domain.signals import Reason
from fraud.workflows.answering import Together
from fraud.workflows.judged import JudgedClicks
from fraud.workflows.judging import Judgement

_ENCODE = msgspec.json.Encoder().encode
_DECISION_ID, _CLICK_ID = "<decision>", "<click>"


class ClickAnswer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer to a click (CONTRACT 4). `score` is 0..1, higher is riskier; `latency_ms` is the time until it was known.

    `live` stands in answers to keys in shadow: the decision that a live key would have been told.
    """

    request_id: str
    decision_id: str
    click_id: str
    decision: Outcome
    score: float
    reasons: tuple[Reason, ...]
    degraded: bool
    policy: Artefact
    models: tuple[Artefact, ...]
    latency_ms: float
    live: Outcome | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, eq=False)
class AnsweredClicks(Together[ClickAnswer]):
    """The answers to clicks that were judged together, one for each in their order."""

    judged: JudgedClicks
    judgements: Shared[Judgement]
    latency_ms: float

    def __len__(self) -> int:
        return len(self.judgements)

    def __iter__(self) -> Iterator[ClickAnswer]:
        return (self.of(place) for place in range(len(self)))

    def of(self, place: int) -> ClickAnswer:
        """One of them."""
        judged, judgement = self.judged, self.judgements[place]
        why = judged.facts.degraded[place]
        return ClickAnswer(
            request_id=judged.request_ids[place],
            decision_id=judged.decision_ids[place],
            click_id=judged.facts.clicks.column("click_id")[place],
            decision=judgement.outcome,
            score=judgement.score,
            reasons=judgement.reasons,
            degraded=bool(why),
            policy=judged.policy,
            models=() if why else judged.models,
            latency_ms=self.latency_ms,
        )

    def to(self, key: EventKey) -> ClickAnswer:
        """The answer to a click of a program, by its id."""
        return self.of(self._places[key])

    def tally(self) -> Counter[tuple[Outcome, bool]]:
        """How many answers say what, and are degraded."""
        alike = Counter(zip(self.judgements.which, self.judged.facts.degraded, strict=True))
        tally: Counter[tuple[Outcome, bool]] = Counter()
        for (kind, why), count in alike.items():
            tally[self.judgements.different[kind].outcome, why != ""] += count
        return tally

    def encoded(self) -> bytes:
        """The answers as JSON, without the brackets of their array: what they have in common is encoded once."""
        judged = self.judged
        names = judged.facts.clicks.column("click_id")
        if len(_ENCODE(names)) != len("".join(names)) + 3 * len(names) + 1 or len(set(judged.request_ids)) != 1:
            return _ENCODE(list(self))[1:-1]  # a name that JSON writes otherwise
        kinds = list(zip(self.judgements.which, judged.facts.degraded, strict=True))
        templates = {kind: self._template(place) for kind, place in {kind: place for place, kind in enumerate(kinds)}.items()}
        alike = [templates[kind] for kind in kinds]
        answers = zip(alike, judged.decision_ids, names, strict=True)
        return ",".join([f"{before}{decision}{between}{name}{after}" for (before, between, after), decision, name in answers]).encode()

    def _template(self, place: int) -> tuple[str, str, str]:
        """The answer of all who are judged alike without its two names: what stands before, between and after them."""
        plain = _ENCODE(msgspec.structs.replace(self.of(place), request_id="", decision_id=_DECISION_ID, click_id=_CLICK_ID)).decode()
        before, rest = plain.split(_DECISION_ID, 1)
        between, after = rest.split(_CLICK_ID, 1)
        request = _ENCODE(self.judged.request_ids[place]).decode()
        return before.replace('"request_id":""', f'"request_id":{request}', 1), between, after

    @cached_property
    def _places(self) -> dict[EventKey, int]:
        return {key: place for place, key in enumerate(self.judged.facts.clicks.keys)}
