"""Everything the checks of one click look at, in one value that is stored with the decision and read back for a replay."""

from __future__ import annotations

from typing import Literal

import msgspec

from fraud.checks.standing import AffiliateStanding, AgentFacts
from fraud.domain.events import Click

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
