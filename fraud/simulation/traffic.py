"""Ordinary visits: who comes when from where, and whether and when they buy. All at once, in numpy.

A *visit* is a click together with what nobody sees of it yet. A frame of visits has, besides what the clicks table shows as numbers:
`place` (where the visitor lives), `egress`, `high`/`low` (the address), `country` (where the address lies), `agent`, `device` (0: not
reported), `customer` (who it is), `email` (-1: the customer's own, else a number of the string table), `converts`, `delay_s`, `is_new`,
`undo_p` (chance of a refund), `value` (factor on the amount), `form_s`, `invalid` (the conversion would be the fraud's), `server_side`
(the conversion was posted by the affiliate's own server) and `phantom` (the conversion has no click at all).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from fraud.simulation import world
from fraud.simulation.agents import draw_agents, draw_bots
from fraud.simulation.laws import Laws
from fraud.simulation.networks import Addresses, Egress, draw_addresses, has_ipv6
from fraud.simulation.population import LANDING_PAGES, Population, landing_code
from fraud.simulation.randomness import U64, Bools, Floats, Ints, fresh, mix, pick, pick_rows, stream
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.world import DAY_US, PLACES, SECOND_US

LANGUAGES: tuple[str, ...] = tuple(dict.fromkeys(language for place in PLACES for language in place.languages))
"""Browser languages, by number."""
_FOREIGN_LANGUAGE = 0.04
_CUSTOMER_SALT = 0x5EED_C057
_IDENTITY = ("place", "egress", "high", "low", "country", "agent", "device", "customer", "language")
_MINUTES = 1440
_JS_SHARE = 0.985


@dataclass(frozen=True)
class SharedEgress:
    """The addresses that many people share: mobile carriers by place, VPN exits, offices, and honest machines in hosting networks."""

    carriers: tuple[Addresses, ...]
    vpn: Addresses
    corporate: Addresses
    hosting: Addresses


@dataclass(frozen=True)
class Crowd:
    """Everything that ordinary visits are drawn from."""

    spec: SimulationSpec
    people: Population
    shared: SharedEgress


def gather_crowd(spec: SimulationSpec, people: Population) -> Crowd:
    """The crowd of a program: its affiliates, and the shared networks of this world."""
    rng = stream(spec.seed, "egress")
    shared = SharedEgress(
        carriers=tuple(draw_addresses(rng, Egress.CARRIER, world.CGNAT_ADDRESSES, place.country) for place in PLACES),
        vpn=draw_addresses(rng, Egress.VPN, world.VPN_ADDRESSES),
        corporate=draw_addresses(rng, Egress.CORPORATE, world.CORPORATE_ADDRESSES),
        hosting=draw_addresses(rng, Egress.HOSTING, world.HOSTING_ADDRESSES),
    )
    return Crowd(spec, people, shared)


def honest_visits(crowd: Crowd) -> pd.DataFrame:
    """The whole program's ordinary visits, sorted by affiliate: volumes by day, then every visit's attributes, then returns and
    double clicks.
    """
    rng = stream(crowd.spec.seed, "traffic")
    counts = daily_counts(crowd, rng)
    affiliate = np.repeat(np.arange(len(crowd.people)), counts.sum(axis=1))
    day = np.repeat(np.tile(np.arange(crowd.spec.days), len(crowd.people)), counts.ravel())
    visits = draw_visits(crowd, rng, affiliate, crowd.spec.start_us + day * DAY_US)
    visits = _excited(crowd, rng, visits)
    _return_visitors(crowd.people, rng, visits)
    return _double_clicks(crowd, rng, visits)


def _excited(crowd: Crowd, rng: np.random.Generator, visits: pd.DataFrame) -> pd.DataFrame:
    """Lets visits set off further ones, and those further ones again (a Hawkes process by its branching): other people who come to
    the same affiliate soon after, as when a post is shared.
    """
    laws = crowd.people.laws
    parents, generations = visits[["affiliate", "t"]], [visits]
    while laws.branching and len(parents):
        followers = parents.iloc[np.repeat(np.arange(len(parents)), rng.poisson(laws.branching, len(parents)))]
        at = followers["t"].to_numpy() + (rng.exponential(laws.branch_mean_s, len(followers)) * SECOND_US).astype(np.int64)
        inside = at < crowd.spec.end_us
        who, at = followers["affiliate"].to_numpy()[inside], at[inside]
        children = draw_visits(crowd, rng, who, at - at % DAY_US)
        children["t"] = at
        generations.append(children)
        parents = children[["affiliate", "t"]]
    if len(generations) == 1:
        return visits
    return pd.concat(generations, ignore_index=True).sort_values("affiliate", kind="stable", ignore_index=True)


def daily_counts(crowd: Crowd, rng: np.random.Generator) -> Ints:
    """Visits per affiliate and day, shape `(n, days)`: Poisson around volume times noise, weekend and newsletter days; 0 before the
    first day.
    """
    spec, people = crowd.spec, crowd.people
    starts = spec.start_us + np.arange(spec.days) * DAY_US
    weekday = (starts // DAY_US + 3) % 7  # 1970-01-01 was a Thursday
    noise = rng.lognormal(0.0, world.DAY_NOISE_SIGMA, (len(people), spec.days))
    alone = people.volume * (1 - people.laws.branching)
    mean = alone[:, None] * noise * np.where(weekday >= 5, people.laws.weekend_factor, 1.0)[None, :]
    mean = np.where(is_newsletter_day(people, weekday), mean * world.SEND_LIFT, mean)
    return rng.poisson(np.where(starts[None, :] >= people.starts_us[:, None], mean, 0.0))


def is_newsletter_day(people: Population, weekday: Ints) -> Bools:
    """Which e-mail affiliates send on which days, shape `(n, days)`; weekday 0 is Monday."""
    senders = people.trade == people.laws.trade_number("email")
    sends: Bools = senders[:, None] & (people.newsletter_day[:, None] == weekday[None, :])
    return sends


def draw_visits(crowd: Crowd, rng: np.random.Generator, affiliate: Ints, day_us: Ints, place: Ints | None = None) -> pd.DataFrame:
    """One ordinary visit for each entry: to that affiliate, on the day that begins at that moment, at an hour that suits the
    visitor's clock; from these places, or from the affiliate's own mix.
    """
    people = crowd.people
    place = pick_rows(rng, people.places, affiliate) if place is None else place
    columns = {
        "affiliate": affiliate,
        "t": day_us + _time_of_day(rng, people.laws, people.peak[affiliate], place, day_us),
        **_visitor(crowd, rng, affiliate, place),
        **_path(crowd, rng, affiliate),
    }
    columns |= _behaviour(rng, people, affiliate, columns["egress"])
    columns |= _outcome(crowd, rng, affiliate, columns["offer"], columns["egress"])
    return pd.DataFrame(columns)


@cache
def _hours(peak: float, width: float, floor: float) -> Floats:
    """The density of visits over the minutes of a local day: a bell around the peak above a floor."""
    hour = (np.arange(_MINUTES) + 0.5) / 60
    distance = np.minimum(np.abs(hour - peak), 24 - np.abs(hour - peak))
    density: Floats = floor + np.exp(-0.5 * (distance / width) ** 2)
    return density


def _time_of_day(rng: np.random.Generator, laws: Laws, peak: Ints, place: Ints, day_us: Ints) -> Ints:
    """Microseconds after the start of the simulated day, whose clock may begin at any hour of UTC."""
    minute = np.zeros(len(peak))
    for index, hour in enumerate(laws.peak_hours):
        rows = peak == index
        minute[rows] = pick(rng, _hours(hour, laws.peak_width_h, laws.night_floor), int(rows.sum()))
    offset = np.array([p.utc_offset for p in PLACES])[place] * 60
    utc_us: Ints = ((minute + rng.random(len(peak)) - offset) * 60 * SECOND_US).astype(np.int64)
    return (utc_us - day_us % DAY_US) % DAY_US


def _visitor(crowd: Crowd, rng: np.random.Generator, affiliate: Ints, place: Ints) -> dict[str, np.ndarray]:
    count, habits = len(place), crowd.people.habits
    mobile = np.array([p.carrier_share for p in crowd.people.laws.places])[place]
    carrier = 1 / (1 + np.exp(-np.log(mobile / (1 - mobile)) - habits.carrier_tilt[affiliate]))
    shares = np.cumsum([habits.vpn, habits.corporate, habits.hosting], axis=0)[:, affiliate]
    special = (rng.random(count)[None, :] >= shares).sum(axis=0)
    ordinary = np.where(rng.random(count) < carrier, Egress.CARRIER, Egress.HOME)
    egress = np.where(special < 3, np.array([Egress.VPN, Egress.CORPORATE, Egress.HOSTING, 0])[special], ordinary)
    address = _addresses(crowd.shared, rng, place, egress)
    device = fresh(rng, count)
    return {
        "place": place.astype(np.int8),
        "egress": egress.astype(np.int8),
        "high": address.high,
        "low": address.low,
        "country": address.country.astype(np.int8),
        "agent": _agents(rng, egress).astype(np.int16),
        "device": np.where(rng.random(count) < world.DEVICE_MISSING, np.uint64(0), device),
        "customer": mix(device, _CUSTOMER_SALT),
        "email": np.full(count, -1, dtype=np.int32),
        "language": _languages(rng, place).astype(np.int8),
    }


def _addresses(shared: SharedEgress, rng: np.random.Generator, place: Ints, egress: Ints) -> Addresses:
    count = len(place)
    high, low, country = np.zeros(count, np.uint64), np.zeros(count, np.uint64), np.zeros(count, np.int64)

    def put(rows: Ints, drawn: Addresses) -> None:
        high[rows], low[rows], country[rows] = drawn.high, drawn.low, drawn.country

    sixth = rng.random(count) < world.IPV6_SHARE
    for index, where in enumerate(PLACES):
        for kind in (Egress.HOME, Egress.CARRIER):
            here = (place == index) & (egress == kind)
            modern = here & sixth & has_ipv6(kind, where.country)
            if modern.any():
                put(np.flatnonzero(modern), draw_addresses(rng, kind, int(modern.sum()), where.country, version=6))
            rows = np.flatnonzero(here & ~modern)
            put(
                rows,
                _one_of(rng, shared.carriers[index], rows)
                if kind is Egress.CARRIER
                else draw_addresses(rng, kind, len(rows), where.country),
            )
    for kind, pool in ((Egress.VPN, shared.vpn), (Egress.CORPORATE, shared.corporate), (Egress.HOSTING, shared.hosting)):
        rows = np.flatnonzero(egress == kind)
        put(rows, _one_of(rng, pool, rows))
    return Addresses(high, low, country)


def _one_of(rng: np.random.Generator, pool: Addresses, rows: Ints) -> Addresses:
    return pool.take(rng.integers(0, len(pool.low), len(rows)))


def _agents(rng: np.random.Generator, egress: Ints) -> Ints:
    agents = np.zeros(len(egress), dtype=np.int64)
    for kind in Egress:
        rows = egress == kind
        agents[rows] = draw_agents(rng, kind, int(rows.sum()))
    declared = (egress == Egress.HOSTING) & (rng.random(len(egress)) < world.DECLARED_BOT_SHARE)
    agents[declared] = draw_bots(rng, int(declared.sum()))
    return agents


def _languages(rng: np.random.Generator, place: Ints) -> Ints:
    spoken = [[LANGUAGES.index(language) for language in p.languages] for p in PLACES]
    widest = max(map(len, spoken))
    table = np.array([[own[i % len(own)] for i in range(widest * 12)] for own in spoken])
    own = table[place, rng.integers(0, table.shape[1], len(place))]
    foreign = rng.random(len(place)) < _FOREIGN_LANGUAGE
    return np.where(foreign, rng.integers(0, len(LANGUAGES), len(place)), own)


def _path(crowd: Crowd, rng: np.random.Generator, affiliate: Ints) -> dict[str, np.ndarray]:
    people, count = crowd.people, len(affiliate)
    offer = np.take_along_axis(people.offers[affiliate], pick_rows(rng, people.offer_weights, affiliate)[:, None], axis=1)[:, 0]
    sub = people.sub_base[affiliate] + (people.sub_count[affiliate] * rng.random(count) ** 1.7).astype(np.int64)
    fresh_token = np.flatnonzero(people.habits.dynamic_subs[affiliate])
    tokens = rng.integers(16**9, 16**10, len(fresh_token)).tolist()
    sub[fresh_token] = people.strings.subs.add(*(f"{token:x}" for token in tokens)) + np.arange(len(fresh_token))
    paid = people.trade[affiliate] == people.laws.trade_number("search")
    page = (LANDING_PAGES * rng.random(count) ** 1.5).astype(np.int64)
    return {
        "offer": offer.astype(np.int8),
        "sub": sub.astype(np.int32),
        "referrer": _referrers(people, rng, affiliate).astype(np.int32),
        "landing": landing_code(offer, page, paid).astype(np.int16),
    }


def _referrers(people: Population, rng: np.random.Generator, affiliate: Ints) -> Ints:
    """The affiliate's own pages, the platforms usual for its trade, or nothing (-1)."""
    count = len(affiliate)
    runs = np.array([people.platforms[trade.platforms] for trade in people.laws.trades])[people.trade[affiliate]]
    own = people.referrer_base[affiliate] + (people.referrer_count[affiliate] * rng.random(count)).astype(np.int64)
    platform = runs[:, 0] + (runs[:, 1] * rng.random(count)).astype(np.int64)
    chosen = np.where(rng.random(count) < people.habits.platform[affiliate], platform, own)
    return np.where(rng.random(count) < people.habits.null_referrer[affiliate], -1, chosen)


