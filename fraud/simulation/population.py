"""Who takes part: the affiliates with what nobody sees of them (volume, audience, quality), and the offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fraud.simulation.habits import Habits, draw_habits
from fraud.simulation.kinds import Role
from fraud.simulation.laws import Laws, laws_of
from fraud.simulation.networks import Addresses, Egress, draw_addresses
from fraud.simulation.randomness import U64, Bools, Floats, Ints, fresh, pick, stream
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.words import StringTable, business_names, domain_of
from fraud.simulation.world import DAY_US, MAX_OFFERS, MAX_SITES, MAX_SUBS, NEWCOMER_SHARE, Goods

PAGES_PER_SITE = 5
"""Pages of an affiliate's site that link to the program."""
LANDING_PAGES = 6
"""Landing pages of an offer; each has a second form with an advertiser's parameter for paid search."""
PLATFORMS: Mapping[str, tuple[str, ...]] = {
    "search": ("https://www.google.com/", "https://www.google.com/", "https://www.bing.com/", "https://duckduckgo.com/"),
    "social": (
        *(
            "https://www.instagram.com/",
            "https://www.facebook.com/",
            "https://t.co/",
            "https://www.youtube.com/",
            "https://www.tiktok.com/",
        ),
        *("https://www.pinterest.com/", "https://www.reddit.com/"),
    ),
    "webmail": ("https://mail.google.com/", "https://outlook.live.com/", "https://mail.yahoo.com/"),
}
"""Large sites that people come from, whoever the affiliate is."""

_SUB_WORDS = ("home", "sidebar", "article", "footer", "newsletter", "story", "bio", "toplist", "deal", "search", "banner", "push")


@dataclass(frozen=True)
class Strings:
    """The strings that visits refer to by number: referrers, sub-IDs, landing pages, and customers' e-mail addresses that are not
    their own.
    """

    referrers: StringTable
    subs: StringTable
    landings: StringTable
    emails: StringTable


@dataclass(frozen=True)
class Population:
    """The affiliates as parallel arrays of length n; row i is affiliate number i, whose id is `ids[i]`.

    `places` is `(n, places)`; `offers` is `(n, 3)` of offer numbers with `offer_weights`. Referrers and sub-IDs of an affiliate are
    runs of numbers: a base and a count. `platforms` holds, per trade, the run of its platforms' referrers.
    """

    laws: Laws
    ids: tuple[str, ...]
    names: tuple[str, ...]
    emails: tuple[str, ...]
    trade: Ints
    habits: Habits
    volume: Floats
    quality: Floats
    peak: Ints
    places: Floats
    offers: Ints
    offer_weights: Floats
    sites: tuple[tuple[str, ...], ...]
    referrer_base: Ints
    referrer_count: Ints
    sub_base: Ints
    sub_count: Ints
    newsletter_day: Ints
    starts_us: Ints
    joined_us: Ints
    signup: Addresses
    signup_device: U64
    servers: Addresses
    platforms: Mapping[str, tuple[int, int]]
    strings: Strings

    def __len__(self) -> int:
        return len(self.ids)

    def trade_values(self, field: str) -> Floats:
        """One number of each affiliate's trade, shape `(n,)`."""
        values: Floats = np.array([getattr(trade, field) for trade in self.laws.trades], dtype=float)
        return values[self.trade]


