"""The relations that features aggregate, as SQL over the lake's views.

`prepare(level)` gives the statements that build, in order, the temporary tables
`ft_clicks` and `ft_conversions` (one row per window and event, with the flags that features count), and `RELATIONS` the small groupings
above them. They expect the tables of `fraud.features.inputs`: `ft_windows` (`w`, `starts`, `ends`), `ft_agents` (`user_agent`,
`declared_bot`), `ft_referrers` (`host`, `referrer_domain`), `ft_declared` (`affiliate_id`, `domain`) and `ft_egress` (`w`, `ip`,
`shared`, `hosting_like`). Nothing in a window's row depends on an event at or after the window's end.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from fraud.enrichment import egress, referrers

DUPLICATE_WITHIN_S = 20
"""Oentaryo et al. 2014 (FDMA): a click is repeated within 20 s."""

SPIKE_CLICKS = 3
"""Clicks of one address, user agent and offer in a minute that make it a spike (FDMA 2012's one-minute bins)."""

SAME_MINUTE_CONVERSIONS = 3
"""Conversions of one affiliate in a minute (detection C18, vendor heuristic)."""

SHORT_DWELL_MS = 2000
"""Snyder and Kanich: a forced visit is over within two seconds."""

FAST_SECONDS = (10, 60)
"""Where an offer's own floor of the time to convert may lie (detection C15: 10 s for a lead, 30 s for a purchase, learned per offer)."""

FAST_SIGMAS = 2.33
"""The floor is the first percentile of a log-normal law with the offer's robust centre and spread."""

PACE_CONVERSIONS, PACE_AFFILIATES = 5, 3
"""An offer's pace is told from at least so many affiliates with at least so many timed conversions each; else the program's own serves."""

MAD_TO_SD = 1.4826
"""Median absolute deviation of a normal sample to its standard deviation."""

RATE_PRIOR_CLICKS = 100
"""Clicks at the program's rate that steady the rate of an offer seen little: about two conversions at a usual 2%."""

KIND_PRIOR_CLICKS = 500
"""Clicks at the offer's rate that steady the rate of one kind of affiliate on it: about ten conversions."""

DEFAULT_LOOKBACK_HOURS = 720
"""How long before a conversion its click may lie when neither the offer nor the program's own delays say: thirty days."""

CLICKS = f"""
CREATE OR REPLACE TEMP TABLE ft_clicks AS
WITH inside AS (
    SELECT w.w, w.starts, c.*,
        CASE WHEN device_id IS NOT NULL THEN 'device ' || device_id
             WHEN ip IS NOT NULL AND user_agent IS NOT NULL THEN ip || chr(31) || user_agent END AS client
    FROM clicks c JOIN ft_windows w ON c.clicked_at >= w.starts AND c.clicked_at < w.ends
    WHERE {{entity_known}}
), timed AS (
    SELECT *,
        epoch_us(clicked_at) - lag(epoch_us(clicked_at)) OVER (PARTITION BY w, {{entity}} ORDER BY clicked_at, click_id) AS gap_us,
        epoch_us(clicked_at) - lag(epoch_us(clicked_at)) OVER (
            PARTITION BY w, affiliate_id, offer_id, client ORDER BY clicked_at, click_id) AS client_gap_us,
        count(*) OVER (PARTITION BY w, affiliate_id, offer_id, ip, user_agent, date_trunc('minute', clicked_at)) AS in_minute
    FROM inside
)
SELECT t.w, t.affiliate_id, t.sub_id, t.offer_id, t.clicked_at, t.ip, t.user_agent, t.device_id, t.country, t.gap_us,
    CASE WHEN t.client IS NOT NULL THEN coalesce(t.client_gap_us <= {DUPLICATE_WITHIN_S * 1_000_000}, false) END AS duplicate,
    CASE WHEN t.ip IS NOT NULL AND t.user_agent IS NOT NULL THEN t.in_minute >= {SPIKE_CLICKS} END AS spiky,
    t.dwell_ms < {SHORT_DWELL_MS} AS short_dwell,
    NOT t.js_executed AS no_script,
    a.declared_bot,
    coalesce(e.shared, false) AS shared,
    CASE WHEN t.ip IS NOT NULL AND m.conversions_matched THEN coalesce(e.hosting_like, false) END AS hosting_like,
    CASE WHEN t.country IS NOT NULL AND len(o.countries) > 0 THEN NOT list_contains(o.countries, t.country) END AS off_target,
    r.referrer_domain,
    CASE WHEN r.referrer_domain IS NOT NULL AND declared.domains IS NOT NULL
         THEN NOT list_contains(declared.domains, r.referrer_domain) END AS undeclared_referrer
FROM timed t
JOIN ft_egress_windows m ON m.w = t.w
LEFT JOIN ft_agents a ON a.user_agent = t.user_agent
LEFT JOIN ft_referrers r ON r.host = {referrers.HOST_SQL.format(column="t.referrer")}
LEFT JOIN ft_egress e ON e.w = t.w AND e.ip = t.ip
LEFT JOIN offers o ON o.offer_id = t.offer_id
LEFT JOIN (SELECT affiliate_id, list(domain) AS domains FROM ft_declared GROUP BY affiliate_id) declared
    ON declared.affiliate_id = t.affiliate_id
"""

CONVERSIONS = f"""
CREATE OR REPLACE TEMP TABLE ft_conversions AS
WITH inside AS (
    SELECT w.w, w.ends, v.* FROM conversions v JOIN ft_windows w ON v.converted_at >= w.starts AND v.converted_at < w.ends
), matched AS (
    SELECT i.* EXCLUDE (sub_id, offer_id), coalesce(i.sub_id, c.sub_id) AS sub_id, coalesce(i.offer_id, c.offer_id) AS offer_id,
        c.click_id IS NOT NULL AS click_found,
        CASE WHEN c.clicked_at <= i.converted_at THEN (epoch_us(i.converted_at) - epoch_us(c.clicked_at)) / 1e6 END AS delay_s,
        CASE WHEN i.status IN ('approved', 'rejected', 'refunded', 'chargeback') AND coalesce(i.status_changed_at < i.ends, true)
             THEN i.status ELSE 'pending' END AS known_status
    FROM inside i LEFT JOIN clicks c ON c.click_id = i.click_id AND c.clicked_at < i.ends
), windows AS (
    SELECT w, bool_or(click_id IS NOT NULL) AS carry_clicks, bool_or(status IS NOT NULL) AS carry_status,
        quantile_cont(delay_s, 0.99) / 3600 AS usual_lookback_hours FROM matched GROUP BY w
), own_paces AS (
    SELECT w, offer_id, affiliate_id, median(ln(1 + delay_s)) AS centre, mad(ln(1 + delay_s)) AS spread FROM matched
    WHERE delay_s IS NOT NULL GROUP BY ALL HAVING count(*) >= {PACE_CONVERSIONS}
), paces AS (
    -- The median over affiliates: one large affiliate, or one that is in a hurry, does not set the pace of its offer.
    SELECT w, offer_id, median(centre) AS centre, {MAD_TO_SD} * median(spread) AS spread FROM own_paces
    GROUP BY ALL HAVING count(*) >= {PACE_AFFILIATES}
), usual_paces AS (
    SELECT w, median(ln(1 + delay_s)) AS centre, {MAD_TO_SD} * mad(ln(1 + delay_s)) AS spread FROM matched
    WHERE delay_s IS NOT NULL GROUP BY w
), keyed AS (
    SELECT m.*, coalesce(e.shared, false) AS shared,
        x.carry_status,
        coalesce(o.attribution_window_hours, x.usual_lookback_hours, {DEFAULT_LOOKBACK_HOURS}) AS lookback_hours, x.carry_clicks,
        CASE WHEN customer_id IS NULL AND customer_email IS NULL AND customer_phone IS NULL AND device_id IS NULL
                  AND NOT coalesce(e.shared, false) THEN m.ip END AS lone_ip
    FROM matched m JOIN windows x ON x.w = m.w
    LEFT JOIN offers o ON o.offer_id = m.offer_id
    LEFT JOIN ft_egress e ON e.w = m.w AND e.ip = m.ip
    WHERE {{entity_known}}
)
SELECT w, affiliate_id, sub_id, offer_id, converted_at, ip, shared, country, delay_s, amount, commission, currency, new_customer,
    known_status, customer_email, customer_phone, device_id,
    CASE WHEN carry_status AND known_status <> 'pending' THEN known_status <> 'approved' END AS reversed,
    customer_email_kind = 'disposable' AS disposable,
    CASE WHEN NOT carry_clicks THEN NULL WHEN click_id IS NULL THEN true WHEN click_found THEN false
         WHEN converted_at >= (SELECT min(clicked_at) FROM clicks) + to_seconds(lookback_hours * 3600) THEN true END AS no_click,
    count(*) OVER (PARTITION BY w, affiliate_id, date_trunc('minute', converted_at)) >= {SAME_MINUTE_CONVERSIONS} AS same_minute,
    (count(*) OVER (PARTITION BY w, affiliate_id, date_trunc('hour', converted_at)) - 1) / 60.0 AS others_per_minute,
    CASE WHEN coalesce(customer_id, customer_email, customer_phone, device_id, lone_ip) IS NOT NULL THEN
        {{repeats}} END AS repeated,
    ln(1 + delay_s) - coalesce(p.centre, u.centre) AS relative_delay,
    ln(1 + delay_s) < least(ln(1 + {FAST_SECONDS[1]}), greatest(ln(1 + {FAST_SECONDS[0]}),
        coalesce(p.centre - {FAST_SIGMAS} * p.spread, u.centre - {FAST_SIGMAS} * u.spread))) AS fast
FROM keyed LEFT JOIN paces p USING (w, offer_id) LEFT JOIN usual_paces u USING (w)
"""

REPEAT_KEYS = ("customer_id", "customer_email", "customer_phone", "device_id", "lone_ip")
"""The columns by which a customer is known again."""

_REPEAT = "({key} IS NOT NULL AND row_number() OVER (PARTITION BY w, affiliate_id, goal, {key} ORDER BY converted_at, conversion_id) > 1)"

RELATIONS: dict[str, str] = {
    "clicks": "SELECT * FROM ft_clicks",
    "conversions": "SELECT * FROM ft_conversions",
    "click_addresses": "SELECT w, {entity}, ip, any_value(shared) AS shared, count(*) AS n FROM ft_clicks "
    "WHERE ip IS NOT NULL GROUP BY w, {entity}, ip",
    "click_agents": "SELECT w, {entity}, user_agent, count(*) AS n FROM ft_clicks "
    "WHERE user_agent IS NOT NULL GROUP BY w, {entity}, user_agent",
    "conversion_addresses": "SELECT w, {entity}, ip, any_value(shared) AS shared, count(*) AS n FROM ft_conversions "
    "WHERE ip IS NOT NULL GROUP BY w, {entity}, ip",
    "click_hours": """
        WITH days AS (
            SELECT w, {entity}, clicked_at::DATE AS day, hour(clicked_at) AS h, count(*) AS n FROM ft_clicks GROUP BY ALL),
        weighed AS (SELECT *, n / sum(n) OVER (PARTITION BY w, {entity}, day) AS p FROM days),
        -- Every day weighs the same, so that one day's burst is not the affiliate's habit; `n` keeps the sum of its clicks.
        totals AS (SELECT w, {entity}, sum(n) AS n, count(DISTINCT day) AS days FROM days GROUP BY ALL),
        own AS (
            SELECT w, {entity}, h, sum(p) / any_value(t.days) * any_value(t.n) AS n FROM weighed JOIN totals t USING (w, {entity})
            GROUP BY w, {entity}, h),
        affiliate AS (SELECT w, affiliate_id, h, sum(n) AS n FROM own GROUP BY ALL),
        program AS (SELECT w, h, sum(n) AS n FROM own GROUP BY ALL),
        shares AS (
            SELECT own.*, own.n / sum(own.n) OVER (PARTITION BY own.w, {own_entity}) AS p,
                (program.n - affiliate.n) / nullif(rest.n, 0) AS q
            FROM own JOIN program USING (w, h) JOIN affiliate USING (w, affiliate_id, h)
            JOIN (SELECT w, affiliate_id, any_value(total) - sum(n) AS n
                  FROM affiliate JOIN (SELECT w, sum(n) AS total FROM program GROUP BY w) USING (w) GROUP BY w, affiliate_id) rest
                USING (w, affiliate_id)
        )
        SELECT *, (p + q) / 2 AS m FROM shares WHERE q IS NOT NULL""",
    "expected": f"""
        WITH events AS (
            SELECT w, {{entity}}, offer_id, 1 AS n, 0 AS k FROM ft_clicks
            UNION ALL SELECT w, {{entity}}, offer_id, 0, 1 FROM ft_conversions),
        own AS (SELECT w, {{entity}}, offer_id, sum(n)::DOUBLE AS n, sum(k)::DOUBLE AS k FROM events GROUP BY ALL),
        affiliate AS (SELECT w, affiliate_id, offer_id, sum(n) AS n, sum(k) AS k FROM own GROUP BY ALL),
        offer AS (SELECT w, offer_id, sum(n) AS n, sum(k) AS k FROM own GROUP BY ALL),
        total AS (SELECT w, sum(n) AS n, sum(k) AS k FROM own GROUP BY ALL),
        rest AS (
            SELECT a.w, a.affiliate_id, a.offer_id, o.n - a.n AS n, o.k - a.k AS k,
                (t.k - sum(a.k) OVER affiliate) / nullif(t.n - sum(a.n) OVER affiliate, 0) AS rate
            FROM affiliate a JOIN offer o ON o.w = a.w AND o.offer_id IS NOT DISTINCT FROM a.offer_id JOIN total t ON t.w = a.w
            WINDOW affiliate AS (PARTITION BY a.w, a.affiliate_id)),
        kinds AS (SELECT affiliate.*, t.affiliate_type FROM affiliate LEFT JOIN affiliates t USING (affiliate_id)),
        kind AS (SELECT w, affiliate_type, offer_id, sum(n) AS n, sum(k) AS k FROM kinds GROUP BY ALL),
        rated AS (
            SELECT r.w, r.affiliate_id, r.offer_id, kind.n - a.n AS n, kind.k - a.k AS k,
                (r.k + {RATE_PRIOR_CLICKS} * r.rate) / (r.n + {RATE_PRIOR_CLICKS}) AS rate
            FROM rest r JOIN kinds a ON a.w = r.w AND a.affiliate_id = r.affiliate_id AND a.offer_id IS NOT DISTINCT FROM r.offer_id
            JOIN kind ON kind.w = r.w AND kind.offer_id IS NOT DISTINCT FROM r.offer_id
                AND kind.affiliate_type IS NOT DISTINCT FROM a.affiliate_type)
        SELECT own.*, own.n * (rated.k + {KIND_PRIOR_CLICKS} * rated.rate) / (rated.n + {KIND_PRIOR_CLICKS}) AS e
        FROM own JOIN rated ON rated.w = own.w AND rated.affiliate_id = own.affiliate_id
            AND rated.offer_id IS NOT DISTINCT FROM own.offer_id""",
    "amounts": """
        WITH own AS (
            SELECT w, {entity}, offer_id, currency, sum(amount)::DOUBLE AS amount, count(*) AS n FROM ft_conversions
            WHERE amount IS NOT NULL GROUP BY ALL),
        affiliate AS (SELECT w, affiliate_id, offer_id, currency, sum(amount) AS amount, sum(n) AS n FROM own GROUP BY ALL),
        offer AS (SELECT w, offer_id, currency, sum(amount) AS amount, sum(n) AS n FROM affiliate GROUP BY ALL)
        SELECT own.*, (o.amount - a.amount) / nullif(o.n - a.n, 0) AS usual
        FROM own
        JOIN affiliate a ON a.w = own.w AND a.affiliate_id = own.affiliate_id
            AND a.offer_id IS NOT DISTINCT FROM own.offer_id AND a.currency IS NOT DISTINCT FROM own.currency
        JOIN offer o ON o.w = own.w AND o.offer_id IS NOT DISTINCT FROM own.offer_id AND o.currency IS NOT DISTINCT FROM own.currency
        WHERE o.n > a.n""",
}
"""Groupings by name; `{entity}` stands for the level's key columns."""

ENTITY: dict[str, tuple[str, ...]] = {"affiliate": ("affiliate_id",), "sub_id": ("affiliate_id", "sub_id")}
"""The key columns of each level."""


def prepare(level: str) -> tuple[str, ...]:
    """The statements that build `ft_clicks` and `ft_conversions` for a level; rows without a sub-ID are no part of that level."""
    entity = ", ".join(ENTITY[level])
    known = " AND ".join(f"{column} IS NOT NULL" for column in ENTITY[level])
    repeats = " OR ".join(_REPEAT.format(key=key) for key in REPEAT_KEYS)
    return CLICKS.format(entity=entity, entity_known=known), CONVERSIONS.format(entity_known=known, repeats=repeats)


def relation(name: str, level: str) -> str:
    """The SQL of one relation at a level."""
    entity = ENTITY[level]
    return RELATIONS[name].format(entity=", ".join(entity), own_entity=", ".join(f"own.{column}" for column in entity))


def definitions() -> list[str]:
    """Every text that a feature's value depends on, for the hash of the feature set."""
    return [CLICKS, CONVERSIONS, _REPEAT, *REPEAT_KEYS, *RELATIONS.values(), *egress.definitions()]
