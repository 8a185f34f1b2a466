"""The made-up program's constants: those of every world, and those of the first one (`laws.py` has the second's).

Unless a line says otherwise they are those of the detection study's generator: eight offers, ten places, seven types of affiliate, a
heavy-tailed volume and log-normal times from click to conversion. They are plausible, not measured on anybody's traffic: trust
comparisons made on this world, never its absolute figures.
"""

from __future__ import annotations

from dataclasses import dataclass

DAY_US = 86_400_000_000
"""Microseconds in a day: every time inside the simulation is an integer of microseconds since 1970."""
SECOND_US = 1_000_000
"""Microseconds in a second."""
HOUR_S = 3600.0
"""Seconds in an hour."""
DAY_S = 86_400.0
"""Seconds in a day."""


@dataclass(frozen=True)
class Place:
    """A country that sends traffic: its share of the program, its clock, how much of it comes over mobile carriers, and its languages."""

    country: str
    weight: float
    utc_offset: float
    carrier_share: float
    languages: tuple[str, ...]


PLACES: tuple[Place, ...] = (
    Place("US", 0.32, -5.0, 0.35, ("en-US", "en-US", "en-US", "es-US")),
    Place("GB", 0.14, 0.0, 0.40, ("en-GB",)),
    Place("DE", 0.10, 1.0, 0.30, ("de-DE", "de-DE", "de-DE", "en-US")),
    Place("FR", 0.09, 1.0, 0.30, ("fr-FR",)),
    Place("ZA", 0.08, 2.0, 0.45, ("en-ZA", "en-ZA", "af-ZA")),
    Place("IN", 0.07, 5.5, 0.80, ("en-IN", "en-IN", "hi-IN")),
    Place("ID", 0.07, 7.0, 0.75, ("id-ID",)),
    Place("BR", 0.05, -3.0, 0.60, ("pt-BR",)),
    Place("JP", 0.04, 9.0, 0.40, ("ja-JP",)),
    Place("AU", 0.04, 10.0, 0.35, ("en-AU",)),
)
"""Weights, clocks and carrier shares of the study; which country stands for which row is a choice made here."""


@dataclass(frozen=True)
class Goods:
    """One offer: conversion rate and value of an average affiliate, how long buyers take, and what a conversion pays.

    `median_s` and `SIGMA_DELAY` shape the prompt buyers' log-normal; `late_share` come back after a day. `commission` is a share of the
    amount for `revshare`, and of `value` (flat) for the other payout models.
    """

    name: str
    vertical: str
    rate: float
    value: float
    median_s: float
    late_share: float
    payout_model: str
    commission: float
    paid_search: bool
    incentive: bool


GOODS: tuple[Goods, ...] = (
    Goods("Northtrail tents", "outdoor", 0.020, 60.0, 900.0, 0.22, "revshare", 0.08, True, False),
    Goods("Harbour coffee machines", "kitchen", 0.012, 120.0, 1800.0, 0.28, "revshare", 0.06, True, False),
    Goods("Lindgrove home textiles", "home", 0.035, 45.0, 600.0, 0.15, "revshare", 0.09, False, False),
    Goods("Calmwater insurance quote", "insurance", 0.050, 30.0, 240.0, 0.08, "cpl", 0.30, True, False),
    Goods("Peakline footwear", "outdoor", 0.018, 80.0, 1200.0, 0.20, "revshare", 0.08, True, False),
    Goods("Verano weekend travel", "travel", 0.008, 200.0, 2400.0, 0.30, "cpa", 0.07, False, False),
    Goods("Pocket Garden app", "app", 0.030, 25.0, 300.0, 0.10, "cpi", 0.12, True, True),
    Goods("Brightletter trial", "education", 0.060, 15.0, 120.0, 0.05, "cpl", 0.30, False, False),
)
"""Rates, values, medians and late shares of the study; names, verticals, payouts and terms are made up here."""

SIGMA_DELAY = 1.3
"""Log-standard deviation of a prompt buyer's time from click to conversion."""
LATE_AFTER_S = DAY_S
"""A late buyer comes back after a day ..."""
LATE_MEAN_S = 4 * DAY_S
"""... plus an exponential of four days."""
DELAY_CLIP_S = (8.0, 29 * DAY_S)
"""No honest conversion is faster than 8 s or later than 29 d."""
SIGMA_VALUE = 0.5
"""Log-standard deviation of an order's value."""
REFUND_SHARE = 0.05
"""Share of honest conversions that are refunded or rejected."""
RATE_CAP = 0.5
"""No source converts more than one click in two."""
COMMISSION_LOCK_S = 14 * DAY_S
"""Commission stays pending for two weeks, then is approved. A common lock period; a choice made here."""
HOLD_S = 30 * DAY_S
"""The hold that detection is compared with: everything is paid after 30 days unless it was undone by then."""
UNDO_MEAN_S = {"refunded": 4 * DAY_S, "rejected": 0.75 * DAY_S, "chargeback": 9 * DAY_S}
"""Mean time until an order is refunded, a lead is rejected, or a payment is charged back. Choices made here."""
CHARGEBACK_SHARE = 0.12
"""Share of undone purchases that end as a chargeback. A choice made here."""


