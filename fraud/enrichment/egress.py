"""Addresses that many people share and addresses that behave like servers, learned from the log alone (detection section 2).

Both look back from a window's end, so that a later event never changes an earlier verdict. Without a table of networks this is what can
be known; an opaque address (one that is no IPv4 text) has no network, and is judged by itself.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

import duckdb

LOOKBACK_DAYS = 28
"""Section 2: the log of four weeks."""

SHARED_DEVICES = 20
"""Section 2: distinct devices of a shared address in the full look-back. A log of fewer days asks for proportionally fewer."""

SHARED_DEVICES_FLOOR = 8
"""The least number of devices (or, where devices are unknown, user agents: entropy 2 nats already needs 7.4) whatever the days."""

SHARED_AFFILIATES = 5
"""Section 2: affiliates seen at a shared address. In a program of fewer than fifty active affiliates a tenth of them is enough."""

SHARED_AFFILIATES_FLOOR = 3
"""Two affiliates at one address may be one person; three strangers are a crowd only with many devices besides."""

SHARED_ENTROPY_NATS = 2.0
"""Section 2: entropy of the address's user agents, with the Miller-Madow correction because sparse samples read too low."""

SHARED_CONVERSION_RATIO = 0.3
"""Section 2: an address that converts below this part of the program's rate is no crowd of people."""

SIGNIFICANT_EXPECTATION = 3.0
"""Expected conversions below which none at all proves nothing: exp(-3) is 5%."""

HOSTING_ENTROPY_NATS = 0.7
"""Section 2: a server shows hardly more than two user agents."""

HOSTING_CLICKS = 50
"""Section 2: clicks before an address (or its /24) can look like a server."""

HOSTING_CONVERSION_RATIO = 0.2
"""Section 2: a server's conversions against the program's rate."""

LEAST_CLICKS = SHARED_DEVICES_FLOOR
"""Below this many clicks in the whole log an address can be neither, alone."""

_NETWORK = r"CASE WHEN regexp_full_match(ip, '(\d{1,3}\.){3}\d{1,3}') THEN regexp_replace(ip, '\d+$', '') END"

_ENTROPY = "ln(sum(n)) - sum(n * ln(n)) / sum(n) + (count(*) - 1) / (2 * sum(n))"