def build_population(spec: SimulationSpec, roles: Mapping[int, Role]) -> Population:
    """Draws the affiliates under the spec's laws. A role may limit an affiliate's trade, offers and first day, and nothing else that
    the tables show.
    """
    rng = stream(spec.seed, "population")
    n, laws = spec.affiliates, laws_of(spec.laws)
    trade = _trades(rng, laws, n, roles)
    offers, weights = _offers(rng, laws, trade, roles)
    names = tuple(business_names(rng, n))
    sites = _sites(rng, names)
    strings = Strings(StringTable(), StringTable(), StringTable(), StringTable())
    strings.landings.add(*_landing_urls(laws))
    platforms = {name: (strings.referrers.add(*urls), len(urls)) for name, urls in PLATFORMS.items()}
    referrer_base, referrer_count = _referrers(strings.referrers, sites)
    sub_base, sub_count = _subs(rng, strings.subs, n)
    starts = _starts(rng, spec, roles)
    weight = np.array([place.weight for place in laws.places])
    home = np.argmax(weight * rng.dirichlet(np.full(len(weight), 2.0), n), axis=1)
    return Population(
        laws=laws,
        ids=_ids(rng, n),
        names=names,
        emails=_emails(rng, names, sites),
        trade=trade,
        habits=draw_habits(stream(spec.seed, "habits"), laws, trade),
        volume=_volumes(rng, laws, spec),
        quality=laws.qualities(rng, n),
        peak=rng.integers(0, len(laws.peak_hours), n),
        places=rng.dirichlet(laws.geo_concentration * weight, n),
        offers=offers,
        offer_weights=weights,
        sites=sites,
        referrer_base=referrer_base,
        referrer_count=referrer_count,
        sub_base=sub_base,
        sub_count=sub_count,
        newsletter_day=rng.integers(0, 7, n),
        starts_us=starts,
        joined_us=_joined(rng, spec, starts),
        signup=_signups(rng, laws, home),
        signup_device=fresh(rng, n),
        servers=draw_addresses(rng, Egress.HOSTING, n),
        platforms=platforms,
        strings=strings,
    )


def offers_table(laws: Laws) -> pd.DataFrame:
    """The offers, with the columns of CONTRACT 1."""
    goods_of = laws.goods
    return pd.DataFrame(
        {
            "offer_id": laws.offer_ids,
            "name": [goods.name for goods in goods_of],
            "vertical": [goods.vertical for goods in goods_of],
            "countries": ";".join(place.country for place in laws.places),
            "brand_terms": [goods.name.split()[0].lower() for goods in goods_of],
            "allows_paid_search": [goods.paid_search for goods in goods_of],
            "allows_incentive": [goods.incentive for goods in goods_of],
            "allows_email": True,
            "attribution_window_hours": 30 * 24,
            "payout_model": [goods.payout_model for goods in goods_of],
            "landing_domains": [_shop(goods) for goods in goods_of],
        }
    )


def landing_code(offer: Ints, page: Ints, paid: Bools) -> Ints:
    """The number of a landing page: six to an offer, each in a plain and a paid-search form."""
    return (offer * LANDING_PAGES + page) * 2 + paid


def _shop(goods: Goods) -> str:
    return f"{goods.name.split()[0].lower()}.example"


def _landing_urls(laws: Laws) -> list[str]:
    return [
        f"https://www.{_shop(goods)}/{goods.vertical}/{page + 1}?via=partner{parameter}"
        for goods in laws.goods
        for page in range(LANDING_PAGES)
        for parameter in ("", "&gad_source=1")
    ]


def _ids(rng: np.random.Generator, n: int) -> tuple[str, ...]:
    return tuple(f"A{number}" for number in rng.choice(900_000, n, replace=False) + 100_000)


def _trades(rng: np.random.Generator, laws: Laws, n: int, roles: Mapping[int, Role]) -> Ints:
    trade = pick(rng, [t.share for t in laws.trades], n)
    for number, role in roles.items():
        allowed = [index for index, t in enumerate(laws.trades) if t.name in role.kind.trades]
        if allowed:
            trade[number] = allowed[number % len(allowed)]
    return trade


def _volumes(rng: np.random.Generator, laws: Laws, spec: SimulationSpec) -> Floats:
    """Clicks a day by the world's law, scaled to a mean that was asked for; or that mean for everybody."""
    drawn = laws.volumes(rng, spec.affiliates)
    if spec.even_volume:
        return np.full(spec.affiliates, spec.clicks_per_day or laws.typical_volume)
    return drawn * (1.0 if spec.clicks_per_day is None else spec.clicks_per_day / laws.typical_volume)