@dataclass(frozen=True)
class Trade:
    """One type of affiliate: its share of the program, and how its audience differs from an average one's."""

    name: str
    share: float
    rate_factor: float
    delay_factor: float
    null_referrer: float
    new_customers: float
    platforms: str
    platform_share: float


TRADES: tuple[Trade, ...] = (
    Trade("content", 0.40, 1.0, 1.0, 0.10, 0.55, "search", 0.08),
    Trade("coupon", 0.12, 2.6, 0.35, 0.12, 0.25, "search", 0.10),
    Trade("cashback", 0.06, 3.2, 0.25, 0.35, 0.20, "search", 0.03),
    Trade("email", 0.10, 1.4, 1.1, 0.85, 0.30, "webmail", 0.55),
    Trade("social", 0.17, 0.5, 1.2, 0.55, 0.65, "social", 0.60),
    Trade("search", 0.10, 0.9, 0.8, 0.08, 0.60, "search", 0.85),
    Trade("app", 0.05, 0.8, 0.7, 0.92, 0.60, "social", 0.20),
)
"""Shares and factors of the study (its `ppc` is the contract's `search`); where the rest of the referrers come from is a choice made
here.
"""

VOLUME_MEDIAN = 45.0
"""Median clicks a day of an affiliate ..."""
VOLUME_SIGMA = 1.35
"""... with this log-standard deviation ..."""
VOLUME_CAP = 2500.0
"""... and never more than this."""
EXTRA_CAP_PER_DAY = 12_000.0
"""A scenario never adds more clicks a day than this to one affiliate, so that one unlucky draw is not half of the program. A choice
made here.
"""
QUALITY_SIGMA = 0.35
"""Log-standard deviation of an affiliate's own quality, which multiplies its conversion rate."""
GEO_CONCENTRATION = 6.0
"""An affiliate's mix of places is Dirichlet with this times the places' weights."""
DAY_NOISE_SIGMA = 0.25
"""Log-standard deviation of one day's volume."""
WEEKEND_FACTOR = 0.85
"""Saturday and Sunday bring this much of a weekday."""
PEAK_HOURS = (13.0, 20.0, 21.0)
"""The local hour at which an affiliate's audience is busiest is one of these."""
PEAK_WIDTH_H = 5.0
"""Width of the busy hours (standard deviation) ..."""
NIGHT_FLOOR = 0.25
"""... above this floor of the night."""
MAX_OFFERS, MAX_SITES, MAX_SUBS = 3, 3, 8
"""An affiliate promotes one to three offers from one to three sites under one to eight sub-IDs."""

VPN_SHARE, VPN_ADDRESSES = 0.03, 300
"""Honest visitors behind a VPN, and the exits they share."""
CORPORATE_SHARE, CORPORATE_ADDRESSES = 0.02, 60
"""Honest visitors behind a company's or university's egress."""
HOSTING_SHARE, HOSTING_ADDRESSES = 0.008, 200
"""Clicks out of hosting networks on every affiliate: monitors, previews, crawlers."""
DECLARED_BOT_SHARE = 0.70
"""Share of those that say in their user agent that they are bots."""
CGNAT_ADDRESSES = 40
"""Shared addresses of mobile carriers in each place."""
IPV6_SHARE = 0.25
"""Share of home and carrier connections that come over IPv6 where a range is known. A choice made here."""
UA_ZIPF = 1.1
"""User agents are as popular as their rank to the power of minus this."""

DOUBLE_CLICK_SHARE = 0.055
"""Honest visitors click twice within seconds; one search engine found 6.5% of its clicks to be double (Kitts et al., 2015)."""
DOUBLE_CLICK_S = (0.4, 15.0)
"""Seconds between the two."""
RETURNING_SHARE = 0.14
"""Share of clicks by somebody who also clicks elsewhere on the same affiliate. A choice made here."""
SHARED_SHARE = 0.05
"""Share of clicks by somebody who also clicks on another affiliate. A choice made here."""

DWELL_MEDIAN_S, DWELL_SIGMA = 35.0, 1.1
"""Time on the landing page of a person who came by choice. A choice made here."""
DWELL_MISSING = 0.20
"""Share of clicks whose landing page reported nothing."""
DEVICE_MISSING = 0.04
"""Share of clicks without a device identifier."""
FORM_MEDIAN_S, FORM_SIGMA = 45.0, 0.6
"""Time a person takes to fill in a lead form. A choice made here."""
LOST_CLICK_SHARE = 0.01
"""Share of honest conversions that arrive without their click's id."""
SERVER_SIDE_SHARE = 0.06
"""Share of honest conversions that a shop's server reports without the customer's address and user agent."""
ELSEWHERE_SHARE = 0.08
"""Share of honest conversions on another address than the click's, because the visitor moved."""
COUPON_USE = 0.7
"""Share of a coupon or cashback affiliate's orders that carry one of its codes."""

NEWCOMER_SHARE = 0.03
"""Share of ordinary affiliates that join during the simulated days."""
AGENCY_EVERY, AGENCY_SIZE = 150, 3
"""One declared agency of three affiliates (one payout account, one group) for every so many affiliates."""
SEND_LIFT = 2.5
"""An e-mail affiliate's weekly newsletter day brings this much of an ordinary day."""
SEND_DECLARED = 0.7
"""Share of newsletters and promotions that stand in the calendar."""

CURRENCY = "USD"
"""The program pays in one currency."""
