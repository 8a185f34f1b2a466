"""Which addresses may be visited: URL and host safety before anything is sent, and the check of every resolved address.

Two gates. `check_url` looks at the spelling: scheme, port, credentials, odd IP addresses. `Resolver.addresses` looks a name up once
and refuses it unless *every* answer is public; the connection then goes to exactly those addresses (`crawlers.fetch`), so that a second,
different answer of the name server has no effect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, quote, urlsplit

import idna

from crawlers.errors import RefusedAddress
from crawlers.limits import CrawlSettings, Network

IP = IPv4Address | IPv6Address

DEFAULT_PORTS = {"http": 80, "https": 443}
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the IPv4 address stands in the last 32 bits
NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")  # RFC 8215: reaches whatever the operator of the network likes
IPV4_COMPATIBLE = IPv6Network("::/96")  # RFC 4291 2.5.5.1, deprecated, still understood by some stacks
SPECIAL_IPV4 = (
    IPv4Network("100.64.0.0/10"),  # RFC 6598 carrier NAT
    IPv4Network("192.88.99.0/24"),  # RFC 7526 former 6to4 relays
    IPv4Network("168.63.129.16/32"),  # the host's own service inside Azure, public by number only
)
NUMBER_LABEL = re.compile(r"(?:\d+|0[xX][0-9a-fA-F]*)\Z")
FORBIDDEN_IN_HOST = re.compile(r"[\x00-\x20\x7f%#/:<>?@\[\\\]^|\"'`{}!$&()*+,;=~]")
FORBIDDEN_IN_URL = re.compile(r"[\x00-\x1f\x7f\\]")
LONGEST_URL = 4096


@dataclass(frozen=True)
class Target:
    """A URL that passed the first gate: ASCII `host`, effective `port`, normal `url`; `address` when the host is a literal."""

    url: str
    scheme: str
    host: str
    port: int
    address: IP | None

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a robots.txt is valid for."""
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}"


def check_url(url: str, settings: CrawlSettings) -> Target:
    """Return the URL's target, or raise RefusedAddress saying what is wrong with it. Nothing is looked up or sent."""
    parts, port = _split(url)
    if parts.scheme not in DEFAULT_PORTS:
        raise RefusedAddress(url, f"Only http and https are visited, not {parts.scheme or 'a URL without a scheme'}.")
    if parts.username is not None or parts.password is not None:
        raise RefusedAddress(url, "URLs with a user name or password in them are not visited.")
    port = DEFAULT_PORTS[parts.scheme] if port is None else port
    if port not in settings.limits.ports:
        raise RefusedAddress(url, f"Port {port} is not one of {', '.join(map(str, sorted(settings.limits.ports)))}.")
    host, address = _host(url, _raw_host(parts))
    _check_host(url, host, address, settings)
    if settings.connect_to and port not in settings.connect_to and address is None:
        raise RefusedAddress(url, f"Port {port} has no entry in the connect-to setting, and names are not resolved while it is set.")
    return Target(_normal(parts, host, port), parts.scheme, host, port, address)


def is_public(address: IP) -> bool:
    """Say whether the address, and any IPv4 address wrapped in it, is one that strangers on the internet may reach.

    Private, loopback, link-local (169.254.169.254), carrier NAT (100.64/10), documentation, reserved and multicast addresses are not;
    IPv4-mapped, IPv4-compatible, 6to4, Teredo and NAT64 forms are as public as what they wrap.
    """
    if isinstance(address, IPv4Address):
        special = any(address in network for network in SPECIAL_IPV4)
        return address.is_global and not address.is_multicast and not address.is_reserved and not special
    if address in NAT64_LOCAL or address.is_site_local:
        return False
    wrapped = wrapped_ipv4(address)
    if wrapped:
        return all(is_public(inner) for inner in wrapped)
    return address.is_global and not address.is_multicast and not address.is_reserved


