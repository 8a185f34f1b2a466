"""Where addresses come from: well-known public allocations, by country and kind of network.

The table holds facts about large networks as they are commonly known; an address drawn from it belongs to nobody in particular. Nothing
in it is private, reserved or documentation space: whoever enriches the tables finds real networks.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import numpy as np

from fraud.simulation.randomness import U64, Floats, Ints, pick
from fraud.simulation.world import PLACES


class Egress(IntEnum):
    """The kind of network a visitor comes out of."""

    HOME = 0
    CARRIER = 1
    VPN = 2
    CORPORATE = 3
    HOSTING = 4


HOME_RANGES = {
    "US": ("73.0.0.0/8", "98.192.0.0/10", "24.0.0.0/12", "68.32.0.0/11", "108.192.0.0/10", "70.160.0.0/11", "2601::/20", "2600:1700::/28"),
    "GB": (
        *("86.128.0.0/10", "81.128.0.0/11", "109.144.0.0/12", "90.192.0.0/11"),
        *("86.0.0.0/11", "92.0.0.0/11", "2a00:2380::/25", "2a02:c78::/29"),
    ),
    "DE": ("79.192.0.0/10", "87.128.0.0/10", "84.128.0.0/10", "91.0.0.0/10", "217.224.0.0/11", "88.64.0.0/12", "2003::/19"),
    "FR": (
        *("90.0.0.0/9", "86.192.0.0/10", "82.224.0.0/11", "78.192.0.0/10"),
        *("88.160.0.0/11", "93.0.0.0/11", "2a01:cb00::/26", "2a01:e00::/26"),
    ),
    "ZA": ("41.144.0.0/12", "105.224.0.0/12"),
    "IN": ("117.192.0.0/10", "122.160.0.0/12", "59.88.0.0/13", "2401:4900::/32"),
    "ID": ("36.64.0.0/11", "125.160.0.0/13", "180.240.0.0/12"),
    "BR": ("177.32.0.0/12", "189.0.0.0/11", "201.16.0.0/12", "2804:14c::/31"),
    "JP": ("153.128.0.0/9", "114.144.0.0/12", "60.32.0.0/12", "219.0.0.0/10", "2400:2410::/32"),
    "AU": ("101.160.0.0/11", "121.208.0.0/12", "124.176.0.0/12", "58.160.0.0/12", "2001:8000::/20"),
}
"""Cable, fibre and DSL networks of large consumer providers."""

CARRIER_RANGES = {
    "US": ("172.32.0.0/11", "174.192.0.0/10", "107.64.0.0/10", "100.128.0.0/9", "2607:fb90::/28", "2600:1000::/28"),
    "GB": ("82.132.192.0/18", "92.40.0.0/13", "188.28.0.0/14", "31.64.0.0/10"),
    "DE": ("80.187.0.0/16", "109.40.0.0/13", "176.0.0.0/13", "89.204.128.0/17", "2a02:3000::/23"),
    "FR": ("176.128.0.0/10", "37.160.0.0/12", "92.184.96.0/19"),
    "ZA": ("41.13.0.0/16", "41.112.0.0/14"),
    "IN": ("157.32.0.0/12", "106.192.0.0/11", "49.32.0.0/12", "2409:4000::/22"),
    "ID": ("114.120.0.0/13", "182.0.0.0/12", "112.215.0.0/16"),
    "BR": ("179.80.0.0/12", "187.24.0.0/13", "2804:18::/32", "2804:214::/32"),
    "JP": ("1.72.0.0/13", "49.96.0.0/12", "106.128.0.0/10"),
    "AU": ("1.120.0.0/13", "49.176.0.0/12"),
}
"""Mobile carriers, which put thousands of customers behind one IPv4 address."""

VPN_RANGES = {
    "GB": ("89.187.160.0/19", "217.138.192.0/18"),
    "US": ("156.146.32.0/19", "138.199.0.0/18"),
    "SE": ("185.213.154.0/24", "193.138.218.0/24"),
    "DE": ("37.19.192.0/19",),
    "NL": ("146.70.0.0/16",),
}
"""Networks that consumer VPN services rent their exits in."""

CORPORATE_RANGES = {
    "US": ("12.0.0.0/8", "17.0.0.0/8", "171.64.0.0/14", "165.225.0.0/17"),
    "GB": ("163.1.0.0/16", "131.111.0.0/16"),
    "DE": ("53.0.0.0/8",),
    "CH": ("129.132.0.0/16",),
}
"""Companies, universities and security gateways."""

HOSTING_RANGES = {
    "US": (
        *("3.0.0.0/9", "52.0.0.0/11", "34.64.0.0/10", "35.192.0.0/14", "40.64.0.0/10", "138.68.0.0/16", "159.65.0.0/16"),
        *("167.99.0.0/16", "165.227.0.0/16", "45.33.0.0/17", "45.32.0.0/16", "108.61.0.0/16", "149.28.0.0/16"),
    ),
    "DE": ("88.198.0.0/16", "78.46.0.0/15", "116.202.0.0/15", "2a01:4f8::/32"),
    "FI": ("95.216.0.0/16", "65.108.0.0/15", "135.181.0.0/16"),
    "FR": ("51.68.0.0/16", "51.75.0.0/16", "145.239.0.0/16", "2001:41d0::/32"),
    "SG": ("139.162.0.0/18",),
}
"""Clouds and server hosting."""

_BY_EGRESS = {
    Egress.HOME: HOME_RANGES,
    Egress.CARRIER: CARRIER_RANGES,
    Egress.VPN: VPN_RANGES,
    Egress.CORPORATE: CORPORATE_RANGES,
    Egress.HOSTING: HOSTING_RANGES,
}

COUNTRIES: tuple[str, ...] = (*(place.country for place in PLACES), "SE", "NL", "CH", "FI", "SG")
"""Every country an address can lie in; the places come first, in their order."""


@dataclass(frozen=True)
class Addresses:
    """Addresses as two 64-bit halves (an IPv4 address has the upper half 0) with the country each lies in (an index of `COUNTRIES`)."""

    high: U64
    low: U64
    country: Ints

    def take(self, rows: Ints) -> Addresses:
        """The addresses at these positions."""
        return Addresses(self.high[rows], self.low[rows], self.country[rows])


@dataclass(frozen=True)
class _Ranges:
    """Ranges as arrays: first address in two halves, the number of free bits, and the country."""

    high: U64
    low: U64
    bits: Ints
    country: Ints


@cache
def _ranges(egress: Egress, country: str, version: int) -> _Ranges:
    found = [
        (network, COUNTRIES.index(place))
        for place, blocks in _BY_EGRESS[egress].items()
        for network in map(ipaddress.ip_network, blocks)
        if country in ("", place) and network.version == version
    ]
    return _Ranges(
        high=np.array([int(n.network_address) >> 64 for n, _ in found], dtype=np.uint64),
        low=np.array([int(n.network_address) & (2**64 - 1) for n, _ in found], dtype=np.uint64),
        bits=np.array([n.max_prefixlen - n.prefixlen for n, _ in found], dtype=np.int64),
        country=np.array([c for _, c in found], dtype=np.int64),
    )


def has_ipv6(egress: Egress, country: str) -> bool:
    """Whether the table knows an IPv6 range of that kind in that country."""
    return len(_ranges(egress, country, 6).bits) > 0


def draw_addresses(rng: np.random.Generator, egress: Egress, count: int, country: str = "", version: int = 4) -> Addresses:
    """`count` addresses of one kind of network, in one country or (empty) anywhere; larger ranges give more, within reason."""
    ranges = _ranges(egress, country, version)
    which = pick(rng, _popularity(ranges), count)
    low = rng.integers(1, 2**64, count, dtype=np.uint64)
    if version == 4:
        return Addresses(np.zeros(count, np.uint64), ranges.low[which] + _inside(low, ranges.bits[which]), ranges.country[which])
    subnet = rng.integers(0, 2**64, count, dtype=np.uint64)
    return Addresses(ranges.high[which] + _inside(subnet, ranges.bits[which] - 64), low, ranges.country[which])


def _popularity(ranges: _Ranges) -> Floats:
    """The fourth root of the size: a /8 is busier than a /16, not 256 times so."""
    return np.exp2(ranges.bits / 4.0)


def _inside(values: U64, bits: Ints) -> U64:
    """Each value cut down to its number of free bits, avoiding .0 and .255 of the last byte."""
    cut = values & ((np.uint64(1) << bits.astype(np.uint64)) - np.uint64(1))
    last = cut & np.uint64(255)
    return np.where(last == 0, cut + np.uint64(1), np.where(last == 255, cut - np.uint64(1), cut)).astype(np.uint64)
