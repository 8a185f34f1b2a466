"""Honest affiliates that look unusual: what a careful scan leaves alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.simulation import world
from fraud.simulation.agents import AGENTS, draw_agents
from fraud.simulation.kinds import Kind
from fraud.simulation.networks import Egress
from fraud.simulation.randomness import Ints, fresh, stream
from fraud.simulation.scenarios.base import Scenario, Stage, assign, burst, joined, lognormal, settle
from fraud.simulation.traffic import conversion_rate, draw_visits, identities
from fraud.simulation.world import DAY_US, HOUR_S, PLACES, SECOND_US


def viral(stage: Stage) -> pd.DataFrame:
    """L01: a post takes off. Eighteen times the clicks tonight, most of them fading within hours, most from one new site; fewer buy."""
    rng = stage.rng
    crowd = stage.more(stage.surplus(17))
    rows = np.flatnonzero(rng.random(len(crowd)) < 0.7)
    start = stage.onset_us + int(rng.uniform(0, 0.6) * (stage.end_us - stage.onset_us))
    assign(crowd, rows, t=burst(stage, start, 2.5 * HOUR_S, len(rows)))
    source = stage.undeclared(1)[0]
    assign(crowd, np.flatnonzero(rng.random(len(crowd)) < 0.6), referrer=source)
    visits = joined(stage.visits, crowd)
    _keep_sales(stage, visits, 0.45)
    return visits


def coupon_day(stage: Stage) -> pd.DataFrame:
    """L02: a coupon promotion. Seven times the clicks, eight times the rate (at most a half), quicker decisions."""
    rng = stage.rng
    visits = joined(stage.visits, stage.more(stage.surplus(6)))
    rows = np.flatnonzero(visits["t"].to_numpy() >= stage.onset_us)
    rate = conversion_rate(stage.crowd.people, np.full(len(rows), stage.number), visits["offer"].to_numpy()[rows])
    people = visits["egress"].to_numpy()[rows] != Egress.HOSTING
    assign(visits, rows, converts=people & (rng.random(len(rows)) < np.minimum(8 * rate, world.RATE_CAP)))
    assign(visits, rows, delay_s=np.maximum(world.DELAY_CLIP_S[0], visits["delay_s"].to_numpy()[rows] * 0.4))
    if rng.random() < world.SEND_DECLARED:
        stage.declared.append((stage.onset_us, stage.end_us, "promotion"))
    return visits


def cgnat_geo(stage: Stage) -> pd.DataFrame:
    """L03: a mobile audience in one place, 90% of it behind six addresses of its carrier."""
    rng, visits = stage.rng, stage.visits.copy()
    rows = stage.chosen(0.9)
    carrier = np.array([place.carrier_share for place in PLACES])
    place = int(rng.choice(len(PLACES), p=carrier / carrier.sum()))
    pool = stage.crowd.shared.carriers[place].take(rng.choice(world.CGNAT_ADDRESSES, 6, replace=False))
    settle(visits, rows, pool.take(rng.integers(0, 6, len(rows))))
    assign(visits, rows, place=place, egress=int(Egress.CARRIER), agent=draw_agents(rng, Egress.CARRIER, len(rows)))
    return visits


def corp_news(stage: Stage) -> pd.DataFrame:
    """L04: an industry newsletter. 55% of the clicks come from four companies' addresses in office hours."""
    rng, visits = stage.rng, stage.visits.copy()
    rows = stage.chosen(0.55)
    pool = stage.crowd.shared.corporate.take(rng.choice(world.CORPORATE_ADDRESSES, 4, replace=False))
    settle(visits, rows, pool.take(rng.integers(0, 4, len(rows))))
    assign(visits, rows, egress=int(Egress.CORPORATE), agent=draw_agents(rng, Egress.CORPORATE, len(rows)))
    offset = np.array([place.utc_offset for place in PLACES])[visits["place"].to_numpy()[rows]]
    hour = np.mod(rng.uniform(9.0, 12.0, len(rows)) - offset, 24.0)
    day = visits["t"].to_numpy()[rows] // DAY_US * DAY_US
    at = day + (hour / 24 * DAY_US).astype(np.int64)
    inside = (at >= stage.onset_us) & (at < stage.end_us)
    assign(visits, rows[inside], t=at[inside])
    return visits


