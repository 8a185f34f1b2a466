"""The frames that the product reads, with the columns of CONTRACT 1 and nothing that tells who plays what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fraud.simulation import columns as col
from fraud.simulation.agents import AGENTS
from fraud.simulation.conversions import STATUSES
from fraud.simulation.networks import COUNTRIES
from fraud.simulation.population import Population
from fraud.simulation.randomness import Ints, mix, stream
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.traffic import LANGUAGES, is_newsletter_day
from fraud.simulation.words import person_email
from fraud.simulation.world import AGENCY_EVERY, AGENCY_SIZE, CURRENCY, DAY_US, SEND_DECLARED

_GOALS = {"cpl": "lead", "cpi": "install", "cpa": "purchase", "revshare": "purchase"}
_VIEWPORTS = [AGENTS.viewport(index) for index in range(len(AGENTS.names))]
_SOURCES = {"search": "paid_search", "email": "newsletter", "social": "social", "app": "in_app"}
Declared = tuple[int, int, str, int]
"""A calendar row before it is spelled out: start and end (microseconds), kind, affiliate number."""


def click_ids(spec: SimulationSpec, clicks: pd.DataFrame) -> np.ndarray:
    """One 64-bit identity per click; the clicks stand in order of time, the identities in none."""
    return mix(np.arange(1, len(clicks) + 1, dtype=np.uint64), _salt(spec, "click"))


def clicks_table(people: Population, clicks: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """The clicks; few-valued text columns are pandas categories."""
    unreported = ~np.isfinite(clicks["dwell_s"].to_numpy())
    agents = clicks["agent"].to_numpy()
    return col.frame(
        {
            "click_id": col.hexadecimal(ids),
            "clicked_at": col.moments(clicks["t"].to_numpy()),
            "affiliate_id": col.chosen(people.ids, clicks["affiliate"].to_numpy()),
            "offer_id": col.chosen(people.laws.offer_ids, clicks["offer"].to_numpy()),
            "sub_id": col.chosen(people.strings.subs.names, clicks["sub"].to_numpy()),
            "ip": col.addresses(clicks["high"].to_numpy(), clicks["low"].to_numpy()),
            "user_agent": col.chosen(AGENTS.names, agents),
            "device_id": col.hexadecimal(clicks["device"].to_numpy(), clicks["device"].to_numpy() == 0),
            "country": col.chosen(COUNTRIES, clicks["country"].to_numpy()),
            "language": col.chosen(LANGUAGES, clicks["language"].to_numpy()),
            "referrer": col.chosen(people.strings.referrers.names, clicks["referrer"].to_numpy()),
            "landing_url": col.chosen(people.strings.landings.names, clicks["landing"].to_numpy()),
            "dwell_ms": col.whole(clicks["dwell_s"].to_numpy() * 1000.0, unreported),
            "js_executed": col.flags(clicks["js"].to_numpy() == 1, clicks["js"].to_numpy() < 0),
            "viewport": col.chosen(_VIEWPORTS, agents),
        }
    )


def conversions_table(spec: SimulationSpec, people: Population, made: pd.DataFrame, click_of: np.ndarray) -> pd.DataFrame:
    """The conversions as they stand at the end; `click_of` holds the identity of each one's click."""
    rank = np.arange(1, len(made) + 1, dtype=np.uint64)
    offers, anonymous = made["offer"].to_numpy(), ~made["knows_customer"].to_numpy()
    posted = made["server_side"].to_numpy()
    is_lead = np.array([goods.payout_model == "cpl" for goods in people.laws.goods])[offers]
    goals = [_GOALS[goods.payout_model] for goods in people.laws.goods]
    return col.frame(
        {
            "conversion_id": col.hexadecimal(mix(rank, _salt(spec, "conversion"))),
            "converted_at": col.moments(made["at"].to_numpy()),
            "affiliate_id": col.chosen(people.ids, made["affiliate"].to_numpy()),
            "click_id": col.hexadecimal(click_of, ~made["names_click"].to_numpy()),
            "offer_id": col.chosen(people.laws.offer_ids, offers),
            "sub_id": col.chosen(people.strings.subs.names, made["sub"].to_numpy()),
            "goal": col.chosen(goals, offers),
            "order_id": col.hexadecimal(mix(rank, _salt(spec, "order"))),
            "customer_id": col.hexadecimal(made["customer"].to_numpy()),
            "customer_email": _emails(people, made),
            "new_customer": col.flags(made["is_new"].to_numpy()),
            "ip": col.addresses(made["high"].to_numpy(), made["low"].to_numpy(), anonymous & ~posted),
            "user_agent": col.chosen(AGENTS.names, np.where(anonymous, -1, made["agent"].to_numpy())),
            "device_id": col.hexadecimal(made["device"].to_numpy(), anonymous | (made["device"].to_numpy() == 0)),
            "country": col.chosen(COUNTRIES, made["country"].to_numpy()),
            "form_ms": col.whole(made["form_s"].to_numpy() * 1000.0, ~is_lead | anonymous),
            "amount": col.money(made["amount"].to_numpy()),
            "commission": col.money(made["commission"].to_numpy()),
            "currency": col.chosen((CURRENCY,), np.zeros(len(made), dtype=np.int64)),
            "coupon_code": _coupons(people, made),
            "status": col.chosen(STATUSES, made["status"].to_numpy()),
            "status_changed_at": col.moments(made["changed"].to_numpy(), made["changed"].to_numpy() < 0),
        }
    )


