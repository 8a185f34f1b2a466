"""The ordinary world follows the laws it states."""

from __future__ import annotations

import ipaddress

import numpy as np
import pandas as pd
import pytest

from fraud.simulation import networks, world
from fraud.simulation.agents import AGENTS
from fraud.simulation.laws import LOGNORMAL
from fraud.simulation.networks import COUNTRIES, Egress
from fraud.simulation.program import SimulatedProgram, SimulationSpec, simulate
from fraud.simulation.randomness import mix, stream


def daily(program: SimulatedProgram, days: int) -> pd.Series:
    """Clicks a day of every affiliate that was there from the beginning."""
    first = program.clicks["clicked_at"].min().floor("D")
    old = program.affiliates.loc[pd.to_datetime(program.affiliates["joined_at"]) < first - pd.Timedelta(days=5), "affiliate_id"]
    return program.clicks["affiliate_id"].astype("str").value_counts().reindex(old, fill_value=0) / days


def test_daily_volume_is_the_heavy_tailed_law(honest: SimulatedProgram) -> None:
    volume = daily(honest, 31)
    expected = world.VOLUME_MEDIAN * (1 + world.DOUBLE_CLICK_SHARE)
    assert volume.median() == pytest.approx(expected, rel=0.3)
    assert np.log(volume[volume > 1]).std() == pytest.approx(world.VOLUME_SIGMA, rel=0.2)
    assert volume.max() < world.VOLUME_CAP * 1.3


def test_a_mean_that_is_asked_for_is_met() -> None:
    program = simulate(SimulationSpec(seed=2, affiliates=600, days=2, window_days=1, clicks_per_day=20, bad_share=0, hard_share=0))
    assert len(program.clicks) / 600 / 2 == pytest.approx(20, rel=0.2)


def test_conversion_rates_follow_offers_and_trades(honest: SimulatedProgram) -> None:
    trade = honest.affiliates.set_index("affiliate_id")["affiliate_type"]
    names = [t.name for t in world.TRADES]
    factor = np.array([t.rate_factor for t in world.TRADES])
    clicked = honest.clicks["affiliate_id"].astype("str").map(trade)
    rates = pd.Series([goods.rate for goods in world.GOODS], index=LOGNORMAL.offer_ids)
    usual = honest.clicks["offer_id"].astype("str").map(rates).astype(float) * clicked.map(dict(zip(names, factor, strict=True))).astype(
        float
    )
    mean_quality = np.exp(world.QUALITY_SIGMA**2 / 2)
    assert len(honest.conversions) / usual.sum() == pytest.approx(mean_quality, rel=0.2)


@pytest.mark.parametrize("number", range(len(world.GOODS)))
def test_click_to_conversion_medians_are_near_the_law(honest: SimulatedProgram, number: int) -> None:
    trade = honest.affiliates.set_index("affiliate_id")["affiliate_type"]
    clicked = honest.clicks.set_index("click_id")["clicked_at"]
    made = honest.conversions[(honest.conversions["offer_id"] == LOGNORMAL.offer_ids[number]) & honest.conversions["click_id"].notna()]
    delay = (made["converted_at"] - made["click_id"].map(clicked)).dt.total_seconds()
    factor = made["affiliate_id"].astype("str").map(trade).map({t.name: t.delay_factor for t in world.TRADES}).astype(float)
    prompt = (delay / factor)[delay < world.LATE_AFTER_S]
    assert len(prompt) > 60
    assert prompt.median() == pytest.approx(world.GOODS[number].median_s, rel=0.35)
    assert delay.min() >= world.DELAY_CLIP_S[0] - 1e-3
    early = delay[made["converted_at"] < made["converted_at"].max()]
    assert (early > world.LATE_AFTER_S).mean() == pytest.approx(world.GOODS[number].late_share, abs=0.1)


def test_most_traffic_comes_in_the_evening_and_less_at_the_weekend(honest: SimulatedProgram) -> None:
    clicks = honest.clicks[honest.clicks["country"] == "GB"]
    hour = clicks["clicked_at"].dt.hour
    assert (hour.isin([19, 20, 21])).mean() > 1.6 * (hour.isin([4, 5, 6])).mean()
    by_day = honest.clicks.groupby(honest.clicks["clicked_at"].dt.date).size()
    weekend = np.array([day.weekday() >= 5 for day in by_day.index])
    assert 0.75 < by_day[weekend].mean() / by_day[~weekend].mean() < 0.95


