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
    """One affiliate as it is. `fraud_commission` is the commission of its invalid conversions; `fraud_pending` the part of it that
    is not yet paid at the end, `fraud_returned` the part of that which a hold of 30 days would see undone. `intensity` and `onset` are
    None for the ordinary.
    """

    affiliate_id: str
    bad: bool
    kind: str
    typology: str | None
    intensity: float | None
    onset: datetime | None
    fraud_commission: Decimal
    fraud_conversions: int
    fraud_pending: Decimal = Decimal("0.00")
    fraud_returned: Decimal = Decimal("0.00")
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
            row |= {name: str(row[name]) for name in ("fraud_commission", "fraud_pending", "fraud_returned")}
            rows.append(row)
        return {"affiliates": rows, "sub_ids": list(self.sub_ids), "rings": list(self.rings), "currency": self.currency}


def tell_truth(people: Population, roles: Mapping[int, Role], made: pd.DataFrame, bad_subs: Mapping[int, Sequence[str]]) -> Truth:
    """The truth about everybody, given the conversions (numbers, before they become tables) and each affiliate's bad sub-IDs."""
    invalid = made[made["invalid"].to_numpy(dtype=bool)]
    pending = invalid[invalid["changed"].to_numpy() < 0]
    sums = [_cents(part, len(people)) for part in (invalid, pending, pending[pending["comes_back"].to_numpy(dtype=bool)])]
    counts = np.bincount(invalid["affiliate"].to_numpy(), minlength=len(people)).tolist()
    told = [
        _tell(people.ids[number], roles.get(number), money, count)
        for number, (money, count) in enumerate(zip(zip(*sums, strict=True), counts, strict=True))
    ]
    affiliates = tuple(sorted(told, key=lambda one: one.affiliate_id))
    subs = [
        {"affiliate_id": people.ids[number], "sub_id": sub, "bad": True, "typology": roles[number].kind.typology}
        for number, names in bad_subs.items()
        for sub in names
    ]
    return Truth(
        affiliates=affiliates, sub_ids=tuple(sorted(subs, key=lambda row: (row["affiliate_id"], row["sub_id"]))), rings=_rings(affiliates)
    )


def _cents(made: pd.DataFrame, affiliates: int) -> list[Decimal]:
    """The commission of these conversions by affiliate."""
    cents = np.bincount(made["affiliate"].to_numpy(), weights=made["commission"].to_numpy(), minlength=affiliates)
    return [Decimal(value).scaleb(-2).quantize(Decimal("0.01")) for value in np.rint(cents).astype(np.int64).tolist()]


def _rings(affiliates: Sequence[AffiliateTruth]) -> tuple[Mapping[str, Any], ...]:
    members: dict[str, list[str]] = {}
    for one in affiliates:
        if one.ring_id is not None:
            members.setdefault(one.ring_id, []).append(one.affiliate_id)
    return tuple({"ring_id": ring, "affiliate_ids": members[ring]} for ring in sorted(members))


def _tell(affiliate_id: str, role: Role | None, money: tuple[Decimal, ...], conversions: int) -> AffiliateTruth:
    commission, pending, returned = money
    bad = role is not None and role.kind.bad
    return AffiliateTruth(
        affiliate_id=affiliate_id,
        bad=bad,
        kind=role.kind.name if role else ORDINARY,
        typology=(role.kind.typology or None) if role else None,
        intensity=role.intensity if role else None,
        onset=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=role.onset_us) if role else None,
        fraud_commission=commission,
        fraud_conversions=conversions,
        fraud_pending=pending,
        fraud_returned=returned,
        ring_id=role.ring_id if role and bad else None,
    )