def _behaviour(rng: np.random.Generator, people: Population, affiliate: Ints, egress: np.ndarray) -> dict[str, np.ndarray]:
    count, habits, laws = len(egress), people.habits, people.laws
    machine, silent = egress == Egress.HOSTING, rng.random(count) < habits.silent[affiliate]
    dwell = laws.dwell_median_s * habits.dwell[affiliate] * rng.lognormal(0.0, laws.dwell_sigma, count)
    dwell = np.where(machine, rng.uniform(0.05, 1.5, count), dwell)
    script = rng.random(count) < np.where(machine, 0.15, _JS_SHARE)
    return {
        "dwell_s": np.where(silent, np.nan, dwell).astype(np.float32),
        "js": np.where(silent, -1, script).astype(np.int8),
    }


def conversion_rate(people: Population, affiliate: Ints, offer: np.ndarray) -> Floats:
    """The chance that an ordinary visit converts: the offer's rate times the trade's factor times the affiliate's own quality, at
    most a half.
    """
    base: Floats = people.laws.goods_values("rate", offer)
    return np.minimum(base * people.trade_values("rate_factor")[affiliate] * people.quality[affiliate], world.RATE_CAP)


def honest_delays(rng: np.random.Generator, laws: Laws, offer: np.ndarray, factor: Floats) -> Floats:
    """Seconds from click to conversion: by the world's law for the prompt, after a day plus an exponential for the late; clipped to
    8 s .. 29 d.
    """
    count = len(offer)
    prompt = laws.prompt_delays(rng, laws.goods_values("median_s", offer) * factor)
    late = rng.random(count) < laws.goods_values("late_share", offer)
    return np.clip(np.where(late, world.LATE_AFTER_S + rng.exponential(world.LATE_MEAN_S, count), prompt), *world.DELAY_CLIP_S)