def test_every_address_is_global_and_lies_where_its_country_says(program: SimulatedProgram) -> None:
    seen = pd.concat([program.clicks[["ip", "country"]], program.conversions[["ip", "country"]]]).dropna().drop_duplicates("ip")
    sample = seen.sample(4000, random_state=1).astype("str")
    for ip in sample["ip"]:
        address = ipaddress.ip_address(ip)
        assert address.is_global
        assert not address.is_multicast
    assert 0.05 < sample["ip"].str.contains(":").mean() < 0.4
    for ip in program.affiliates["signup_ip"]:
        assert ipaddress.ip_address(ip).is_global


@pytest.mark.parametrize(
    ("table", "egress"),
    [(networks.HOME_RANGES, Egress.HOME), (networks.CARRIER_RANGES, Egress.CARRIER), (networks.HOSTING_RANGES, Egress.HOSTING)],
)
def test_addresses_are_drawn_from_their_ranges(table: dict[str, tuple[str, ...]], egress: Egress) -> None:
    for country, blocks in table.items():
        ranges = [ipaddress.ip_network(block) for block in blocks]
        assert all(network.is_global for network in ranges)
        for version in {network.version for network in ranges}:
            drawn = networks.draw_addresses(stream(1, country, egress), egress, 50, country, version=version)
            for high, low, code in zip(drawn.high.tolist(), drawn.low.tolist(), drawn.country.tolist(), strict=True):
                address = ipaddress.IPv4Address(low) if version == 4 else ipaddress.IPv6Address(high << 64 | low)
                assert any(address in network for network in ranges)
                assert COUNTRIES[code] == country


def test_carriers_put_many_devices_behind_few_addresses(honest: SimulatedProgram) -> None:
    devices = honest.clicks.groupby("ip")["device_id"].nunique()
    assert (devices >= 100).sum() > 100
    assert (devices == 1).sum() > 50_000


def test_user_agents_are_many_and_unequal(honest: SimulatedProgram) -> None:
    assert 75 <= AGENTS.people <= 90
    assert len(set(AGENTS.names)) == len(AGENTS.names)
    shares = honest.clicks["user_agent"].value_counts(normalize=True)
    assert 0.08 < shares.iloc[0] < 0.4
    bots = honest.clicks["user_agent"].isin([AGENTS.names[index] for index in AGENTS.bots]).mean()
    assert bots == pytest.approx(world.HOSTING_SHARE * world.DECLARED_BOT_SHARE, rel=0.25)


def test_dwell_is_sometimes_unknown_and_never_zero_instead(honest: SimulatedProgram) -> None:
    assert honest.clicks["dwell_ms"].isna().mean() == pytest.approx(world.DWELL_MISSING, abs=0.06)
    assert (honest.clicks["dwell_ms"].dropna() > 0).all()
    assert honest.clicks.loc[honest.clicks["dwell_ms"].isna(), "js_executed"].isna().all()


def test_referrers_are_declared_sites_platforms_or_nothing(honest: SimulatedProgram) -> None:
    declared = honest.affiliates.set_index("affiliate_id")["websites"].to_dict()
    known = honest.clicks[["affiliate_id", "referrer"]].dropna().drop_duplicates().astype("str")
    for affiliate, referrer in known.itertuples(index=False):
        site = referrer.split("/")[2]
        assert f"https://{site}" in declared[affiliate].split(";") or not site.endswith(".example")


def test_every_made_up_domain_is_reserved(program: SimulatedProgram) -> None:
    for column in ("websites", "social_profiles"):
        hosts = program.affiliates[column].dropna().str.findall(r"https://([^/;]+)").explode()
        assert hosts.str.endswith(".example").all()


def test_mixing_is_one_to_one() -> None:
    numbers = np.arange(100_000, dtype=np.uint64)
    assert len(np.unique(mix(numbers, 12345))) == len(numbers)