def tiny_new(stage: Stage) -> pd.DataFrame:
    """L05: a newcomer with one to six clicks a day for the last five days."""
    first = stage.onset_us
    counts = stage.rng.integers(1, 7, max(1, (stage.end_us - first) // DAY_US))
    days: Ints = first + np.repeat(np.arange(len(counts)), counts) * DAY_US
    return draw_visits(stage.crowd, stage.rng, np.full(len(days), stage.number), days)


def tz_shift(stage: Stage) -> pd.DataFrame:
    """L06: somebody in Japan or Australia links to the site: tonight 70% of the clicks come from there, by their clocks."""
    rows = stage.chosen(0.7)
    far = [index for index, place in enumerate(PLACES) if place.utc_offset in (9.0, 10.0)]
    usual = np.delete(np.arange(len(stage.visits)), rows)
    return joined(stage.visits.iloc[usual], stage.more(len(rows), far))


def email_blast(stage: Stage) -> pd.DataFrame:
    """L07: one big newsletter. Ten times a usual day within hours of the send, no referrer; quieter on all other days."""
    rng = stage.rng
    quiet = stage.visits[rng.random(len(stage.visits)) < 0.6].reset_index(drop=True)
    usual = len(stage.visits) / stage.crowd.spec.days
    blast = stage.more(int(min(10 * usual, world.EXTRA_CAP_PER_DAY)))
    sent = stage.onset_us + int(rng.uniform(0.1, 0.8) * (stage.end_us - stage.onset_us))
    blast["t"] = burst(stage, sent, 40 * 60, len(blast))
    blast["referrer"] = np.int32(-1)
    if rng.random() < world.SEND_DECLARED:
        stage.declared.append((sent, min(stage.end_us, sent + DAY_US), "email_send"))
    return joined(quiet, blast)


def vpn_privacy(stage: Stage) -> pd.DataFrame:
    """L08: a privacy-minded audience. 40% behind VPN exits, without referrer."""
    rng, visits = stage.rng, stage.visits.copy()
    rows = stage.chosen(0.4)
    settle(visits, rows, stage.crowd.shared.vpn.take(rng.integers(0, world.VPN_ADDRESSES, len(rows))))
    assign(visits, rows, egress=int(Egress.VPN), referrer=-1)
    return visits


def app_webview(stage: Stage) -> pd.DataFrame:
    """L09: an app that opens offers in its own window. 90% of the clicks have one user agent and no referrer."""
    visits = stage.visits.copy()
    windows = [index for index, inside in enumerate(AGENTS.webview) if inside]
    assign(visits, stage.chosen(0.9), agent=int(stage.rng.choice(windows)), referrer=-1)
    return visits


def giveaway(stage: Stage) -> pd.DataFrame:
    """L10: a raffle. Six times the clicks tonight, a third of the rate."""
    visits = joined(stage.visits, stage.more(stage.surplus(5)))
    _keep_sales(stage, visits, 0.3)
    return visits


def webinar(stage: Stage) -> pd.DataFrame:
    """L11: sixty people in one room sign up within twenty minutes: one office's address, each with their own device and e-mail."""
    rng = stage.rng
    room = stage.more(_ATTENDANTS + 10).iloc[:_ATTENDANTS].reset_index(drop=True)
    count, rows = len(room), np.arange(len(room))
    begins = stage.onset_us + int(rng.uniform(0.05, 0.9) * (stage.end_us - stage.onset_us))
    room["t"] = np.sort(np.minimum(begins + rng.integers(0, 20 * 60 * SECOND_US, count), stage.end_us - 1))
    office = stage.crowd.shared.corporate.take(rng.integers(0, world.CORPORATE_ADDRESSES, 1))
    settle(room, rows, office.take(np.zeros(count, dtype=np.int64)))
    devices = fresh(rng, count)
    agents = draw_agents(rng, Egress.CORPORATE, count)
    assign(room, rows, egress=int(Egress.CORPORATE), agent=agents, device=devices, customer=identities(devices), converts=True)
    assign(room, rows, delay_s=np.maximum(30.0, lognormal(stage, 150.0, 0.6, count)), referrer=-1)
    return joined(stage.visits, room)


def agency(stage: Stage) -> pd.DataFrame:
    """L12: six affiliates of one declared agency, paid together; its office looks at all of them now and then."""
    shared = stream(stage.crowd.spec.seed, "agency", stage.role.ring_id)
    office = stage.crowd.shared.corporate.take(shared.integers(0, world.CORPORATE_ADDRESSES, 1))
    devices = fresh(shared, _DESKS)
    visits = stage.visits.copy()
    rows = stage.chosen(0.02)
    mine = devices[stage.rng.integers(0, _DESKS, len(rows))]
    settle(visits, rows, office.take(np.zeros(len(rows), dtype=np.int64)))
    assign(visits, rows, egress=int(Egress.CORPORATE), device=mine, customer=identities(mine), converts=False)
    return visits


_ATTENDANTS, _DESKS = 60, 12


def _keep_sales(stage: Stage, visits: pd.DataFrame, share: float) -> None:
    """Only that share of the sales since the onset happens."""
    lost = (visits["t"].to_numpy() >= stage.onset_us) & (stage.rng.random(len(visits)) >= share)
    assign(visits, np.flatnonzero(lost), converts=False)


_CREATORS = ("content", "social")
SCENARIOS = (
    Scenario(Kind("viral", "L01", trades=_CREATORS, when="window"), viral),
    Scenario(Kind("coupon_day", "L02", trades=("coupon",), when="window"), coupon_day),
    Scenario(Kind("cgnat_geo", "L03", when="always"), cgnat_geo),
    Scenario(Kind("corp_news", "L04", trades=("content", "email"), when="always"), corp_news),
    Scenario(Kind("tiny_new", "L05", newcomer_days=5), tiny_new),
    Scenario(Kind("tz_shift", "L06", when="window"), tz_shift),
    Scenario(Kind("email_blast", "L07", trades=("email",), when="window"), email_blast),
    Scenario(Kind("vpn_privacy", "L08", trades=_CREATORS, when="always"), vpn_privacy),
    Scenario(Kind("app_webview", "L09", trades=("app",), when="always"), app_webview),
    Scenario(Kind("giveaway", "L10", trades=_CREATORS, when="window"), giveaway),
    Scenario(Kind("webinar", "L11", trades=("content", "email"), payout_model="cpl", when="window"), webinar),
    Scenario(Kind("agency", "L12", when="always", ring_size=6), agency),
)
"""The kinds of this module."""
