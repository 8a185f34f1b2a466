"""Who was seen with what: the edges of the shared-identity graph, from the accounts and from a window of events."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pandas as pd

from fraud.domain.scans import Period
from fraud.enrichment.egress import (
    LOOKBACK_DAYS,
    SHARED_AFFILIATES,
    SHARED_AFFILIATES_FLOOR,
    SHARED_DEVICES,
    SHARED_DEVICES_FLOOR,
    SHARED_ENTROPY_NATS,
)

COLUMNS = ("affiliate_id", "kind", "entity", "count", "first_seen", "last_seen", "source")
"""The columns of a frame of edges: how often the two were seen together, first and last when (UTC; NaT for account details), and where
that is known from (`account`, `clicks`, `conversions`, `application`, `site`)."""

MOST_OWNERS = 200
"""Entities of more affiliates are hubs of the web, whatever they are, and are not even read."""

ACCOUNT_KINDS = ("payout_account", "tax_id", "phone", "email", "address", "signup_ip", "signup_device")

ACCOUNTS = """
    select affiliate_id, kind, entity, null::timestamp as seen, 'account' as source from (
        unpivot (
            select affiliate_id, payout_account, tax_id, phone, email, address, signup_ip, signup_device_id as signup_device from affiliates
        ) on columns(* exclude (affiliate_id)) into name kind value entity
    )
    union all
    select affiliate_id, 'website', regexp_replace(regexp_replace(lower(trim(site)), '^(https?://)?(www[.])?', ''), '/+$', ''),
        null::timestamp, 'account'
    from (select affiliate_id, unnest(websites) as site from affiliates)
"""

_V6 = r"'^([0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{1,4}:)([0-9a-f]{1,4}):'"

NETWORK = rf"""
    case when regexp_full_match(ip, '(\d{{1,3}}\.){{3}}\d{{1,3}}') then regexp_replace(ip, '\d+$', '') || '0/24'
         when regexp_matches(lower(ip), {_V6}) then
            regexp_extract(lower(ip), {_V6}, 1) || left(lpad(regexp_extract(lower(ip), {_V6}, 2), 4, '0'), 2) || '00::/56' end
"""
"""The /24 of an IPv4 address and the /56 of an IPv6 one; NULL for anything else."""

CLICKS = f"""
    select affiliate_id, 'device' as kind, device_id as entity, clicked_at as seen, 'clicks' as source from clicks
        where clicked_at >= $start and clicked_at < $end and device_id is not null
    union all
    select affiliate_id, 'ip', ip, clicked_at, 'clicks' from clicks where clicked_at >= $start and clicked_at < $end and ip is not null
    union all
    select affiliate_id, 'network', {NETWORK}, clicked_at, 'clicks' from clicks
        where clicked_at >= $start and clicked_at < $end and ip is not null
"""  # noqa: S608 - no value of a user stands in it

CONVERSIONS = """
    select affiliate_id, 'customer' as kind, coalesce(customer_id, customer_email) as entity, converted_at as seen, 'conversions' as source
    from conversions c
        where converted_at >= $start and converted_at < $end and coalesce(customer_id, customer_email) is not null
        -- A conversion without its click is anybody's word: it must not tie somebody else's customer to an account.
        and (not (select coalesce(bool_or(click_id is not null), false) from conversions)
            or exists (select 1 from clicks k where k.click_id = c.click_id and k.affiliate_id = c.affiliate_id))
"""

COUNTED = """
    select affiliate_id, kind, entity, count(*)::bigint as count,
        min(seen) as first_seen, max(seen) as last_seen, any_value(source) as source
    from ({rows}) where entity is not null and entity <> '' group by affiliate_id, kind, entity
