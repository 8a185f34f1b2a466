"""Conversions made by people or scripts who are paid for making them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.simulation.agents import draw_agents
from fraud.simulation.kinds import Kind
from fraud.simulation.networks import Egress, draw_addresses
from fraud.simulation.randomness import fresh
from fraud.simulation.scenarios.base import Scenario, Stage, assign, conversions, few_people, lognormal, settle
from fraud.simulation.traffic import identities
from fraud.simulation.world import PLACES


def lead_farm(stage: Stage) -> pd.DataFrame:
    """F06: half of the clicks come from two places and 30% fill in the form, some 70 s after the click and within seconds.

    Six leads share an e-mail, ten an address, fifteen a device; 45% are rejected.
    """
    rng, visits = stage.rng, stage.visits.copy()
    rows = stage.chosen(0.5)
    wins = conversions(stage, len(rows), 0.30)
    leads = int(wins.sum())
    places = rng.choice(len(PLACES), 2, replace=False)
    pool = max(1, leads // 10)
    homes = [draw_addresses(rng, Egress.HOME, pool, PLACES[place].country) for place in places]
    which, side = rng.integers(0, pool, len(rows)), rng.integers(0, 2, len(rows))
    for index, addresses in enumerate(homes):
        settle(visits, rows[side == index], addresses.take(which[side == index]))
    few_people(stage, visits, rows, leads // 15)
    people = fresh(rng, max(1, leads // 6))
    assign(visits, rows, place=places[side], egress=int(Egress.HOME), customer=identities(people)[rng.integers(0, len(people), len(rows))])
    assign(visits, rows, agent=draw_agents(rng, Egress.HOME, 3)[rng.integers(0, 3, len(rows))])
    assign(visits, rows, converts=wins, invalid=wins, delay_s=lognormal(stage, 70, 0.15, len(rows)), undo_p=0.45)
    assign(visits, rows, form_s=lognormal(stage, 2.0, 0.4, len(rows)))
    return visits


def incent(stage: Stage) -> pd.DataFrame:
    """F08: 70% of the clicks come from three undeclared reward sites; 28% convert some 150 s later for a third of the value, and 35%
    are undone.
    """
    rng, visits = stage.rng, stage.visits.copy()
    rows = stage.chosen(0.7)
    sites = stage.undeclared(3)
    wins = conversions(stage, len(rows), 0.28)
    assign(visits, rows, referrer=sites[rng.integers(0, 3, len(rows))], converts=wins, invalid=wins)
    assign(visits, rows, delay_s=np.maximum(8.0, lognormal(stage, 150, 0.5, len(rows))), value=0.35, undo_p=0.35)
    return visits


def self_ref(stage: Stage) -> pd.DataFrame:
    """F07: four clicks in a hundred more, all of which convert within ten minutes: the affiliate's own address, two devices, six
    e-mails.
    """
    rng, people = stage.rng, stage.crowd.people
    own = stage.more(max(3, stage.surplus(0.04)))
    rows = np.arange(len(own))
    settle(own, rows, people.signup.take(np.full(len(own), stage.number)))
    devices = np.array([people.signup_device[stage.number], fresh(rng, 1)[0]])
    emails = people.strings.emails.add(*_own_emails(people.emails[stage.number]))
    which = rng.integers(0, 6, len(own))
    place = int(people.signup.country[stage.number])  # countries are numbered like places
    assign(own, rows, place=place, egress=int(Egress.HOME), device=devices[which % 2], agent=draw_agents(rng, Egress.HOME, 2)[which % 2])
    assign(own, rows, customer=identities(fresh(rng, 6))[which], email=emails + which, invalid=True, converts=True)
    assign(own, rows, delay_s=rng.uniform(60, 600, len(own)), undo_p=0.3)
    return pd.concat([stage.visits, own], ignore_index=True)


def _own_emails(email: str) -> tuple[str, ...]:
    """Six addresses of one person: the one they signed up with and variants of it."""
    local, _, host = email.partition("@")
    return (email, *(f"{local}+{tag}@{host}" for tag in ("shop", "orders", "2")), f"{local}.home@{host}", f"my{local}@{host}")


SCENARIOS = (
    Scenario(Kind("lead_farm", "F06", "lead_fraud", payout_model="cpl"), lead_farm),
    Scenario(Kind("self_ref", "F07", "self_referral"), self_ref),
    Scenario(Kind("incent", "F08", "incentive_abuse"), incent),
)
"""The kinds of this module."""
