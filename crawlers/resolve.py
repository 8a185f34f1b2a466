"""From a name to addresses that were checked: every A and AAAA record must be public, or the name is refused as a whole."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import dns.asyncresolver
import dns.exception
import dns.resolver

from crawlers.addresses import IP, check_address
from crawlers.errors import LookupFailed, SettingsError
from crawlers.limits import CrawlSettings, is_literal

Lookup = Callable[[str], Awaitable[list[str]]]
"""Finds all addresses of a name, in the order to try them. Raises OSError or `dns.exception.DNSException` when there are none."""


class Resolver:
    """Finds and checks the addresses of names. `lookup` replaces the real look-up in tests."""

    def __init__(self, settings: CrawlSettings, lookup: Lookup | None = None) -> None:
        self._settings = settings
        self._lookup = lookup or (system_lookup if settings.dns is None else ServerLookup(*settings.dns))

    async def addresses(self, host: str) -> list[IP]:
        """Return the checked addresses of a host. Raises RefusedAddress when one is not public, LookupFailed `dns` when there are none."""
        found = [ip_address(host)] if is_literal(host) else [ip_address(text.partition("%")[0]) for text in await self._ask(host)]
        if not found:
            raise LookupFailed(host, "dns", f"The name {host} has no address.")
        for address in found:
            check_address(host, address, self._settings)
        return list(dict.fromkeys(found))

    async def _ask(self, host: str) -> list[str]:
        try:
            async with asyncio.timeout(self._settings.limits.connect_seconds):
                return await self._lookup(host)
        except TimeoutError:
            raise LookupFailed(host, "dns", f"The name server did not answer for {host} in time.") from None
        except (OSError, UnicodeError, dns.exception.DNSException) as error:
            raise LookupFailed(host, "dns", f"The name {host} was not found ({error}).") from None


async def system_lookup(host: str) -> list[str]:
    """Ask the system's resolver, in a thread."""
    answers = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(answer[4][0]) for answer in answers]


class ServerLookup:
    """Asks one name server for A and AAAA. A name that has only one of them is fine. `server` may itself be a name the system knows."""

    def __init__(self, server: str, port: int) -> None:
        self._server = server
        self._port = port

    async def __call__(self, host: str) -> list[str]:
        """Return the IPv4 addresses, then the IPv6 ones."""
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = [self._server if is_literal(self._server) else await self._server_address()]
        resolver.port = self._port
        answers = await asyncio.gather(self._records(resolver, host, "A"), self._records(resolver, host, "AAAA"))
        return [address for records in answers for address in records]

    async def _server_address(self) -> str:
        try:
            return (await system_lookup(self._server))[0]
        except OSError as error:
            raise SettingsError(f"dns: the name server {self._server} cannot be found ({error}).") from None

    async def _records(self, resolver: dns.asyncresolver.Resolver, host: str, kind: str) -> list[str]:
        try:
            answer = await resolver.resolve(host, kind, search=False)
        except (dns.resolver.NoAnswer, dns.resolver.NoNameservers):  # some servers fail on AAAA although they know A
            return []
        return [record.to_text() for record in answer]
