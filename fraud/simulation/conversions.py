"""From visits to conversions: when they happen, what they are worth, how they were reported, and what became of them by the end."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.simulation import world
from fraud.simulation.networks import Egress, draw_addresses
from fraud.simulation.population import Population
from fraud.simulation.randomness import Bools, Ints, stream
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.world import SECOND_US

STATUSES = ("pending", "approved", "rejected", "refunded", "chargeback")
"""The contract's statuses, by number."""


def draw_conversions(spec: SimulationSpec, people: Population, visits: pd.DataFrame) -> pd.DataFrame:
    """The conversions of these visits that happen before the end, in order of time.

    Keeps the visits' columns and adds `visit` (its row), `at` (microseconds), `amount` and `commission` (cents), `status`, `changed`
    (microseconds, -1 for pending), `comes_back` (whether it is undone within a hold of 30 days, even after the end), `coupon` (-1: none,
    else 0..2), `names_click` and `knows_customer` (whether the report carries address and user agent).
    """
    rng = stream(spec.seed, "conversions")
    rows = np.flatnonzero(visits["converts"].to_numpy())
    at = visits["t"].to_numpy()[rows] + (visits["delay_s"].to_numpy()[rows] * SECOND_US).astype(np.int64)
    order = np.argsort(at, kind="stable")
    order = order[at[order] < spec.end_us]
    table = visits.iloc[rows[order]].reset_index(drop=True).assign(visit=rows[order], at=at[order])
    _price(rng, people, table)
    _report(rng, people, table)
    _settle(spec, rng, people, table)
    return table


def _price(rng: np.random.Generator, people: Population, table: pd.DataFrame) -> None:
    """Amounts are spread around the offer's value; commission is a share of them, or flat where the offer pays per lead, sale or
    install.
    """
    offers, laws = table["offer"].to_numpy(), people.laws
    value = laws.goods_values("value", offers)
    cents = np.rint(100 * value * table["value"].to_numpy() * laws.values(rng, len(table)))
    amount = np.maximum(1, cents).astype(np.int64)
    shared = laws.goods_values("payout_model", offers) == "revshare"
    table["amount"] = amount
    commission = np.rint(laws.goods_values("commission", offers) * np.where(shared, amount, 100 * value))
    table["commission"] = np.maximum(1, commission).astype(np.int64)


def _report(rng: np.random.Generator, people: Population, table: pd.DataFrame) -> None:
    count, posted = len(table), table["server_side"].to_numpy()
    trade = people.trade[table["affiliate"].to_numpy()]
    coupons = np.isin(trade, [index for index, t in enumerate(people.laws.trades) if t.name in ("coupon", "cashback")])
    table["coupon"] = np.where(coupons & (rng.random(count) < world.COUPON_USE), rng.integers(0, 3, count), -1)
    lost = (rng.random(count) < world.LOST_CLICK_SHARE) & ~posted
    table["names_click"] = ~(table["phantom"].to_numpy() | lost)
    table["knows_customer"] = ~posted & (rng.random(count) >= world.SERVER_SIDE_SHARE)
    _move(rng, people, table, np.flatnonzero((rng.random(count) < world.ELSEWHERE_SHARE) & ~posted & ~table["invalid"].to_numpy()))
    for column, values in (("high", people.servers.high), ("low", people.servers.low), ("country", people.servers.country)):
        table[column] = np.where(posted, values[table["affiliate"].to_numpy()], table[column].to_numpy())


def _move(rng: np.random.Generator, people: Population, table: pd.DataFrame, rows: Ints) -> None:
    """Some customers order from home what they clicked on elsewhere."""
    place = table["place"].to_numpy()[rows]
    high, low, country = (table[column].to_numpy(copy=True) for column in ("high", "low", "country"))
    for index, where in enumerate(people.laws.places):
        here = rows[place == index]
        drawn = draw_addresses(rng, Egress.HOME, len(here), where.country)
        high[here], low[here], country[here] = drawn.high, drawn.low, drawn.country
    table["high"], table["low"], table["country"] = high, low, country


def _settle(spec: SimulationSpec, rng: np.random.Generator, people: Population, table: pd.DataFrame) -> None:
    """What the merchant has decided by the end: undone after a while, approved after the lock period, else pending."""
    at = table["at"].to_numpy()
    outcome = _undone_as(rng, people, table)
    undone_at = at + (rng.exponential(1.0, len(table)) * _mean_s(outcome) * SECOND_US).astype(np.int64)
    approved_at = at + int(world.COMMISSION_LOCK_S * SECOND_US)
    wrong = rng.random(len(table)) < table["undo_p"].to_numpy()
    undone = wrong & (undone_at < spec.end_us)
    table["comes_back"] = wrong & (undone_at < at + int(world.HOLD_S * SECOND_US))
    approved = ~undone & (approved_at < spec.end_us)
    table["status"] = np.where(undone, outcome, np.where(approved, STATUSES.index("approved"), STATUSES.index("pending")))
    table["changed"] = np.where(undone, undone_at, np.where(approved, approved_at, -1))


def _undone_as(rng: np.random.Generator, people: Population, table: pd.DataFrame) -> Ints:
    """Leads and installs are rejected; purchases are refunded or, now and then, charged back."""
    bought: Bools = np.isin(people.laws.goods_values("payout_model", table["offer"].to_numpy()), ["revshare", "cpa"])
    charged = rng.random(len(table)) < world.CHARGEBACK_SHARE
    back = np.where(charged, STATUSES.index("chargeback"), STATUSES.index("refunded"))
    return np.where(bought, back, STATUSES.index("rejected"))


def _mean_s(outcome: Ints) -> np.ndarray:
    return np.array([world.UNDO_MEAN_S.get(status, 0.0) for status in STATUSES])[outcome]
