from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import duckdb
import pytest

from fraud.enrichment import egress

END = datetime(2026, 3, 1)  # noqa: DTZ001 - the lake's times are UTC without a zone
Verdicts = dict[str, tuple[bool, bool]]


@pytest.fixture
def learn() -> Callable[..., Verdicts]:
    """Learns from clicks (`ip`, number, affiliate, user agent, device, days before the end, converted)."""

    def _learn(rows: list[tuple[str, str, str, str | None, float, bool]]) -> Verdicts:
        con = duckdb.connect()
        con.execute(
            "CREATE TABLE clicks (click_id VARCHAR, ip VARCHAR, affiliate_id VARCHAR, user_agent VARCHAR, device_id VARCHAR, "
            "clicked_at TIMESTAMP)"
        )
        con.execute("CREATE TABLE conversions (click_id VARCHAR, converted_at TIMESTAMP)")
        con.execute("CREATE TABLE ft_windows (w INTEGER, starts TIMESTAMP, ends TIMESTAMP)")
        con.execute("INSERT INTO ft_windows VALUES (0, ?, ?)", [END - timedelta(days=3), END])
        for number, (ip, affiliate, agent, device, days, converted) in enumerate(rows):
            at = END - timedelta(days=days)
            con.execute("INSERT INTO clicks VALUES (?, ?, ?, ?, ?, ?)", [str(number), ip, affiliate, agent, device, at])
            if converted:
                con.execute("INSERT INTO conversions VALUES (?, ?)", [str(number), at])
        egress.learn(con)
        found = con.sql("SELECT ip, shared, hosting_like FROM ft_egress").fetchall()
        return {ip: (shared, hosting) for ip, shared, hosting in found}

    return _learn


def _crowd(ip: str, count: int, devices: bool = True, converting: int = 10) -> list[tuple[str, str, str, str | None, float, bool]]:
    """Many people behind one address."""
    return [(ip, f"a{n % 6}", f"agent {n % 12}", f"{ip}-{n}" if devices else None, 1 + n % 20, n % converting == 0) for n in range(count)]


def _server(ip: str, count: int, days: float = 2.0) -> list[tuple[str, str, str, str | None, float, bool]]:
    """One machine that clicks and never buys."""
    return [(ip, "a0", "agent 0", "one", days, False) for _ in range(count)]


def test_a_carriers_gateway_and_a_server(learn: Callable[..., Verdicts]) -> None:
    verdicts = learn([*_crowd("192.0.2.1", 120), *_crowd("198.51.100.1", 120), *_server("203.0.113.1", 60)])
    assert verdicts["192.0.2.1"] == (True, False)
    assert verdicts["203.0.113.1"] == (False, True)


def test_sparse_data_are_enough_for_a_small_crowd_without_devices(learn: Callable[..., Verdicts]) -> None:
    verdicts = learn(_crowd("192.0.2.1", 24, devices=False))
    assert verdicts["192.0.2.1"] == (True, False)


def test_many_agents_of_one_affiliate_are_no_crowd(learn: Callable[..., Verdicts]) -> None:
    forged = [("192.0.2.9", "a0", f"agent {n}", f"d{n}", 1.0, False) for n in range(60)]
    assert learn([*_crowd("192.0.2.1", 120), *forged])["192.0.2.9"][0] is False


def test_a_crowd_that_never_buys_is_none(learn: Callable[..., Verdicts]) -> None:
    idle = [(ip, *rest[:4], False) for ip, *rest in _crowd("192.0.2.9", 120)]
    verdicts = learn([*_crowd("192.0.2.1", 120), *idle])
    assert verdicts["192.0.2.9"][0] is False


def test_servers_are_known_by_their_network_too(learn: Callable[..., Verdicts]) -> None:
    pool = [row for host in range(1, 31) for row in _server(f"203.0.113.{host}", 2)]
    verdicts = learn([*_crowd("192.0.2.1", 120), *pool])
    assert all(verdicts[f"203.0.113.{host}"] == (False, True) for host in range(1, 31))


def test_opaque_addresses_have_no_network(learn: Callable[..., Verdicts]) -> None:
    pool = [row for host in range(1, 31) for row in _server(f"{host}", 2)]
    assert set(learn([*_crowd("192.0.2.1", 120), *pool])) == {"192.0.2.1"}


def test_without_conversions_nothing_is_called_a_server(learn: Callable[..., Verdicts]) -> None:
    assert learn(_server("203.0.113.1", 60))["203.0.113.1"] == (False, False)


def test_what_is_older_than_the_look_back_is_forgotten(learn: Callable[..., Verdicts]) -> None:
    assert "203.0.113.1" not in learn([*_crowd("192.0.2.1", 120), *_server("203.0.113.1", 60, days=29)])