_STEPS = (
    # Slots are the stretches between the moments at which any look-back begins or ends: inside one, every window sees the same clicks.
    f"""
    CREATE OR REPLACE TEMP TABLE ft_bounds AS
    SELECT DISTINCT moment FROM (
        SELECT ends AS moment FROM ft_windows UNION ALL SELECT ends - to_days({LOOKBACK_DAYS}) FROM ft_windows
        UNION ALL SELECT TIMESTAMP '0001-01-01')""",
    f"""
    CREATE OR REPLACE TEMP TABLE ft_seen AS
    WITH busy AS (
        SELECT ip, network FROM (SELECT ip, {_NETWORK} AS network, count(*) AS n FROM clicks WHERE ip IS NOT NULL GROUP BY ip)
        QUALIFY n >= {LEAST_CLICKS} OR (network IS NOT NULL AND sum(n) OVER (PARTITION BY network) >= {HOSTING_CLICKS}))
    SELECT b.moment AS slot, c.ip, any_value(busy.network) AS network, c.user_agent, c.device_id, c.affiliate_id, count(*) AS n
    FROM clicks c JOIN busy ON busy.ip = c.ip ASOF JOIN ft_bounds b ON c.clicked_at >= b.moment
    GROUP BY b.moment, c.ip, c.user_agent, c.device_id, c.affiliate_id""",
    f"""
    CREATE OR REPLACE TEMP TABLE ft_converted AS
    SELECT w.w, c.ip, count(*) AS k
    FROM conversions v JOIN clicks c ON c.click_id = v.click_id
    JOIN ft_windows w ON v.converted_at < w.ends AND c.clicked_at < w.ends AND c.clicked_at >= w.ends - to_days({LOOKBACK_DAYS})
    GROUP BY ALL""",
    f"""
    CREATE OR REPLACE TEMP TABLE ft_egress_windows AS
    WITH slots AS (
        SELECT b.moment AS slot, c.affiliate_id, count(*) AS n, min(c.clicked_at) AS first_at
        FROM clicks c ASOF JOIN ft_bounds b ON c.clicked_at >= b.moment GROUP BY b.moment, c.affiliate_id),
    people AS (
        SELECT w.w, count(DISTINCT s.affiliate_id) AS affiliates, min(s.first_at) AS first_at, sum(s.n) AS n
        FROM ft_windows w JOIN slots s ON s.slot < w.ends AND s.slot >= w.ends - to_days({LOOKBACK_DAYS})
        GROUP BY w.w),
    converted AS (SELECT w, sum(k) AS k FROM ft_converted GROUP BY w)
    SELECT w.w, coalesce(converted.k, 0) > 0 AS conversions_matched, converted.k / nullif(people.n, 0)::DOUBLE AS base_rate,
        greatest({SHARED_AFFILIATES_FLOOR}, least({SHARED_AFFILIATES}, ceil(people.affiliates / 10.0))) AS needed_affiliates,
        greatest({SHARED_DEVICES_FLOOR}, {SHARED_DEVICES} * least(1.0,
            coalesce((epoch_us(w.ends) - epoch_us(people.first_at)) / (86400e6 * {LOOKBACK_DAYS}), 0))) AS needed_devices
    FROM ft_windows w LEFT JOIN people USING (w) LEFT JOIN converted USING (w)""",
    f"""
    CREATE OR REPLACE TEMP TABLE ft_egress AS
    WITH seen AS (
        SELECT w.w, s.* FROM ft_seen s JOIN ft_windows w ON s.slot < w.ends AND s.slot >= w.ends - to_days({LOOKBACK_DAYS})),
    agents AS (SELECT w, ip, any_value(network) AS network, user_agent, sum(n)::DOUBLE AS n FROM seen GROUP BY w, ip, user_agent),
    variety AS (SELECT w, ip, {_ENTROPY} AS entropy FROM agents WHERE user_agent IS NOT NULL GROUP BY w, ip),
    sizes AS (
        SELECT w, ip, any_value(network) AS network, sum(n)::DOUBLE AS n, count(DISTINCT affiliate_id) AS affiliates,
            count(DISTINCT device_id) AS devices, count(DISTINCT user_agent) AS agents
        FROM seen GROUP BY w, ip),
    lone AS (
        SELECT sizes.*, variety.entropy, coalesce(v.k, 0) AS k, sizes.n * x.base_rate AS e, x.needed_affiliates, x.needed_devices
        FROM sizes JOIN ft_egress_windows x USING (w) LEFT JOIN variety USING (w, ip) LEFT JOIN ft_converted v USING (w, ip)),
    network_agents AS (SELECT w, network, user_agent, sum(n) AS n FROM agents WHERE network IS NOT NULL GROUP BY w, network, user_agent),
    network_variety AS (
        SELECT w, network, {_ENTROPY} AS entropy FROM network_agents WHERE user_agent IS NOT NULL GROUP BY w, network),
    networks AS (
        SELECT w, network, any_value(v.entropy) AS entropy, sum(n) AS n, sum(k) AS k, sum(e) AS e
        FROM lone LEFT JOIN network_variety v USING (w, network) WHERE network IS NOT NULL GROUP BY w, network)
    SELECT l.w, l.ip,
        l.affiliates >= l.needed_affiliates AND l.entropy >= {SHARED_ENTROPY_NATS}
            AND (l.devices >= l.needed_devices OR (l.devices = 0 AND l.agents >= {SHARED_DEVICES_FLOOR}))
            AND NOT coalesce(l.e >= {SIGNIFICANT_EXPECTATION} AND l.k < {SHARED_CONVERSION_RATIO} * l.e, false) AS shared,
        coalesce(l.n >= {HOSTING_CLICKS} AND l.entropy < {HOSTING_ENTROPY_NATS} AND l.k < {HOSTING_CONVERSION_RATIO} * l.e, false)
            OR coalesce(b.n >= {HOSTING_CLICKS} AND b.entropy < {HOSTING_ENTROPY_NATS} AND b.k < {HOSTING_CONVERSION_RATIO} * b.e, false)
            AS hosting_like
    FROM lone l LEFT JOIN networks b ON b.w = l.w AND b.network = l.network""",
)


def learn(con: duckdb.DuckDBPyConnection) -> None:
    """Builds `ft_egress` (`w`, `ip`, `shared`, `hosting_like`) and `ft_egress_windows` for the windows in `ft_windows`.

    Needs the views `clicks` and `conversions`. An address that is not listed is neither. `ft_egress_windows.conversions_matched` says
    whether any conversion could be traced to a click in the look-back: where not, nothing can be called server-like.
    """
    for step in _STEPS:
        con.execute(step)


def definitions() -> list[str]:
    """The SQL, for the hash of the feature set."""
    return list(_STEPS)
