"""How a connection is made: to an address that was looked up once and checked, while the Host header and the TLS name stay the site's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from crawlers.errors import LookupFailed
from crawlers.limits import CrawlSettings, is_literal, tls_context
from crawlers.resolve import Resolver


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections. Every connection of the client comes through here, so none can avoid the check of its address.

    The name is resolved here and nowhere else, immediately before connecting to one of the addresses that were checked: a name server that
    answers differently the next time (DNS rebinding) changes nothing.
    """

    def __init__(self, settings: CrawlSettings, resolver: Resolver, inner: httpcore.AsyncNetworkBackend | None = None) -> None:
        self._settings = settings
        self._resolver = resolver
        self._inner = inner or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to `host` at its checked addresses, or to where `connect_to` sends the port."""
        if port in self._settings.connect_to:
            to_host, to_port = self._settings.connect_to[port]
            return await self._inner.connect_tcp(to_host, to_port, timeout, local_address, socket_options)
        if self._settings.connect_to and not is_literal(host):
            raise LookupFailed(host, "refused", f"Port {port} has no entry in the connect-to setting.")
        return await self._first(await self._candidates(host), port, timeout)

    async def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None) -> Any:
        """Refuse: no web site is a local socket."""
        raise LookupFailed(path, "refused", "Local sockets are not visited.")

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts."""
        await asyncio.sleep(seconds)

    async def _candidates(self, host: str) -> list[str]:
        found = await self._resolver.addresses(host)
        return [str(address) for address in found[: self._settings.limits.addresses_tried]]

    async def _first(self, addresses: list[str], port: int, timeout: float | None) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers; the time is shared out between them."""
        share = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, share)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue  # the next address may answer; the last one's failure is raised below
        return await self._inner.connect_tcp(addresses[-1], port, share)


class PinnedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over `PinnedBackend`; its own pool is replaced, since httpx offers no parameter for the backend."""

    def __init__(self, settings: CrawlSettings, resolver: Resolver) -> None:
        context = tls_context(settings.ca_file)
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=settings.limits.concurrency,
            max_keepalive_connections=settings.limits.concurrency,
            keepalive_expiry=5.0,
            network_backend=PinnedBackend(settings, resolver),
        )
