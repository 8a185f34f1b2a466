"""Everything the checks of one click look at, in one value that is stored with the decision and read back for a replay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from fraud.checks.grades import CODES, Grade
from fraud.checks.standing import AffiliateStanding, AgentFacts
from fraud.domain.clicks import Clicks
from fraud.domain.events import Click
from fraud.domain.shared import Shared
from fraud.features.realtime import CLICK_FEATURE_NAMES

NO_MODEL: Literal["no_model"] = "no_model"
DEADLINE: Literal["deadline"] = "deadline"
FUTURE: Literal["future"] = "future"

Degraded = Literal["", "no_model", "deadline", "future"]
"""Why a click was judged without the model: there is none, no time was left, or the click's time is far in the future, so that it was not
counted and nothing is known of what came before it. Empty when the model spoke."""


class ModelView(msgspec.Struct, frozen=True, kw_only=True):
    """What the model of clicks said: score (0..1), share of usual clicks at least as unusual, and the features that weighed most."""

    score: float
    p_value: float
    features: tuple[str, ...] = ()


class ClickFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One click as the checks see it. `features` are by name, `None` where unknown; `identified` says whether a repeat could be noticed."""

    click: Click
    features: dict[str, float | None]
    identified: bool
    agent: AgentFacts | None = None
    standing: AffiliateStanding = AffiliateStanding()
    model: ModelView | None = None
    degraded: Degraded = ""


Codes = NDArray[np.int64]
"""Grades of many clicks by their numbers (clicks,): see `fraud.checks.grades`."""


@dataclass(frozen=True)
class ManyClickFacts:
    """`ClickFacts` of many clicks by column. `features` (clicks, features) and `scores`, `p_values` (clicks,) are NaN where unknown.

    `named` has the features that weighed most, by the click's place, for those that were explained.
    """

    clicks: Clicks
    features: NDArray[np.float64]
    identified: NDArray[np.bool_]
    agents: Shared[AgentFacts | None]
    standings: Shared[AffiliateStanding]
    scores: NDArray[np.float64]
    p_values: NDArray[np.float64]
    named: Mapping[int, tuple[str, ...]]
    degraded: Sequence[Degraded]

    def __len__(self) -> int:
        return len(self.clicks)

    def of(self, place: int) -> ClickFacts:
        """The facts of one click."""
        values = [value if value == value else None for value in self.features[place].tolist()]  # noqa: PLR0124 - NaN, in a fifth of the time
        why = self.degraded[place]
        view = ModelView(score=float(self.scores[place]), p_value=float(self.p_values[place]), features=self.named.get(place, ()))
        return ClickFacts(
            click=self.clicks.one(place),
            features=dict(zip(CLICK_FEATURE_NAMES, values, strict=True)),
            identified=bool(self.identified[place]),
            agent=self.agents[place],
            standing=self.standings[place],
            model=None if why else view,
            degraded=why,
        )

    def only(self, places: Sequence[int]) -> ManyClickFacts:
        """The facts of the clicks at some places."""
        return ManyClickFacts(
            clicks=self.clicks.only(places),
            features=self.features[places],
            identified=self.identified[places],
            agents=self.agents.only(places),
            standings=self.standings.only(places),
            scores=self.scores[places],
            p_values=self.p_values[places],
            named={new: self.named[place] for new, place in enumerate(places) if place in self.named},
            degraded=[self.degraded[place] for place in places],
        )

    def feature(self, name: str) -> NDArray[np.float64]:
        """One feature of all clicks (clicks,)."""
        return self.features[:, CLICK_FEATURE_NAMES.index(name)]

    def by_agent(self, grade: Callable[[AgentFacts | None], Grade]) -> Codes:
        """What a grade says of each click's agent; those that share one are asked about once."""
        return np.array([CODES[grade(agent)] for agent in self.agents.different])[self.agents.numbers]
