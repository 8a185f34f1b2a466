"""Each scenario moves what it is meant to move, and the truth says so."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from fraud.simulation import networks
from fraud.simulation.agents import AGENTS
from fraud.simulation.laws import LOGNORMAL
from fraud.simulation.program import SimulationSpec, simulate
from fraud.simulation.scenarios import KINDS, SHAPES
from fraud.simulation.world import GOODS
from tests.simulation.conftest import Cast

Staged = Callable[[str], Cast]


def in_hosting(ips: pd.Series) -> np.ndarray:
    """Which of these addresses lie in hosting ranges."""
    blocks = [ipaddress.ip_network(block) for blocks in networks.HOSTING_RANGES.values() for block in blocks]
    return np.array([any(ipaddress.ip_address(ip) in block for block in blocks) for ip in ips.astype("str")])


def rate(conversions: pd.DataFrame, clicks: pd.DataFrame) -> float:
    return len(conversions) / len(clicks)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.bad], ids=lambda kind: kind.name)
def test_fraud_has_a_typology_and_a_price_and_honest_kinds_have_neither(staged: Staged, kind: object) -> None:
    name = getattr(kind, "name", "")
    cast = staged(name)
    assert len(cast.actors) == 12
    assert all(one.bad and one.typology and one.intensity == 1.0 for one in cast.actors)
    paid = sum((one.fraud_commission for one in cast.actors), Decimal(0))
    assert (paid == 0) is (name == "bot_dc")


def test_every_kind_has_a_shape_and_a_description() -> None:
    assert {kind.name for kind in KINDS} == set(SHAPES)
    assert all(
        (shape.__doc__ or "").startswith(kind.code) for kind, shape in zip(KINDS, (SHAPES[kind.name] for kind in KINDS), strict=True)
    )


def test_click_flood_raises_volume_and_the_late_share_and_lowers_the_rate(staged: Staged) -> None:
    cast = staged("click_flood")
    assert (cast.delays(cast.conversions) > 3600).mean() > 2 * (cast.delays(cast.other_conversions) > 3600).mean()
    assert rate(cast.conversions, cast.clicks) < 0.5 * rate(cast.other_conversions, cast.other_clicks)
    assert cast.clicks["referrer"].isna().mean() > 0.85
    hours = cast.clicks["clicked_at"].dt.hour.value_counts(normalize=True)
    assert hours.max() < 1.5 * hours.min()


def test_bot_dc_comes_from_few_hosting_addresses_and_buys_nothing(staged: Staged) -> None:
    cast = staged("bot_dc")
    sample = cast.clicks.sample(1500, random_state=0)
    hosting = in_hosting(sample["ip"])
    assert 0.5 < hosting.mean() < 0.7
    assert in_hosting(cast.other_clicks.sample(1500, random_state=0)["ip"]).mean() < 0.03
    bought = cast.conversions[cast.conversions["ip"].notna()]
    assert in_hosting(bought["ip"]).mean() < 0.05
    assert sample.loc[hosting, "dwell_ms"].median() < 1500


def test_cookie_stuff_forces_short_clicks_from_many_undeclared_sites(staged: Staged) -> None:
    cast = staged("cookie_stuff")
    assert (cast.clicks["dwell_ms"] < 2000).mean() > 0.6
    assert (cast.other_clicks["dwell_ms"] < 2000).mean() < 0.05
    busy = cast.clicks["affiliate_id"].astype("str").value_counts().index[0]
    mine = cast.clicks[cast.clicks["affiliate_id"] == busy]
    declared = cast.program.affiliates.set_index("affiliate_id")["websites"].astype("str").to_dict()[busy].split(";")
    sites = mine["referrer"].dropna().astype("str").str.extract(r"^(https://[^/]+)")[0]
    undeclared = sites[~sites.isin(declared) & sites.str.endswith(".example")]
    assert undeclared.nunique() == 40
    assert undeclared.size / len(mine) > 0.4


def test_lasthijack_converts_within_seconds_of_other_peoples_clicks(staged: Staged) -> None:
    cast = staged("lasthijack")
    assert (cast.delays(cast.conversions) <= 25).mean() > 0.7
    assert (cast.delays(cast.other_conversions) <= 25).mean() < 0.25
    devices = set(cast.conversions["device_id"].dropna()) & set(cast.other_clicks["device_id"].dropna())
    assert len(devices) >= 12
    assert cast.conversions["new_customer"].mean() < 0.3


def test_a_hijacked_order_is_counted_once_and_its_first_click_stays(staged: Staged) -> None:
    cast = staged("lasthijack")
    assert cast.program.conversions["order_id"].is_unique
    first_click = cast.other_clicks.groupby("device_id")["clicked_at"].min()
    stolen = cast.conversions[cast.conversions["device_id"].isin(first_click.index)]
    assert (stolen["device_id"].map(first_click) < stolen["converted_at"]).mean() > 0.7


def test_lead_farm_is_fast_alike_and_repeats_its_people(staged: Staged) -> None:
    cast = staged("lead_farm")
    leads = {LOGNORMAL.offer_ids[i] for i, goods in enumerate(GOODS) if goods.payout_model == "cpl"}
    assert set(cast.conversions["offer_id"].astype("str")) <= leads
    farm = cast.conversions[cast.conversions["form_ms"] < 6000]
    assert len(farm) > 0.6 * len(cast.conversions)
    delays = cast.delays(farm)
    assert np.log(delays[delays.between(20, 300)]).std() < 0.4
    busiest = farm[farm["affiliate_id"].astype("str") == farm["affiliate_id"].astype("str").value_counts().index[0]]
    assert busiest["customer_email"].nunique() < len(busiest) / 4
    assert busiest["device_id"].nunique() < len(busiest) / 8
    assert cast.conversions["status"].eq("rejected").mean() > 3 * cast.other_conversions["status"].eq("rejected").mean()


def test_self_ref_buys_with_its_own_address_device_and_mail(staged: Staged) -> None:
    cast = staged("self_ref")
    affiliates = cast.program.affiliates.set_index("affiliate_id").astype("str")
    signup_ip, emails = affiliates["signup_ip"].to_dict(), affiliates["email"].to_dict()
    for one in cast.actors:
        mine = cast.conversions[cast.conversions["affiliate_id"] == one.affiliate_id]
        own = mine[mine["ip"] == signup_ip[one.affiliate_id]]
        assert len(own) >= 1
        assert own["device_id"].dropna().nunique() <= 2
        assert emails[one.affiliate_id].split("@")[1] in set(own["customer_email"].str.split("@").str[1])
        delays = cast.delays(own)
        assert delays.between(60, 600).all()
    exact = cast.conversions["customer_email"].isin(set(affiliates["email"])) | cast.conversions["device_id"].isin(
        set(affiliates["signup_device_id"])
    )
    assert exact.mean() > 0.3
    assert not cast.other_conversions["device_id"].isin(set(affiliates["signup_device_id"])).any()


def test_incent_converts_too_well_for_too_little(staged: Staged) -> None:
    cast = staged("incent")
    assert rate(cast.conversions, cast.clicks) > 4 * rate(cast.other_conversions, cast.other_clicks)
    values = {offer: goods.value for offer, goods in zip(LOGNORMAL.offer_ids, GOODS, strict=True)}
    relative = cast.conversions["amount"].astype(float) / cast.conversions["offer_id"].astype("str").map(values)
    assert relative.median() < 0.5
    spread = np.log(cast.delays(cast.conversions)).std()
    assert spread < 0.7 * np.log(cast.delays(cast.other_conversions)).std()


def test_conv_inject_posts_conversions_without_clicks_from_a_server(staged: Staged) -> None:
    cast = staged("conv_inject")
    assert cast.conversions["click_id"].isna().mean() > 0.35
    assert cast.other_conversions["click_id"].isna().mean() < 0.03
    posted = cast.conversions[cast.conversions["click_id"].isna()]
    assert in_hosting(posted["ip"].dropna()).mean() > 0.9
    assert posted["user_agent"].isna().mean() > 0.9
    delays = cast.delays(cast.conversions)
    assert delays.between(30, 33).mean() > 0.3
    busiest = posted["affiliate_id"].astype("str").value_counts().index[0]
    injected = cast.conversions[
        (cast.conversions["affiliate_id"] == busiest) & cast.conversions["user_agent"].isna() & cast.conversions["ip"].notna()
    ]
    gaps = injected["converted_at"].diff().dropna().dt.total_seconds()
    assert gaps.std() / gaps.mean() < 0.35


def test_a_ring_shares_devices_that_strangers_do_not(staged: Staged) -> None:
    cast = staged("ring")
    rings = cast.program.truth.rings
    assert sorted(len(ring["affiliate_ids"]) for ring in rings) == [6, 6]
    devices = {
        one.affiliate_id: set(cast.clicks.loc[cast.clicks["affiliate_id"] == one.affiliate_id, "device_id"].dropna()) for one in cast.actors
    }
    inside = [len(devices[a] & devices[b]) for ring in rings for a in ring["affiliate_ids"] for b in ring["affiliate_ids"] if a < b]
    across = [len(devices[a] & devices[b]) for a in rings[0]["affiliate_ids"] for b in rings[1]["affiliate_ids"]]
    assert np.mean([shared > 0 for shared in inside]) > 0.8
    assert np.mean(inside) > 10 * max(1.0, float(np.mean(across)))


def test_too_few_for_a_ring_play_something_else() -> None:
    program = simulate(SimulationSpec(affiliates=50, days=3, clicks_per_day=2, bad_share=0.2, hard_share=0))
    assert program.truth.rings == ()
    assert sum(one.bad for one in program.truth.affiliates) == 10


def test_subid_launder_makes_new_subs_daily_of_which_a_quarter_is_bad(staged: Staged) -> None:
    cast = staged("subid_launder")
    busy = cast.clicks["affiliate_id"].astype("str").value_counts().index[0]
    mine = cast.clicks[cast.clicks["affiliate_id"] == busy]
    days = mine.groupby("sub_id", observed=True)["clicked_at"].agg(lambda at: at.dt.date.nunique())
    assert (days == 1).all()
    assert len(days) > 20
    bad = {row["sub_id"] for row in cast.program.truth.sub_ids if row["affiliate_id"] == busy}
    assert 0.12 < len(bad) / len(days) < 0.4
    spoilt = mine[mine["sub_id"].isin(bad)]
    assert 0.4 < in_hosting(spoilt["ip"]).mean() < 0.6
    assert spoilt["user_agent"].nunique() <= 6


def test_bot_resproxy_is_regular_spread_out_and_buys_nothing(staged: Staged) -> None:
    cast = staged("bot_resproxy")
    busy = cast.clicks["affiliate_id"].astype("str").value_counts().index[0]
    mine = cast.clicks[cast.clicks["affiliate_id"] == busy]
    assert mine["ip"].nunique() > 0.7 * len(mine)
    assert mine["country"].nunique() >= 10
    assert rate(cast.conversions, cast.clicks) < 0.6 * rate(cast.other_conversions, cast.other_clicks)
    hours = mine["clicked_at"].dt.hour.value_counts(normalize=True)
    assert hours.min() > 0.4 * hours.max()


def test_slow_drip_keeps_its_distance_and_returns_to_few_addresses(staged: Staged) -> None:
    cast = staged("slow_drip")
    for one in cast.actors[:3]:
        mine = cast.clicks[cast.clicks["affiliate_id"] == one.affiliate_id]
        repeated = mine.groupby("ip")["device_id"].transform("nunique") == 1
        drip = mine[repeated & mine.duplicated("ip", keep=False)]
        gaps = drip["clicked_at"].diff().dt.total_seconds().dropna()
        assert gaps.std() / gaps.mean() < 0.75
        assert len(drip) > 0.4 * len(mine)


def test_referrer_launder_hides_its_sources_among_hundreds(staged: Staged) -> None:
    cast = staged("referrer_launder")
    busy = cast.clicks["affiliate_id"].astype("str").value_counts().index[0]
    sites = cast.clicks.loc[cast.clicks["affiliate_id"] == busy, "referrer"].dropna().astype("str").nunique()
    assert sites > 200
    assert rate(cast.conversions, cast.clicks) < 0.7 * rate(cast.other_conversions, cast.other_clicks)


def test_replay_repeats_one_recording_on_several_accounts(staged: Staged) -> None:
    cast = staged("replay")
    mine = cast.clicks[["affiliate_id", "device_id", "clicked_at"]].dropna()
    shared = mine.groupby("device_id")["affiliate_id"].nunique()
    others = cast.other_clicks.groupby("device_id")["affiliate_id"].nunique()
    assert (shared > 1).mean() > 3 * (others > 1).mean()
    recorded = mine[mine["device_id"].isin(shared.index[shared >= 4])]
    of_day = recorded["clicked_at"].dt.hour * 3600 + recorded["clicked_at"].dt.minute * 60 + recorded["clicked_at"].dt.second
    assert of_day.groupby(recorded["device_id"]).std().median() < 10


def test_brandbid_sells_fast_to_old_customers_from_search(staged: Staged) -> None:
    cast = staged("brandbid")
    forbidden = {offer for offer, goods in zip(LOGNORMAL.offer_ids, GOODS, strict=True) if not goods.paid_search}
    assert set(cast.clicks["offer_id"].astype("str")) <= forbidden
    assert cast.clicks["referrer"].astype("str").str.contains("google|bing|duckduckgo").mean() > 0.6
    assert rate(cast.conversions, cast.clicks) > 2.5 * rate(cast.other_conversions, cast.other_clicks)
    leaking = [
        cast.clicks.loc[cast.clicks["affiliate_id"] == one.affiliate_id, "landing_url"].astype("str").str.contains("gad_source").mean()
        > 0.5
        for one in cast.actors
    ]
    assert 0 < sum(leaking) < len(leaking)


def test_ad_stack_clicks_five_offers_within_a_second(staged: Staged) -> None:
    cast = staged("ad_stack")
    busy = cast.clicks["affiliate_id"].astype("str").value_counts().index[0]
    mine = cast.clicks[cast.clicks["affiliate_id"] == busy].dropna(subset="device_id")
    views = mine.groupby(["device_id", mine["clicked_at"].dt.floor("5s")])["offer_id"].nunique()
    assert (views >= 4).mean() > 0.7


def test_overwrite_comes_just_before_somebody_elses_order(staged: Staged) -> None:
    cast = staged("overwrite")
    delays = cast.delays(cast.conversions)
    stolen = cast.conversions.loc[delays.index[delays.between(5, 60)]]
    earlier = cast.other_clicks.groupby("device_id")["clicked_at"].min()
    since = stolen["converted_at"] - stolen["device_id"].map(earlier)
    assert (since.dropna().dt.total_seconds().between(0, 86_400)).mean() > 0.7
    assert all((cast.conversions["affiliate_id"] == one.affiliate_id).any() for one in cast.actors)


def test_adaptive_stays_within_two_standard_deviations_of_what_is_public(staged: Staged) -> None:
    cast = staged("adaptive")

    def shares(clicks: pd.DataFrame) -> pd.DataFrame:
        facts = pd.DataFrame({"null": clicks["referrer"].isna(), "short": (clicks["dwell_ms"] < 2000).fillna(False).astype(bool)})
        return facts.groupby(clicks["affiliate_id"].astype("str")).mean()

    trades = cast.program.affiliates.set_index("affiliate_id")["affiliate_type"].to_dict()
    others, mine = shares(cast.other_clicks), shares(cast.clicks)
    for affiliate in mine.index:
        alike = others[others.index.map(trades) == trades[affiliate]]
        if len(alike) < 3:
            continue
        z = (mine.loc[affiliate].to_numpy() - alike.mean().to_numpy()) / np.maximum(alike.std().to_numpy(), 0.02)
        assert z.max() < 2.6, "a little past the limit for what it draws by chance"
    assert sum(one.fraud_conversions for one in cast.actors) > 0


def test_tz_shift_moves_the_audience_to_another_clock(staged: Staged) -> None:
    cast = staged("tz_shift")
    assert cast.clicks["country"].isin(["JP", "AU"]).mean() > 0.55
    assert cast.other_clicks["country"].isin(["JP", "AU"]).mean() < 0.2


def test_webinar_signs_up_a_room_in_twenty_minutes(staged: Staged) -> None:
    cast = staged("webinar")
    for one in cast.actors[:3]:
        mine = cast.conversions[cast.conversions["affiliate_id"] == one.affiliate_id]
        busiest = mine["ip"].value_counts().index[0]
        room = mine[mine["ip"] == busiest]
        assert len(room) > 25
        assert room["customer_email"].is_unique
        assert room["converted_at"].quantile(0.9) - room["converted_at"].quantile(0.1) < pd.Timedelta(minutes=40)


def test_agency_members_share_an_office(staged: Staged) -> None:
    cast = staged("agency")
    ids = [one.affiliate_id for one in cast.actors]
    assert cast.program.affiliates.set_index("affiliate_id").loc[ids, "group_id"].notna().all()


def test_viral_and_giveaway_bring_many_clicks_that_buy_less(staged: Staged) -> None:
    for name in ("viral", "giveaway"):
        cast = staged(name)
        ids = [one.affiliate_id for one in cast.actors]
        mine = cast.program.clicks[cast.program.clicks["affiliate_id"].isin(ids)]
        before = (len(mine) - len(cast.clicks)) / 9
        assert len(cast.clicks) / 3 > 3 * before
        assert not any(one.bad for one in cast.actors)


def test_coupon_day_lifts_volume_and_rate_and_is_mostly_announced(staged: Staged) -> None:
    cast = staged("coupon_day")
    trades = cast.program.affiliates.set_index("affiliate_id")["affiliate_type"]
    assert {trades[one.affiliate_id] for one in cast.actors} == {"coupon"}
    assert rate(cast.conversions, cast.clicks) > 0.2
    promoted = cast.program.calendar[cast.program.calendar["kind"] == "promotion"]
    assert 5 <= len(promoted) <= 12
    assert set(promoted["affiliate_id"]) <= {one.affiliate_id for one in cast.actors}


def test_cgnat_geo_sits_behind_six_addresses_with_many_devices(staged: Staged) -> None:
    cast = staged("cgnat_geo")
    for one in cast.actors[:4]:
        mine = cast.clicks[cast.clicks["affiliate_id"] == one.affiliate_id]
        top = mine["ip"].value_counts().head(6)
        assert top.sum() / len(mine) > 0.8
        assert mine["device_id"].nunique() > 0.6 * len(mine)


def test_corp_news_comes_from_four_offices_in_the_morning(staged: Staged) -> None:
    cast = staged("corp_news")
    for one in cast.actors[:4]:
        mine = cast.clicks[cast.clicks["affiliate_id"] == one.affiliate_id]
        assert mine["ip"].value_counts().head(4).sum() / len(mine) > 0.45


def test_tiny_new_has_a_handful_of_clicks_for_five_days(staged: Staged) -> None:
    cast = staged("tiny_new")
    ids = [one.affiliate_id for one in cast.actors]
    mine = cast.program.clicks[cast.program.clicks["affiliate_id"].isin(ids)]
    assert mine["clicked_at"].min() >= pd.Timestamp("2026-03-26", tz="UTC")
    daily = mine.groupby([mine["affiliate_id"].astype("str"), mine["clicked_at"].dt.date]).size()
    assert daily.between(1, 6).all()
    joined = cast.program.affiliates.set_index("affiliate_id").loc[ids, "joined_at"]
    assert (joined >= pd.Timestamp("2026-03-25", tz="UTC")).all()


def test_email_blast_is_one_steep_wave(staged: Staged) -> None:
    cast = staged("email_blast")
    for one in cast.actors[:4]:
        mine = cast.clicks[cast.clicks["affiliate_id"] == one.affiliate_id]
        hourly = mine.set_index("clicked_at").resample("1h").size()
        assert hourly.rolling(3).sum().max() > 0.5 * len(mine)


def test_vpn_privacy_sits_behind_vpn_exits(staged: Staged) -> None:
    cast = staged("vpn_privacy")
    blocks = [ipaddress.ip_network(block) for blocks in networks.VPN_RANGES.values() for block in blocks]
    sample = cast.clicks["ip"].astype("str").sample(800, random_state=0)
    assert 0.35 < np.mean([any(ipaddress.ip_address(ip) in block for block in blocks) for ip in sample]) < 0.5


def test_app_webview_has_one_user_agent_and_no_referrer(staged: Staged) -> None:
    cast = staged("app_webview")
    windows = {AGENTS.names[index] for index, inside in enumerate(AGENTS.webview) if inside}
    for one in cast.actors[:4]:
        mine = cast.clicks[cast.clicks["affiliate_id"] == one.affiliate_id]
        shares = mine["user_agent"].value_counts(normalize=True)
        assert shares.iloc[0] > 0.8
        assert shares.index[0] in windows
        assert mine["referrer"].isna().mean() > 0.9


def test_intensity_scales_what_the_fraud_does() -> None:
    def clicks(intensity: float) -> int:
        spec = SimulationSpec(
            seed=4, affiliates=10, days=4, clicks_per_day=40, kinds=("F01",), bad_share=1, hard_share=0, intensity=intensity
        )
        return len(simulate(spec).clicks)

    nothing = len(simulate(SimulationSpec(seed=4, affiliates=10, days=4, clicks_per_day=40, bad_share=0, hard_share=0)).clicks)
    weak, full = clicks(0.25) - nothing, clicks(1.0) - nothing
    assert weak == pytest.approx(full / 4, rel=0.1)