def _offers(rng: np.random.Generator, laws: Laws, trade: Ints, roles: Mapping[int, Role]) -> tuple[Ints, Floats]:
    """One to three offers each; search affiliates promote what allows paid search."""
    n = len(trade)
    paid = np.array([goods.paid_search for goods in laws.goods])
    keys = rng.random((n, len(paid))) + ((trade == laws.trade_number("search"))[:, None] & ~paid[None, :])
    for number, role in roles.items():
        keys[number] += [not role.kind.promotes(goods.payout_model, goods.paid_search) for goods in laws.goods]
    offers = np.argsort(keys, axis=1)[:, :MAX_OFFERS]
    used = np.arange(MAX_OFFERS)[None, :] < rng.integers(1, MAX_OFFERS + 1, n)[:, None]
    for number, role in roles.items():
        used[number, 1:] &= not role.kind.payout_model
    return offers, rng.dirichlet([3.0] * MAX_OFFERS, n) * used


def _sites(rng: np.random.Generator, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    counts = rng.integers(1, MAX_SITES + 1, len(names))
    return tuple(tuple(domain_of(name, end) for end in ("", "-daily", "-plus")[:count]) for name, count in zip(names, counts, strict=True))


def _emails(rng: np.random.Generator, names: tuple[str, ...], sites: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Half write from their own domain, half from a free provider."""
    own = rng.random(len(names)) < 0.5
    tokens = rng.integers(16**4, 16**5, len(names))
    return tuple(
        f"partners@{site[0]}" if mine else f"{''.join(name.lower().split())}.{token:x}@gmail.com"
        for mine, name, site, token in zip(own, names, sites, tokens.tolist(), strict=True)
    )


def _referrers(table: StringTable, sites: tuple[tuple[str, ...], ...]) -> tuple[Ints, Ints]:
    bases = [table.add(*(f"https://{site}/{page}" for site in own for page in ("", "best", "reviews", "compare", "news"))) for own in sites]
    return np.array(bases), np.array([len(own) * PAGES_PER_SITE for own in sites])


def _subs(rng: np.random.Generator, table: StringTable, n: int) -> tuple[Ints, Ints]:
    counts = rng.integers(1, MAX_SUBS + 1, n)
    bases = [table.add(*(str(word) for word in rng.choice(_SUB_WORDS, count, replace=False))) for count in counts]
    return np.array(bases), counts


def _starts(rng: np.random.Generator, spec: SimulationSpec, roles: Mapping[int, Role]) -> Ints:
    """The first active moment: the beginning, or a later day for newcomers."""
    newcomer = rng.random(spec.affiliates) < NEWCOMER_SHARE
    later = spec.start_us + rng.integers(0, max(1, spec.days - spec.window_days), spec.affiliates) * DAY_US
    starts = np.where(newcomer, later, spec.start_us)
    for number, role in roles.items():
        starts[number] = role.onset_us if role.kind.newcomer_days else spec.start_us
    return starts


def _joined(rng: np.random.Generator, spec: SimulationSpec, starts: Ints) -> Ints:
    """Newcomers joined within the day before their first click, the others up to four years ago."""
    long_ago = starts - (rng.uniform(20, 1500, len(starts)) * DAY_US).astype(np.int64)
    just_now = starts - (rng.uniform(0.05, 1.0, len(starts)) * DAY_US).astype(np.int64)
    return np.where(starts > spec.start_us, just_now, long_ago)


def _signups(rng: np.random.Generator, laws: Laws, home: Ints) -> Addresses:
    """The address each affiliate signed up from, at home in one of the places."""
    drawn = [draw_addresses(rng, Egress.HOME, len(home), place.country) for place in laws.places]
    rows = np.arange(len(home))
    return Addresses(
        np.stack([d.high for d in drawn])[home, rows],
        np.stack([d.low for d in drawn])[home, rows],
        np.stack([d.country for d in drawn])[home, rows],
    )