def affiliates_table(spec: SimulationSpec, people: Population, agencies: Sequence[Sequence[int]] = ()) -> pd.DataFrame:
    """The affiliates by id, as they signed up. Each of the `agencies` (affiliate numbers) is declared and paid as one."""
    rng = stream(spec.seed, "affiliates table")
    n = len(people)
    trades = [people.laws.trades[trade].name for trade in people.trade]
    groups, payouts = _agencies(rng, n, agencies)
    countries = [COUNTRIES[code] for code in people.signup.country]
    table = pd.DataFrame(
        {
            "affiliate_id": people.ids,
            "name": people.names,
            "email": people.emails,
            "phone": _phones(rng, countries),
            "country": countries,
            "affiliate_type": trades,
            "websites": [";".join(f"https://{site}" for site in own) for own in people.sites],
            "social_profiles": [_profile(trade, own[0]) for trade, own in zip(trades, people.sites, strict=True)],
            "traffic_sources": [_SOURCES.get(trade, "website") for trade in trades],
            "payout_account": payouts,
            "tax_id": _tax_ids(rng, countries),
            "signup_ip": col.addresses(people.signup.high, people.signup.low).to_pandas(),
            "signup_device_id": col.hexadecimal(people.signup_device).to_pandas(),
            "joined_at": col.moments(people.joined_us // 1_000_000 * 1_000_000).to_pandas(),
            "status": "active",
            "group_id": groups,
        }
    )
    return table.sort_values("affiliate_id", ignore_index=True)


def calendar_table(spec: SimulationSpec, people: Population, declared: Sequence[Declared]) -> pd.DataFrame:
    """What was announced: the newsletters of e-mail affiliates, and the sends and promotions of the scenarios, in order of time."""
    rows = [*_newsletters(spec, people), *declared]
    table = pd.DataFrame(
        {
            "starts_at": col.moments(np.array([row[0] for row in rows], dtype=np.int64) // 1_000_000 * 1_000_000).to_pandas(),
            "ends_at": col.moments(np.array([row[1] for row in rows], dtype=np.int64) // 1_000_000 * 1_000_000).to_pandas(),
            "kind": pd.Series([row[2] for row in rows], dtype="str"),
            "affiliate_id": pd.Series([people.ids[row[3]] for row in rows], dtype="str"),
            "offer_id": pd.Series([None] * len(rows), dtype="str"),
        }
    )
    return table.sort_values(["starts_at", "affiliate_id"], kind="stable", ignore_index=True)


def _salt(spec: SimulationSpec, what: str) -> int:
    return int(stream(spec.seed, "ids", what).integers(1, 2**63))


def _emails(people: Population, made: pd.DataFrame) -> list[str]:
    given = people.strings.emails.names
    pairs = zip(made["email"].tolist(), made["customer"].tolist(), strict=True)
    return [given[code] if code >= 0 else person_email(customer) for code, customer in pairs]


def _coupons(people: Population, made: pd.DataFrame) -> object:
    names = [f"{''.join(name.split())[:7].upper()}{percent}" for name in people.names for percent in (10, 15, 20)]
    coupon = made["coupon"].to_numpy()
    return col.chosen(names, np.where(coupon < 0, -1, made["affiliate"].to_numpy() * 3 + coupon))


def _agencies(rng: np.random.Generator, n: int, played: Sequence[Sequence[int]]) -> tuple[list[str | None], list[str]]:
    """A few declared agencies share a group and a payout account; everybody else has an account of their own."""
    groups: list[str | None] = [None] * n
    payouts = [f"acct_{number:x}" for number in rng.choice(2**46, n, replace=False).tolist()]
    taken = {member for members in played for member in members}
    free = [number for number in rng.permutation(n).tolist() if number not in taken]
    small = [free[first : first + AGENCY_SIZE] for first in range(0, n // AGENCY_EVERY * AGENCY_SIZE, AGENCY_SIZE)]
    agencies = [list(members) for members in (*played, *small) if members]
    for agency, place in zip(agencies, rng.permutation(len(agencies)).tolist(), strict=True):
        for member in agency:
            groups[member], payouts[member] = f"agency-{place + 1}", payouts[agency[0]]
    return groups, payouts


def _tax_ids(rng: np.random.Generator, countries: Sequence[str]) -> list[str]:
    numbers = rng.choice(9 * 10**8, len(countries), replace=False) + 10**8
    return [f"{country}{number}" for country, number in zip(countries, numbers.tolist(), strict=True)]


def _phones(rng: np.random.Generator, countries: Sequence[str]) -> list[str | None]:
    """Numbers set aside for fiction in the two countries that have enough of them; unknown elsewhere."""
    american = rng.choice(800 * 100, len(countries), replace=len(countries) > 80_000).tolist()
    british = rng.permutation(1000).tolist()
    taken = iter(british)
    phones: list[str | None] = []
    for country, number in zip(countries, american, strict=True):
        if country == "US":
            phones.append(f"+1{200 + number // 100}55501{number % 100:02d}")
        else:
            last = next(taken, None) if country == "GB" else None
            phones.append(None if last is None else f"+447700900{last:03d}")
    return phones


def _profile(trade: str, site: str) -> str | None:
    return f"https://social.example/@{site.removesuffix('.example')}" if trade in ("social", "content", "app") else None


def _newsletters(spec: SimulationSpec, people: Population) -> list[Declared]:
    rng = stream(spec.seed, "calendar")
    starts: Ints = spec.start_us + np.arange(spec.days) * DAY_US
    sends = is_newsletter_day(people, (starts // DAY_US + 3) % 7) & (starts[None, :] >= people.starts_us[:, None])
    told = sends & (rng.random(len(people)) < SEND_DECLARED)[:, None]
    return [(int(starts[day]), int(starts[day]) + DAY_US, "email_send", int(number)) for number, day in np.argwhere(told)]
