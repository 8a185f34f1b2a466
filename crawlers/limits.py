"""How far the crawler goes: sizes, times, ports and politeness, and the settings an operator may change.

The numbers stand here and nowhere else: what a hostile site can cost us (memory, time, connections) and what we cost an honest one.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from types import MappingProxyType

import httpx

from crawlers.errors import SettingsError

Network = IPv4Network | IPv6Network

PROJECT_URL = "https://github.com/affiliate-fraud/affiliate-fraud"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of one fetch and of one site. Sizes are bytes, times are seconds."""

    ports: frozenset[int] = frozenset({80, 443, 8080, 8443})
    """Where web servers for people listen; anything else would make us a port scanner."""
    hops: int = 5
    """Redirects followed. Honest chains (http, www, language) need three; browsers stop at 20."""
    page_bytes: int = 2 * 1024 * 1024
    """Read from the wire for a page; the rest is left unread and the fact says `truncated`. The median page has 30 KB of HTML."""
    robots_bytes: int = 512 * 1024
    """Read of a robots.txt; RFC 9309 2.5 asks for at least 500 KiB."""
    inflated_bytes: int = 10 * 1024 * 1024
    """A body after decompression. More is a bomb or no page for people."""
    inflated_ratio: int = 100
    """Inflated to wire bytes. HTML reaches 5 to 20; bombs begin at several hundred."""
    ratio_from_bytes: int = 256 * 1024
    """The ratio is judged from here on: a small page of blanks is no attack."""
    connect_seconds: float = 5.0
    """For the name, the connection and the TLS handshake, each."""
    read_seconds: float = 10.0
    """Silence allowed between two pieces of an answer."""
    total_seconds: float = 30.0
    """One fetch with its redirects; ends the server that sends a byte now and then."""
    site_seconds: float = 120.0
    """One site, waiting included."""
    site_pages: int = 25
    """Requests to one site, robots.txt not counted: pages, other visitors' views, probes, the files beside the pages."""
    identity_pages: int = 5
    """Imprint, contact, about and kin, looked at for who is behind the site."""
    sample_pages: int = 6
    """Further pages of the same site, enough for a median of text length (check W04 wants five)."""
    concurrency: int = 16
    """Requests in flight over all hosts; one per host."""
    longest_wait_seconds: float = 60.0
    """A server that asks for a longer pause (Retry-After) is left alone instead of waited for."""
    crawl_delay_seconds: float = 5.0
    """The most of a robots.txt `Crawl-delay` that is honoured: at ten seconds a dozen pages would not fit into the site's time."""
    robots_age_seconds: float = 24 * 3600.0
    """How long a robots.txt is believed; RFC 9309 2.4 says not over a day."""
    robots_failure_seconds: float = 600.0
    """How long a robots.txt that could not be read forbids visits before it is asked for again."""
    addresses_tried: int = 3
    """Addresses of a name that are connected to before giving up."""


@dataclass(frozen=True, kw_only=True)
class CrawlSettings:
    """What an operator may set. All have working defaults.

    `connect_to` maps a port to where its connections really go (an egress gateway or a test server); names are then never resolved.
    `allow_networks` may be reached although they are not public. `delay` is the pause between two requests to a host in seconds.
    `dns` is the resolver to ask instead of the system's. `denied_hosts` (and their subdomains) are never visited.
    """

    limits: Limits = field(default_factory=Limits)
    connect_to: Mapping[int, tuple[str, int]] = field(default_factory=lambda: MappingProxyType({}))
    ca_file: Path | None = None
    allow_networks: tuple[Network, ...] = ()
    delay: float = 1.0
    dns: tuple[str, int] | None = None
    user_agent: str = "AffiliateScreening/0.1"
    contact_url: str = PROJECT_URL
    denied_hosts: frozenset[str] = frozenset()

    @property
    def user_agent_header(self) -> str:
        """The honest name we give ourselves, with where to complain."""
        return f"{self.user_agent} (+{self.contact_url})"


def parse_connect_to(text: str) -> Mapping[int, tuple[str, int]]:
    """Read `80=HOST:PORT,443=HOST:PORT` (IPv6 hosts in brackets); '' gives an empty map. Raises SettingsError."""
    found: dict[int, tuple[str, int]] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        port_text, equals, target = part.partition("=")
        if not equals:
            raise SettingsError(f"connect-to: {part!r} has no '='; write PORT=HOST:PORT, such as 443=127.0.0.1:9443.")
        port = _port(port_text, "connect-to", part)
        if port in found:
            raise SettingsError(f"connect-to: port {port} is given twice in {text!r}.")
        found[port] = parse_host_port(target, "connect-to")
    return MappingProxyType(found)


def parse_host_port(text: str, setting: str = "address") -> tuple[str, int]:
    """Read `HOST:PORT` or `[IPv6]:PORT`. `setting` names it in the message. Raises SettingsError."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or not host:
        raise SettingsError(f"{setting}: {text!r} is not HOST:PORT.")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise SettingsError(f"{setting}: write the IPv6 address in {text!r} in brackets, such as [::1]:9443.")
    return host, _port(port, setting, text)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read CIDRs separated by commas or blanks. Raises SettingsError."""
    try:
        return tuple(ip_network(part) for part in text.replace(",", " ").split())
    except ValueError as error:
        raise SettingsError(f"allow-networks: {error}; write networks such as 10.1.0.0/16, separated by commas.") from None


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a verifying context that trusts the usual authorities and the one in `ca_file` (PEM). Raises SettingsError."""
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=str(ca_file))
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"ca-file: {ca_file} cannot be read as PEM certificates ({error}).") from None
    return context


def is_literal(host: str) -> bool:
    """Say whether `host` is an IP address rather than a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _port(text: str, setting: str, whole: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise SettingsError(f"{setting}: {text!r} in {whole!r} is not a port (1 to 65535).")
    return int(text)
