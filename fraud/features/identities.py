"""Whom and what an event is counted under: identities as numbers made of numbers, and the event's own key.

An IPv4 address is its own number, a visitor is mixed from address and agent, and only texts are hashed. Nothing crosses programs.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from array import array
from collections.abc import Mapping, Sequence
from functools import lru_cache
from socket import AF_INET, inet_pton
from typing import cast

import numpy as np
from numpy.typing import NDArray

from fraud.domain.clicks import Clicks, clicks_of
from fraud.domain.counting import number_of
from fraud.domain.events import Click, Conversion
from fraud.features.keys import ipv4_numbers

LONGEST_ADDRESS = 64
"""Characters of the longest text that is an address, also an opaque one: the length of a SHA-256, which stands for a longer one."""

LONGEST_REMEMBERED = 512
"""Characters of the longest text whose number is remembered: addresses, ids and browsers' user agents are below it."""

LONGEST_PLAIN = 64
"""Characters of the longest name that stands in an event's key as it is; hashing one costs more than holding it."""

_MOST_REMEMBERED = 65_536
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_UNFILLED = frozenset("{}[]<>$ ")

PARTS = (
    "program",
    "affiliate",
    "address",
    "network",
    "agent",
    "device",
    "sub_id",
    "country",
    "offer",
    "visitor",
    "network_known",
    "agent_known",
    "country_known",
)
"""What identities are made of. A part that is unknown is 0, and so is every key it belongs to."""

IDENTITIES: Mapping[str, tuple[str, ...]] = {
    "ip": ("program", "address"),
    "ip_user_agent": ("program", "address", "agent"),
    "device": ("program", "device"),
    "affiliate": ("program", "affiliate"),
    "sub_id": ("program", "affiliate", "sub_id"),
    "affiliate_network": ("program", "affiliate", "network"),
    "affiliate_networks": ("program", "affiliate", "network_known"),
    "user_agent": ("program", "agent"),
    "user_agents": ("program", "agent_known"),
    "affiliate_country": ("program", "affiliate", "country"),
    "affiliate_countries": ("program", "affiliate", "country_known"),
    "visit": ("program", "affiliate", "offer", "visitor"),
    "visitor": ("program", "visitor"),
}
"""What a click is counted under, by name, and the parts of each (`PARTS`)."""


def click_parts(click: Click) -> tuple[int, ...]:
    """The parts of a click's identities, in the order of `PARTS`."""
    address, network = address_numbers(click.ip)
    agent, country, sub_id = click.user_agent, click.country, click.sub_id
    agent_number = NUMBERS[agent] if agent is not None else 0
    device = NUMBERS[click.device_id] if click.device_id else 0
    return (
        NUMBERS[click.program_id],
        NUMBERS[click.affiliate_id],
        address,
        network,
        agent_number,
        part(click.device_id),
        NUMBERS[sub_id] if sub_id is not None else 0,
        NUMBERS[country] if country is not None else 0,
        NUMBERS[click.offer_id or ""],
        visitor_number(device, address, agent_number if agent else 0),
        1 if network else 0,
        1 if agent is not None else 0,
        1 if country is not None else 0,
    )


class _Numbers(dict[str, int]):
    """Texts and their numbers. Long texts are not remembered, and not too many: what is sent decides how much is held."""

    def __missing__(self, text: str) -> int:
        """The number of a text that was not asked for lately."""
        number = number_of(text.encode(errors="surrogatepass"))
        if len(text) <= LONGEST_REMEMBERED:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[text] = number
        return number


NUMBERS = _Numbers()
"""The number of each text that is a part of an identity."""


def part(text: str | None) -> int:
    """A part of an identity as a number; 0 when it is unknown."""
    return 0 if text is None else NUMBERS[text]


_DEVICE, _ADDRESS, _NETWORK = 1 << 61, 1 << 40, 1 << 41
_SPREAD, _WHOLE = 0x9E3779B97F4A7C15, 2**64 - 1
_NOBODY, _ONE = np.uint64(0), np.uint64(1)


def visitor_number(device: int, address: int, agent: int) -> int:
    """Who clicked as a part of identities, from the numbers of what is known (0: unknown): see `visitor_of`."""
    if device:
        return (device ^ _DEVICE) or 1
    return ((address * _SPREAD + agent) & _WHOLE or 1) if address and agent else 0


FEW = 10
"""Clicks below which each is looked at by itself: columns have their own price, paid once."""


def parts_of(clicks: Sequence[Click]) -> NDArray[np.uint64]:
    """`click_parts` of many clicks (clicks, parts)."""
    if len(clicks) >= FEW:
        return _parts_by_column(clicks_of(clicks))
    flat = array("Q")
    for click in clicks:
        flat.extend(click_parts(click))
    return np.frombuffer(flat, dtype=np.uint64).reshape(len(clicks), len(PARTS))


def _parts_by_column(clicks: Clicks) -> NDArray[np.uint64]:
    said = clicks.column
    agents, devices = said("user_agent"), said("device_id")
    address, network = addresses_of(said("ip"))
    agent, device, country = _numbers_of(agents), _numbers_of(devices), _numbers_of(said("country"))
    columns = (
        _numbers_of(said("program_id")),
        _numbers_of(said("affiliate_id")),
        address,
        network,
        agent,
        device,
        _numbers_of(said("sub_id")),
        country,
        _numbers_of(_or_empty(said("offer_id"))),
        _visitor_numbers(_said(devices, device), address, _said(agents, agent)),
        network != 0,
        agent != 0,
        country != 0,
    )
    parts = np.empty((len(clicks), len(PARTS)), np.uint64)
    for place, column in enumerate(columns):
        parts[:, place] = column
    return parts


