"""What the name servers say of a name: addresses, aliases, name servers, mail servers and texts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import dns.asyncresolver
import dns.exception
import dns.rdatatype
import dns.resolver

from crawlers.errors import SettingsError
from crawlers.facts import DnsFacts
from crawlers.limits import is_literal
from crawlers.resolve import system_lookup

KINDS = ("A", "AAAA", "CNAME", "NS", "MX", "TXT")
MOST_RECORDS = 50
LONGEST_TEXT = 500
SECONDS = 5.0
"""The most that one name may take, all kinds together."""


class Records:
    """Asks for the records of names; `server` is the resolver (HOST, PORT), the system's when None."""

    def __init__(self, server: tuple[str, int] | None = None) -> None:
        self._server = server
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def of(self, name: str, kinds: Iterable[str] = KINDS) -> DnsFacts:
        """Return the records of a name. Never raises: `failure` says why there are none."""
        try:
            async with asyncio.timeout(SECONDS):
                resolver = await self._made()
                answers = await asyncio.gather(*(_records(resolver, name, kind) for kind in kinds))
        except dns.resolver.NXDOMAIN:
            return DnsFacts(name=name, exists=False)
        except (TimeoutError, dns.exception.Timeout):
            return DnsFacts(name=name, failure=f"The name server did not answer for {name} in time.")
        except (OSError, UnicodeError, dns.exception.DNSException) as error:
            return DnsFacts(name=name, failure=f"The name server gave no answer for {name} ({str(error)[:200] or type(error).__name__}).")
        found = dict(zip(kinds, answers, strict=True))
        return DnsFacts(
            name=name,
            addresses=found.get("A", ()) + found.get("AAAA", ()),
            aliases=found.get("CNAME", ()),
            name_servers=found.get("NS", ()),
            mail_servers=found.get("MX", ()),
            texts=found.get("TXT", ()),
        )

    async def _made(self) -> dns.asyncresolver.Resolver:
        if self._resolver is None:
            if self._server is None:
                self._resolver = dns.asyncresolver.Resolver()
            else:
                host, port = self._server
                self._resolver = dns.asyncresolver.Resolver(configure=False)
                self._resolver.nameservers = [host if is_literal(host) else await _address(host)]
                self._resolver.port = port
            self._resolver.lifetime = SECONDS
        return self._resolver


async def _address(server: str) -> str:
    try:
        return (await system_lookup(server))[0]
    except OSError as error:
        raise SettingsError(f"dns: the name server {server} cannot be found ({error}).") from None


async def _records(resolver: dns.asyncresolver.Resolver, name: str, kind: str) -> tuple[str, ...]:
    try:
        answer = await resolver.resolve(name, kind, search=False)
    except (dns.resolver.NoAnswer, dns.resolver.NoNameservers):  # a name without such records; some servers fail on kinds they do not know
        return ()
    return tuple(_text(record) for record in list(answer)[:MOST_RECORDS] if record.rdtype == dns.rdatatype.from_text(kind))


def _text(record: object) -> str:
    strings = getattr(record, "strings", None)
    if strings is not None:
        return b"".join(strings).decode("utf-8", errors="replace")[:LONGEST_TEXT]
    exchange = getattr(record, "exchange", None)
    target = exchange if exchange is not None else getattr(record, "target", None)
    return str(target if target is not None else record).rstrip(".").lower()[:LONGEST_TEXT]
