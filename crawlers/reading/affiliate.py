"""Which affiliate network's tracking an address carries, by the catalogue."""

from __future__ import annotations

from functools import cache, lru_cache

from crawlers.catalogue import AffiliateNetwork, affiliate_networks, ignoring_case
from crawlers.reading.urls import host_of, params_of, path_of


@lru_cache(maxsize=8_192)
def network_of(url: str) -> str:
    """Return the id of the network whose click tracking the URL is, '' for none. Impression pixels are none."""
    labels = host_of(url).split(".")
    for start in range(len(labels)):
        for network in _by_host().get(".".join(labels[start:]), ()):
            if _fits(network, url):
                return network.id
    return ""


def _fits(network: AffiliateNetwork, url: str) -> bool:
    path = path_of(url) or "/"
    if network.paths and not any(ignoring_case(pattern).match(path) for pattern in network.paths):
        return False
    return not network.params or any(name in params_of(url) for name in network.params)


@cache
def _by_host() -> dict[str, tuple[AffiliateNetwork, ...]]:
    found: dict[str, tuple[AffiliateNetwork, ...]] = {}
    for network in affiliate_networks():
        for host in network.hosts:
            found[host] = (*found.get(host, ()), network)
    return found
