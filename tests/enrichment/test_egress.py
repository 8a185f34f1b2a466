from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fraud.enrichment import egress
from fraud.enrichment.egress_kernels import Sightings, address_keys, tallies_of

DAY_US = 86_400_000_000
END = 20_000 * DAY_US
Verdicts = dict[str, tuple[bool, bool]]


@pytest.fixture
def learn() -> Callable[..., Verdicts]:
    """Learns from clicks (`ip`, affiliate, user agent, device, days before the end, converted)."""

    def _learn(rows: list[tuple[str, str, str | None, str | None, float, bool]]) -> Verdicts:
        ips, affiliates, agents, devices, days, sold = zip(*rows, strict=True)
        time = END - (np.array(days) * DAY_US).astype(np.int64)
        address, network = address_keys(*_arrow(ips))
        affiliate = _numbers(affiliates).astype(np.int32) - 1
        totals = egress.RunningTotals([END], len(set(affiliates)))
        totals.add(time, affiliate)
        seen = Sightings(address, network, _numbers(agents), _numbers(devices), affiliate, time)
        bought = np.array(sold)
        converted = egress.Converted(time[bought], time[bought], address[bought], network[bought])
        ends = np.array([END])
        found = egress.judged([tallies_of(seen, ends, egress.LIMITS)], totals.done(), converted, ends)
        told = {key: (bool(found.shared[row, 0]), bool(found.hosting[row, 0])) for row, key in enumerate(found.keys.tolist())}
        return {ip: told.get(key, (False, False)) for ip, key in zip(ips, address.tolist(), strict=True)}

    return _learn


def _arrow(texts: tuple[str, ...]) -> tuple[Any, Any, Any]:
    """The bytes of texts, where each begins, and that all are known."""
    data = [text.encode() for text in texts]
    return (
        np.frombuffer(b"".join(data), np.uint8),
        np.cumsum([0, *map(len, data)]).astype(np.int32),
        np.ones(len(texts), bool),
    )


def _numbers(texts: tuple[str | None, ...]) -> Any:
    """A number from 1 on for each distinct text, 0 for none."""
    known = sorted({text for text in texts if text is not None})
    return np.array([0 if text is None else known.index(text) + 1 for text in texts], np.int64)


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
    verdicts = learn([*_crowd("192.0.2.1", 120), *pool])
    assert {ip for ip, verdict in verdicts.items() if any(verdict)} == {"192.0.2.1"}


def test_without_conversions_nothing_is_called_a_server(learn: Callable[..., Verdicts]) -> None:
    assert learn(_server("203.0.113.1", 60))["203.0.113.1"] == (False, False)


def test_what_is_older_than_the_look_back_is_forgotten(learn: Callable[..., Verdicts]) -> None:
    assert learn([*_crowd("192.0.2.1", 120), *_server("203.0.113.1", 60, days=29)])["203.0.113.1"] == (False, False)
