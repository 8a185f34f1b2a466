"""What an internet address is known to be: its country, the network that announces it, and through what kind of exit people come."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec


class EgressClass(StrEnum):
    """Through what a visitor reaches the internet. `UNKNOWN` is said wherever evidence is lacking or speaks for two things."""

    RESIDENTIAL = "residential"
    MOBILE_CARRIER = "mobile_carrier"
    CORPORATE = "corporate"
    HOSTING = "hosting"
    VPN = "vpn"
    TOR = "tor"
    UNKNOWN = "unknown"


PRECEDENCE = (
    EgressClass.TOR,
    EgressClass.VPN,
    EgressClass.HOSTING,
    EgressClass.MOBILE_CARRIER,
    EgressClass.CORPORATE,
    EgressClass.RESIDENTIAL,
    EgressClass.UNKNOWN,
)
"""Which class stands when evidence speaks for several, first to last: the narrower and better documented one."""

SHARED_CLASSES = frozenset({EgressClass.MOBILE_CARRIER, EgressClass.CORPORATE, EgressClass.VPN, EgressClass.TOR})
"""Where many people come from one address, so that much traffic from it says nothing by itself (detection C03)."""


class NetworkEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a source says about an address: `source` by its id, the `first` and `last` address of the stretch it says it of (empty
    for what it says of a whole network), and what it says, in words."""

    source: str
    says: str
    first: str = ""
    last: str = ""


class AddressFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An address read. `None` (and `UNKNOWN`) mean that nobody says; `country` is ISO 3166-1 alpha-2. `known` tells whether the text is
    an internet address at all: hashed and opaque ones are not, and nothing else is known of them."""

    address: str
    known: bool
    country: str | None = None
    asn: int | None = None
    organisation: str | None = None
    egress_class: EgressClass = EgressClass.UNKNOWN
    evidence: tuple[NetworkEvidence, ...] = ()


class AddressReader(Protocol):
    """Something that knows networks: what checks of applicants, conversions and clicks ask for an address."""

    def read(self, address: str) -> AddressFacts:
        """What is known of one address; never raises for a strange text."""
        ...


def countries_agree(declared: str | None, facts: AddressFacts) -> bool | None:
    """Whether a declared country is the address's own; `None` where either is unknown, or where the exit hides where people are."""
    if not declared or facts.country is None or facts.egress_class in HIDING_CLASSES:
        return None
    return declared.strip().upper() == facts.country


HIDING_CLASSES = frozenset({EgressClass.VPN, EgressClass.TOR, EgressClass.HOSTING})
"""Exits whose country is the machine's and not the person's."""