def _outcome(crowd: Crowd, rng: np.random.Generator, affiliate: Ints, offer: np.ndarray, egress: np.ndarray) -> dict[str, np.ndarray]:
    people, count = crowd.people, len(affiliate)
    habits = people.habits
    slowness = people.trade_values("delay_factor") * habits.delay
    rate = np.where(egress == Egress.HOSTING, 0.0, conversion_rate(people, affiliate, offer))
    return {
        "converts": rng.random(count) < rate,
        "delay_s": honest_delays(rng, people.laws, offer, slowness[affiliate]),
        "is_new": rng.random(count) < habits.new_customers[affiliate],
        "undo_p": habits.undo[affiliate].astype(np.float32),
        "value": np.ones(count, dtype=np.float32),
        "form_s": rng.lognormal(np.log(world.FORM_MEDIAN_S), world.FORM_SIGMA, count).astype(np.float32),
        "invalid": np.zeros(count, dtype=bool),
        "server_side": np.zeros(count, dtype=bool),
        "phantom": np.zeros(count, dtype=bool),
    }


def _return_visitors(people: Population, rng: np.random.Generator, visits: pd.DataFrame) -> None:
    """Gives some visits the visitor of another one, of the same affiliate or of any (a random one, so shoppers meet several affiliates)."""
    count = len(visits)
    if count == 0:
        return
    affiliate = visits["affiliate"].to_numpy()
    first = np.searchsorted(affiliate, affiliate, side="left")
    size = np.searchsorted(affiliate, affiliate, side="right") - first
    u, returning = rng.random(count), people.habits.returning[affiliate]
    donor = np.where(u < returning, first + (size * rng.random(count)).astype(np.int64), (count * rng.random(count)).astype(np.int64))
    rows = np.flatnonzero(u < returning + world.SHARED_SHARE)
    copy_visitors(visits, rows, visits, donor[rows])


