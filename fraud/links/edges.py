"""Who was seen with what: the edges of the shared-identity graph, from the accounts and from a window of events."""

from __future__ import annotations

import duckdb
import pandas as pd

from fraud.domain.scans import Period

MOST_OWNERS = 200
"""Entities of more affiliates are hubs of the web, whatever they are, and are not even read."""

_ACCOUNTS = """
    unpivot (
        select affiliate_id, payout_account, tax_id, phone, email, signup_ip, signup_device_id as signup_device from affiliates
    ) on columns(* exclude (affiliate_id)) into name kind value entity
"""

_EVENTS = """
    select affiliate_id, 'device' as kind, device_id as entity from clicks
        where clicked_at >= $start and clicked_at < $end and device_id is not null
    union all
    select affiliate_id, 'ip', ip from clicks where clicked_at >= $start and clicked_at < $end and ip is not null
    union all
    select affiliate_id, 'customer', coalesce(customer_id, customer_email) from conversions c
        where converted_at >= $start and converted_at < $end and coalesce(customer_id, customer_email) is not null
        -- A conversion without its click is anybody's word: it must not tie somebody else's customer to an account.
        and (not (select coalesce(bool_or(click_id is not null), false) from conversions)
            or exists (select 1 from clicks k where k.click_id = c.click_id and k.affiliate_id = c.affiliate_id))
"""

_SEEN = f"""
    with seen as (
        select affiliate_id, kind, entity, count(*) as count from ({_ACCOUNTS}) group by all
        union all
        select affiliate_id, kind, entity, count(*) as count from ({_EVENTS}) group by all
    ), hubs as (
        select kind, entity from seen group by all having count(distinct affiliate_id) > {MOST_OWNERS}
    )
    select affiliate_id, kind, entity, count::bigint as count from seen anti join hubs using (kind, entity)
    order by affiliate_id, kind, entity
"""  # noqa: S608 - no value of a user stands in it


def identity_edges(events: duckdb.DuckDBPyConnection, window: Period) -> pd.DataFrame:
    """Every affiliate with everything it was seen with: `affiliate_id`, `kind`, `entity`, `count` (times seen).

    What nobody shares is in it too: how much strangers overlap by chance can only be told from the whole.

    `events` has the views of the lake; account details are those known now, events those of the window.
    """
    bounds = {"start": window.start.replace(tzinfo=None), "end": window.end.replace(tzinfo=None)}
    return events.execute(_SEEN, bounds).df()


def declared_groups(events: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Declared common ownership, such as agencies: `affiliate_id`, `group_id`."""
    return events.execute("select affiliate_id, group_id from affiliates where group_id is not null order by 1").df()


def shared_addresses(events: duckdb.DuckDBPyConnection) -> list[str]:
    """Addresses of carriers, offices and campuses, as the features of the newest window learned them (`fraud.enrichment.egress`)."""
    rows = events.execute("select distinct ip from ft_egress where shared and w = (select max(w) from ft_windows)").fetchall()
    return [str(row[0]) for row in rows]
