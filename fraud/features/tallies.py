"""What is counted of an affiliate's or a sub-ID's clicks: the columns of a tally, and the shape in which tallies leave the kernels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import Integers

MARKS = (
    "timed",
    "duplicate",
    "paired",
    "spiky",
    "with_agent",
    "declared_bot",
    "with_address",
    "hosting_like",
    "with_dwell",
    "short_dwell",
    "with_script",
    "no_script",
    "targeted",
    "off_target",
    "sourced",
    "undeclared_referrer",
    "landed",
    "paid",
    "aged",
    "fresh",
    "on_device",
    "stacked",
    "linked_dwell",
    "linked_short",
    "placed",
    "from_hosting",
    "from_vpn",
    "from_tor",
)
"""Marks of a click: that a thing can be said of it, and that it is so. Two by two, but for the last three, which can be said of what is
`placed`."""

COUNTED = (
    "clicks",
    "addresses",
    "known_addresses",
    "address_clicks",
    "top_address",
    "agents",
    "top_agent",
    "agent_logs",
    "domains",
    "with_domain",
    "subs",
    "with_sub",
    "devices",
    "with_device",
    "gaps",
    "gap_mean",
    "gap_squares",
    "pace_pairs",
    "pace_jumps",
)

TALLIES = MARKS + COUNTED
"""The columns of a tally. `addresses` and `address_clicks` leave shared egress out, `known_addresses` does not; `agent_logs` is the sum of
n ln n over agents; gaps are in microseconds and `gap_squares` is the sum of squared deviations from `gap_mean`. `pace_jumps` adds
(a - b)^2 / (a + b) over the `pace_pairs` of neighbouring stretches with a and b clicks: 1 a pair by chance, whatever the hour."""

KNOWN = ("ip", "user_agent", "device_id", "sub_id", "dwell_ms", "js_executed", "country", "referrer", "landing_url")
"""Columns of clicks whose presence is counted for each window."""

HOURS = 24

WHOLE, OTHERS = -1, -2
"""What stands in place of a sub-ID: the affiliate as a whole, and its sub-IDs that are too small for rows of their own, together."""


class ClickTallies(NamedTuple):
    """What the kernel gives. One row an entity: `keys` (rows, 3) of window, affiliate and sub-ID (or `WHOLE`, or `OTHERS`), `tallies`
    (rows, `TALLIES`; of `OTHERS` but the clicks), `hours` (rows, 24) clicks by UTC hour with every day weighing the same; those of
    `OTHERS` are the sum over sub-IDs. `offers` and `countries` (pairs, 3) hold
    the row, the code (-1: unknown) and its clicks. `known` (windows, `KNOWN`) counts the clicks of which a column is known."""

    keys: Integers
    tallies: NDArray[np.float64]
    hours: NDArray[np.float64]
    offers: Integers
    countries: Integers
    known: Integers