def _or_empty(texts: Sequence[str | None]) -> Sequence[str]:
    return cast("Sequence[str]", texts) if all(texts) else [text or "" for text in texts]


def _said(texts: Sequence[str | None], numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The numbers of texts that say something; 0 for the empty one too."""
    return np.where([text == "" for text in texts], _NOBODY, numbers) if "" in texts else numbers


def _numbers_of(texts: Sequence[str | None]) -> NDArray[np.uint64]:
    """`part` of each; most columns have few different texts or none."""
    unknown = texts.count(None)
    if unknown == len(texts):
        return np.zeros(len(texts), np.uint64)
    numbers = map(NUMBERS.__getitem__, cast("Sequence[str]", texts)) if not unknown else (part(text) for text in texts)
    return np.fromiter(numbers, np.uint64, len(texts))


def _visitor_numbers(device: NDArray[np.uint64], address: NDArray[np.uint64], agent: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """`visitor_number` of each."""
    by_device, by_address = device ^ np.uint64(_DEVICE), address * np.uint64(_SPREAD) + agent
    someone = np.where((address != 0) & (agent != 0), np.maximum(by_address, _ONE), _NOBODY)
    return np.where(device != 0, np.maximum(by_device, _ONE), someone)


def addresses_of(ips: Sequence[str | None]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """`address_numbers` of each: plain IPv4 addresses all at once, the others one by one."""
    lines = "\n".join([ip or "" for ip in ips]).encode(errors="surrogatepass")
    whole = ipv4_numbers(np.frombuffer(lines, np.uint8), len(ips)) if lines.count(b"\n") == len(ips) - 1 else np.full(len(ips), -1)
    address = whole.astype(np.uint64) | np.uint64(_ADDRESS)
    network = (whole >> 8).astype(np.uint64) | np.uint64(_NETWORK)
    for place in (whole < 0).nonzero()[0].tolist():
        address[place], network[place] = address_numbers(ips[place])
    return address, network


def visitor_part(event: Click | Conversion) -> int:
    """`visitor_number` of an event."""
    agent = event.user_agent
    return visitor_number(part(event.device_id or None), address_numbers(event.ip)[0], NUMBERS[agent] if agent else 0)


def address_numbers(ip: str | None) -> tuple[int, int]:
    """An address and its network (`places_of`) as parts of identities; IPv4 is its own number and so needs no hash."""
    if not ip:
        return 0, 0
    try:
        whole = int.from_bytes(inet_pton(AF_INET, ip), "big")
    except (OSError, ValueError):
        return _other_address(ip)
    return _ADDRESS | whole, _NETWORK | whole >> 8


def _other_address(ip: str) -> tuple[int, int]:
    address, network = places_of(ip)
    if address is not None and network is not None and "." in address:
        return address_numbers(address)
    return part(address), part(network)


def visitor_of(click: Click | Conversion) -> str | None:
    """Who clicked, as far as one click tells: the device, else address and user agent together, else unknown."""
    if click.device_id:
        return f"device {click.device_id}"
    address = places_of(click.ip)[0]
    return f"address {address} {click.user_agent}" if address and click.user_agent else None


def places_of(ip: str | None) -> tuple[str | None, str | None]:
    """An address and its network, in one spelling: IPv4 and its /24, IPv6's /64 (privacy addresses move within it) and its /48.

    Other text is an address that was made opaque, which has no network; what a tracker left unfilled, such as `{ip}`, is unknown.
    """
    text = address_of(ip)
    return _places_of(text) if text is not None else (None, None)


def address_of(ip: str | None) -> str | None:
    """The text of an address, at most `LONGEST_ADDRESS` characters: a longer one is opaque and is its SHA-256; `None` when unfilled."""
    text = (ip or "").strip()
    if not text or not _UNFILLED.isdisjoint(text):
        return None
    return text if len(text) <= LONGEST_ADDRESS else hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


@lru_cache(maxsize=65536)
def _places_of(text: str) -> tuple[str | None, str | None]:
    if _IPV4.fullmatch(text):
        return text, f"{text[: text.rindex('.')]}.0/24"
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text, None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if isinstance(address, ipaddress.IPv4Address):
        return str(address), str(ipaddress.ip_network((address, 24), strict=False))
    whole = int(address)
    return f"{whole >> 64:x}/64", f"{whole >> 80:x}/48"


def click_event_key(program_id: str, click_id: str) -> bytes:
    """A click's own key: its names as they are, or 12 bytes of their hash where they are long; the first one's length keeps them apart."""
    if len(click_id) > LONGEST_PLAIN or len(program_id) > LONGEST_PLAIN:
        return event_key_of("click", program_id, click_id)
    return f"{len(program_id)}:{program_id}{click_id}".encode(errors="surrogatepass")


def click_event_keys(clicks: Sequence[Click]) -> list[bytes]:
    """`click_event_key` of each."""
    program, names = clicks_of(clicks).program_id, clicks_of(clicks).column("click_id")
    if program is not None and len(program) <= LONGEST_PLAIN and max(map(len, names)) <= LONGEST_PLAIN:
        before = f"{len(program)}:{program}"
        keys = (before + f"\0{before}".join(names)).encode(errors="surrogatepass").split(b"\0")
        if len(keys) == len(names):  # else one has a NUL in its name
            return keys
    return [click_event_key(*key) for key in zip(clicks_of(clicks).column("program_id"), names, strict=True)]


def event_key_of(*parts: str) -> bytes:
    """12 bytes, whatever the length of the parts; their lengths are hashed too, so no part can pose as two."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=12).digest()