def wrapped_ipv4(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address stands for: mapped, compatible, 6to4, Teredo (server and client), NAT64."""
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in NAT64 or (address in IPV4_COMPATIBLE and int(address) > 1):
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()


def is_allowed(address: IP, networks: tuple[Network, ...]) -> bool:
    """Say whether the operator lets the crawler reach this address although it is not public."""
    return any(address.version == network.version and address in network for network in networks)


def check_address(url: str, address: IP, settings: CrawlSettings) -> None:
    """Raise RefusedAddress unless the address is public or allowed."""
    if not is_public(address) and not is_allowed(address, settings.allow_networks):
        raise RefusedAddress(url, f"{address} is not a public address.")


def _split(url: str) -> tuple[SplitResult, int | None]:
    if len(url) > LONGEST_URL:
        raise RefusedAddress(url[:200], f"The URL is longer than {LONGEST_URL} characters.")
    if FORBIDDEN_IN_URL.search(url):
        raise RefusedAddress(url, "The URL has control characters or backslashes in it, which programs read differently.")
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise RefusedAddress(url, f"The URL cannot be read ({error}).") from None
    return parts, port


def _raw_host(parts: SplitResult) -> str:
    """Return the host as it was written: `hostname` of the standard library drops brackets, which decide what it is."""
    netloc = parts.netloc.rpartition("@")[2]
    return netloc.partition("]")[0] + "]" if netloc.startswith("[") else netloc.partition(":")[0]


def _host(url: str, raw: str) -> tuple[str, IP | None]:
    if raw.startswith("["):
        return _ipv6(url, raw)
    host = _ascii_host(url, raw)
    if NUMBER_LABEL.match(host.rpartition(".")[2]):
        return _ipv4(url, host)
    return host, None


def _ipv6(url: str, raw: str) -> tuple[str, IP]:
    try:
        address = IPv6Address(raw.strip("[]"))
    except ValueError:
        raise RefusedAddress(url, f"{raw} is not an IPv6 address.") from None
    if address.scope_id is not None:
        raise RefusedAddress(url, f"{raw} names a network interface of this machine.")
    return str(address), address


def _ipv4(url: str, host: str) -> tuple[str, IP]:
    """Read a dotted quad. Shorter, octal, hexadecimal and whole-number spellings are refused, whatever they would mean."""
    try:
        address = IPv4Address(host)
    except ValueError:
        raise RefusedAddress(url, f"{host} is an unusual spelling of an IP address.") from None
    return str(address), address


def _ascii_host(url: str, raw: str) -> str:
    """Return the name in lower-case ASCII: normalised as UTS 46 says, so full-width digits and ideographic stops show what they are."""
    try:
        normal = idna.uts46_remap(raw, std3_rules=False, transitional=False).rstrip(".")
        host = ".".join(_ascii_label(label) for label in normal.split("."))
    except (idna.IDNAError, UnicodeError) as error:
        raise RefusedAddress(url, f"The host name {raw!r} is not a valid international name ({error}).") from None
    if not host or len(host) > 253 or FORBIDDEN_IN_HOST.search(host) or any(not 0 < len(label) < 64 for label in host.split(".")):
        raise RefusedAddress(url, f"The host name {raw!r} is not valid.")
    return host


def _ascii_label(label: str) -> str:
    """Return the label as name servers know it. Emoji and other labels that IDNA 2008 no longer allows exist, and get plain punycode."""
    if label.isascii():
        return label.lower()
    try:
        return idna.alabel(label).decode("ascii")
    except idna.IDNAError:
        return "xn--" + label.encode("punycode").decode("ascii")


def _check_host(url: str, host: str, address: IP | None, settings: CrawlSettings) -> None:
    if _within(host, settings.denied_hosts):
        raise RefusedAddress(url, f"{host} is on the operator's list of hosts that are never visited.")
    if address is not None and not is_allowed(address, settings.allow_networks):
        raise RefusedAddress(url, f"{host} is a literal IP address; sites are visited by name only.")
    loopback = ip_address("127.0.0.1")
    if (host == "localhost" or host.endswith(".localhost")) and not is_allowed(loopback, settings.allow_networks):
        raise RefusedAddress(url, f"{host} is this machine.")


def _within(host: str, domains: frozenset[str]) -> bool:
    labels = host.split(".")
    return any(".".join(labels[start:]) in domains for start in range(len(labels)))


def _normal(parts: SplitResult, host: str, port: int) -> str:
    """Return the URL in ASCII with the checked host, without fragment and default port."""
    netloc = _bracketed(host) if port == DEFAULT_PORTS[parts.scheme] else f"{_bracketed(host)}:{port}"
    path = quote(parts.path or "/", safe="/:@!$&'()*+,;=~%-._")
    query = quote(parts.query, safe="/:@!$&'()*+,;=~%-._?[]|{}")
    return f"{parts.scheme}://{netloc}{path}" + (f"?{query}" if query else "")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