def copy_visitors(visits: pd.DataFrame, rows: Ints, donors: pd.DataFrame, of: Ints) -> None:
    """Makes the visitors of these rows the ones of the donors' rows. A machine's visit stays without a conversion."""
    for column in _IDENTITY:
        values = visits[column].to_numpy(copy=True)
        values[rows] = donors[column].to_numpy()[of]
        visits[column] = values
    visits["converts"] &= visits["egress"] != Egress.HOSTING


def _double_clicks(crowd: Crowd, rng: np.random.Generator, visits: pd.DataFrame) -> pd.DataFrame:
    """Adds the second click of the impatient; it comes from the same visitor within seconds and never converts by itself."""
    rows = np.flatnonzero(rng.random(len(visits)) < crowd.people.habits.double_click[visits["affiliate"].to_numpy()])
    again = visits.iloc[rows].copy()
    again["t"] += (rng.uniform(*world.DOUBLE_CLICK_S, len(rows)) * SECOND_US).astype(np.int64)
    again["converts"] = False
    together = pd.concat([visits, again[again["t"] < crowd.spec.end_us]], ignore_index=True)
    return together.sort_values("affiliate", kind="stable", ignore_index=True)


def identities(devices: U64) -> U64:
    """The customers behind devices."""
    return mix(devices, _CUSTOMER_SALT)