"""
"""Rows of one sighting each, counted."""

_SEEN = f"""
    with seen as ({" union all ".join(COUNTED.format(rows=rows) for rows in (ACCOUNTS, CLICKS, CONVERSIONS))}), hubs as (
        select kind, entity from seen group by all having count(distinct affiliate_id) > {MOST_OWNERS}
    )
    select affiliate_id, kind, entity, count, first_seen, last_seen, source from seen anti join hubs using (kind, entity)
    order by affiliate_id, kind, entity
"""  # noqa: S608 - no value of a user stands in it


_SHARED = f"""
    with recent as (
        select ip, device_id, user_agent, affiliate_id from clicks
        where ip is not null and clicked_at < $end and clicked_at >= $end::timestamp - to_days({LOOKBACK_DAYS})
    ), crowd as (
        select count(distinct affiliate_id) as affiliates,
            least(1.0, date_diff('second', min(clicked_at), $end::timestamp) / 86400.0 / {LOOKBACK_DAYS}) as share
        from clicks where clicked_at < $end and clicked_at >= $end::timestamp - to_days({LOOKBACK_DAYS})
    ), busy as (
        select ip, greatest(count(distinct device_id), count(distinct user_agent)) as devices, count(distinct affiliate_id) as affiliates
        from recent group by ip
    ), candidates as (
        select ip from busy, crowd
        where busy.devices >= greatest({SHARED_DEVICES} * crowd.share, {SHARED_DEVICES_FLOOR})
            and busy.affiliates >= greatest(least({SHARED_AFFILIATES}, 0.1 * crowd.affiliates), {SHARED_AFFILIATES_FLOOR})
    ), agents as (
        select ip, coalesce(user_agent, '') as agent, count(*) as n from recent semi join candidates using (ip) group by all
    )
    select ip from agents group by ip
    having ln(sum(n)) - sum(n * ln(n)) / sum(n) + (count(*) - 1) / (2 * sum(n)) >= {SHARED_ENTROPY_NATS} order by ip
"""  # noqa: S608 - as above


def identity_edges(events: duckdb.DuckDBPyConnection, window: Period) -> pd.DataFrame:
    """Every affiliate with everything it was seen with, as `COLUMNS` says.

    What nobody shares is in it too: how much strangers overlap by chance can only be told from the whole.

    `events` has the views of the lake; account details are those known now, events those of the window.
    """
    return events.execute(_SEEN, bounds_of(window)).df()


def account_edges(events: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """What the accounts themselves state, as `COLUMNS` says."""
    return events.execute(COUNTED.format(rows=ACCOUNTS)).df()[list(COLUMNS)]


def bounds_of(window: Period) -> dict[str, object]:
    """The window as the SQL's parameters."""
    return {"start": window.start.replace(tzinfo=None), "end": window.end.replace(tzinfo=None)}


def declared_groups(events: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Declared common ownership, such as agencies: `affiliate_id`, `group_id`."""
    return events.execute("select affiliate_id, group_id from affiliates where group_id is not null order by 1").df()


def shared_addresses(events: duckdb.DuckDBPyConnection, window: Period) -> list[str]:
    """Addresses of carriers, offices and campuses, as four weeks of clicks before the window's end show them.

    Many devices of many agents on the links of many affiliates; the figures are those of `fraud.enrichment.egress`. Whether the address
    converts does not matter here: a crowd that buys nothing is a crowd still, and links nobody.
    """
    return [str(row[0]) for row in events.execute(_SHARED, {"end": window.end.replace(tzinfo=None)}).fetchall()]


def without_shared_egress(edges: pd.DataFrame, shared: list[str]) -> pd.DataFrame:
    """The edges without the addresses and networks of shared egress."""
    networks = networks_of(shared)
    hidden = (edges["kind"] == "ip") & edges["entity"].isin(shared) | (edges["kind"] == "network") & edges["entity"].isin(networks)
    return edges[~hidden]


def networks_of(addresses: Iterable[str]) -> set[str]:
    """The /24 networks of IPv4 addresses."""
    return {address.rpartition(".")[0] + ".0/24" for address in addresses if address.count(".") == 3}
