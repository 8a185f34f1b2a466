"""What a feature is: its words, its direction, what it rests on, and the SQL of its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fraud.domain.signals import Family

Kind = Literal["rate", "level", "magnitude", "statistic"]
Bad = Literal["high", "low", "both"]
Unit = Literal["share", "ratio", "s", "count", "nats", "log s", "log ratio"]
Level = Literal["affiliate", "sub_id"]
About = Literal["audience", "conduct"]

BOTH: tuple[Level, ...] = ("affiliate", "sub_id")
AFFILIATE: tuple[Level, ...] = ("affiliate",)

ENTITY: dict[Level, tuple[str, ...]] = {"affiliate": ("affiliate_id",), "sub_id": ("affiliate_id", "sub_id")}
"""The key columns of each level."""

PEERS = "subjects of the same kind, main country and size; where these are few, of the same kind and size, then of the same kind"
"""Whose spread a value is compared with (`fraud.detection.observations.peer_groups`)."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature of an affiliate's (or a sub-ID's) traffic over a window.

    `relation` names the relation of `fraud.features.relations` it aggregates; `numerator` and `denominator` are SQL aggregates over it,
    the value is their quotient, and the support is the denominator (so the count behind a rate is value × support). A feature that is
    no quotient gives `expression` for its value, and `denominator` only for its support. `kind` says how residuals are formed
    (`detection` 4.1): a *rate* k/n, a *level* observed over expected, a *magnitude* that grows with volume, or a plain *statistic*.
    `minimum_support` is what the value needs below it to mean anything, in units of `support_of`. `floor` is the least spread that honest
    subjects are taken to have, in units of the residual; without one the kind's own serves (`models.shrinkage`). `half_support` is the
    support at which chance alone spreads honest subjects as far as they differ (without one `models.baseline.HALF_SUPPORT`).
    `prior_group` says who its peers are, `window` and `missing` what of time and of missing values is particular to it (empty: what
    holds for all). `about` says whether the feature describes who comes (an established difference is no news) or what happens.
    """

    name: str
    title: str
    doc: str
    unit: Unit
    kind: Kind
    bad: Bad
    family: Family
    minimum_support: int
    support_of: str
    relation: str
    denominator: str
    numerator: str = ""
    expression: str = ""
    needs: tuple[str, ...] = ()
    level: tuple[Level, ...] = BOTH
    about: About = "conduct"
    floor: float | None = None
    half_support: float | None = None
    prior_group: str = PEERS
    window: str = ""
    missing: str = ""

    @property
    def value_sql(self) -> str:
        """The SQL aggregate of the value; NULL where there is nothing to measure."""
        return self.expression or f"({self.numerator})::DOUBLE / nullif(({self.denominator})::DOUBLE, 0)"

    @property
    def support_sql(self) -> str:
        """The SQL aggregate of what the value rests on."""
        return f"({self.denominator})::DOUBLE"


def click_rate(name: str, tally: str, among: str, **about: object) -> Feature:
    """A share of clicks, as two tallies of `fraud.features.tallies`: those that are so, among those of which it can be said."""
    defaults: dict[str, object] = {
        "unit": "share",
        "kind": "rate",
        "bad": "high",
        "minimum_support": 20,
        "support_of": "clicks",
        "relation": "clicks",
    }
    return Feature(name=name, numerator=f"sum({tally})", denominator=f"sum({among})", **(defaults | about))  # type: ignore[arg-type]  # one table above


def conversion_rate(name: str, flag: str, **about: object) -> Feature:
    """A share of conversions with a flag, among those whose flag is known; `about` gives the rest of the definition."""
    defaults: dict[str, object] = {
        "unit": "share",
        "kind": "rate",
        "bad": "high",
        "minimum_support": 4,
        "support_of": "conversions",
        "relation": "conversions",
    }
    return Feature(name=name, numerator=f"count_if({flag})", denominator=f"count({flag})", **(defaults | about))  # type: ignore[arg-type]  # one table above
