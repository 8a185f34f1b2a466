"""What really happened, which only the evaluation may read (CONTRACT 2, `truth/truth.json`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from fraud.domain.clock import isoformat
from fraud.simulation.kinds import Role
from fraud.simulation.population import Population
from fraud.simulation.world import CURRENCY

ORDINARY = "ordinary"
"""The kind of an affiliate that plays no role."""


@dataclass(frozen=True)
class AffiliateTruth:
    """One affiliate as it is. `fraud_commission` is the commission of its invalid conversions; `intensity` and `onset` are None for
    the ordinary.
    """

    affiliate_id: str
    bad: bool
    kind: str
    typology: str | None
    intensity: float | None
    onset: datetime | None
    fraud_commission: Decimal
    fraud_conversions: int
    ring_id: str | None = None


@dataclass(frozen=True)
class Truth:
    """Every affiliate as it is, by id; the sub-IDs that carry fraud; the rings with their members."""

    affiliates: tuple[AffiliateTruth, ...]
    sub_ids: tuple[Mapping[str, Any], ...] = ()
    rings: tuple[Mapping[str, Any], ...] = ()
    currency: str = CURRENCY

    def as_json(self) -> dict[str, Any]:
        """The contract's shape: times in ISO 8601, money as text."""
        rows = []
        for affiliate in self.affiliates:
            row = asdict(affiliate)
            row["onset"] = isoformat(affiliate.onset) if affiliate.onset else None
            row["fraud_commission"] = str(affiliate.fraud_commission)
            rows.append(row)
        return {"affiliates": rows, "sub_ids": list(self.sub_ids), "rings": list(self.rings), "currency": self.currency}


def tell_truth(people: Population, roles: Mapping[int, Role], made: pd.DataFrame, bad_subs: Mapping[int, Sequence[str]]) -> Truth:
    """The truth about everybody, given the conversions (numbers, before they become tables) and each affiliate's bad sub-IDs."""
    invalid = made["invalid"].to_numpy(dtype=bool)
    affiliate = made["affiliate"].to_numpy()[invalid]
    cents = np.bincount(affiliate, weights=made["commission"].to_numpy()[invalid], minlength=len(people))
    counts = np.bincount(affiliate, minlength=len(people))
    sums = zip(people.ids, np.rint(cents).astype(np.int64).tolist(), counts.tolist(), strict=True)
    told = [_tell(affiliate_id, roles.get(number), sum_cents, count) for number, (affiliate_id, sum_cents, count) in enumerate(sums)]
    affiliates = tuple(sorted(told, key=lambda one: one.affiliate_id))
    subs = [
        {"affiliate_id": people.ids[number], "sub_id": sub, "bad": True, "typology": roles[number].kind.typology}
        for number, names in bad_subs.items()
        for sub in names
    ]
    return Truth(
        affiliates=affiliates, sub_ids=tuple(sorted(subs, key=lambda row: (row["affiliate_id"], row["sub_id"]))), rings=_rings(affiliates)
    )


def _rings(affiliates: Sequence[AffiliateTruth]) -> tuple[Mapping[str, Any], ...]:
    members: dict[str, list[str]] = {}
    for one in affiliates:
        if one.ring_id is not None:
            members.setdefault(one.ring_id, []).append(one.affiliate_id)
    return tuple({"ring_id": ring, "affiliate_ids": members[ring]} for ring in sorted(members))


def _tell(affiliate_id: str, role: Role | None, cents: int, conversions: int) -> AffiliateTruth:
    return AffiliateTruth(
        affiliate_id=affiliate_id,
        bad=role is not None and role.kind.bad,
        kind=role.kind.name if role else ORDINARY,
        typology=(role.kind.typology or None) if role else None,
        intensity=role.intensity if role else None,
        onset=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=role.onset_us) if role else None,
        fraud_commission=Decimal(cents).scaleb(-2).quantize(Decimal("0.01")),
        fraud_conversions=conversions,
        ring_id=role.ring_id if role else None,
    )
