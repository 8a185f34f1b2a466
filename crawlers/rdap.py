"""What the registry says of a registered name, over RDAP (RFC 9082, 9083); the right server by IANA's bootstrap file (RFC 9224)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import quote, urlsplit

from crawlers.errors import CrawlError, LookupFailed, SettingsError
from crawlers.facts import Fetched, Registration
from crawlers.fetch import Fetcher
from crawlers.limits import CrawlSettings, is_literal
from crawlers.reading.dates import moment_of

ACCEPT = "application/rdap+json,application/json;q=0.9"
LARGEST = 1024 * 1024
MOST_STATUSES = 30
HIDDEN_HOLDER = ("redacted", "privacy", "private", "proxy", "whoisguard", "withheld", "not disclosed", "protected", "masked", "gdpr")
"""Words by which registries and privacy services say that they do not say who holds a name; strangers have them in common."""


class Rdap:
    """Asks registries about names. `url` is a base (`https://rdap.example/`) or a bootstrap file (ends with `.json`).

    `asking` goes to the operator's own address, `fetcher` to the servers that a bootstrap file names. Answers are kept for the run.
    """

    def __init__(self, url: str, asking: Fetcher, fetcher: Fetcher) -> None:
        self._url = url
        self._asking, self._fetcher = asking, fetcher
        self._servers: dict[str, str] | None = None
        self._kept: dict[str, Registration] = {}
        self._lock = asyncio.Lock()

    async def of(self, domain: str) -> Registration:
        """Return the registration of a registered name. Never raises what the web causes: `failure` says why there is none."""
        if domain not in self._kept:
            try:
                self._kept[domain] = await self._ask(domain)
            except CrawlError as error:
                return Registration(domain=domain, failure=error.message)
        return self._kept[domain]

    async def _ask(self, domain: str) -> Registration:
        base, fetcher = (await self._server(domain), self._fetcher) if self._is_bootstrap else (self._url, self._asking)
        if not base:
            return Registration(domain=domain, failure=f"No registry that answers over RDAP is known for {domain}.")
        url = f"{base.rstrip('/')}/domain/{quote(domain, safe='.-')}"
        return registration(domain, await fetcher.fetch(url, accept=ACCEPT, max_bytes=LARGEST))

    @property
    def _is_bootstrap(self) -> bool:
        return urlsplit(self._url).path.endswith(".json")

    async def _server(self, domain: str) -> str:
        async with self._lock:
            if self._servers is None:
                answer = await self._asking.fetch(self._url, accept=ACCEPT, max_bytes=LARGEST)
                self._servers = bootstrap(answer)
        labels = domain.split(".")
        return next((found for start in range(len(labels)) if (found := self._servers.get(".".join(labels[start:])))), "")


def bootstrap(answer: Fetched) -> dict[str, str]:
    """Return the RDAP server of each suffix, https first. Raises LookupFailed when the answer is no bootstrap file."""
    services = _document(answer).get("services")
    found: dict[str, str] = {}
    for service in services if isinstance(services, list) else []:
        if isinstance(service, list) and len(service) >= 2 and all(isinstance(part, list) for part in service[:2]):
            urls = sorted((url for url in service[1] if isinstance(url, str)), key=lambda url: not url.startswith("https:"))
            found.update({str(suffix).lower(): urls[0] for suffix in service[0] if urls})
    if not found:
        raise LookupFailed(answer.url, "protocol", f"{answer.url} is no RDAP bootstrap file; set FRAUD_RDAP_URL to one, or to a base URL.")
    return found


def registration(domain: str, answer: Fetched) -> Registration:
    """Return what an RDAP answer says; an answer of 404 or an unreadable one says so in `failure`."""
    if answer.status == 404:
        return Registration(domain=domain, source_url=answer.url, failure=f"The registry knows no name {domain}.")
    if answer.status != 200:
        return Registration(
            domain=domain, source_url=answer.url, failure=f"The registry answered with status {answer.status} for {domain}."
        )
    try:
        said = _document(answer)
    except LookupFailed as failed:
        return Registration(domain=domain, source_url=answer.url, failure=failed.message)
    events = {str(event.get("eventAction", "")).lower(): event.get("eventDate") for event in _objects(said.get("events"))}
    statuses = said.get("status")
    return Registration(
        domain=domain,
        source_url=answer.url,
        registered_at=moment_of(str(events.get("registration") or "")),
        expires_at=moment_of(str(events.get("expiration") or "")),
        changed_at=moment_of(str(events.get("last changed") or "")),
        statuses=tuple(str(status).lower() for status in statuses[:MOST_STATUSES]) if isinstance(statuses, list) else (),
        registrar=_registrar(said)[:200],
        holder=_holder(said)[:200],
        name_servers=tuple(str(server.get("ldhName", "")).rstrip(".").lower() for server in _objects(said.get("nameservers"))),
    )


def operator_fetcher(url: str, settings: CrawlSettings, **means: Any) -> Fetcher:
    """Return a fetcher that may also reach the very host and port of a URL which the operator set; everything else stays refused.

    Raises SettingsError when it is no http or https URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        host = parts.hostname or ""
    except (ValueError, KeyError):
        raise SettingsError(f"rdap-url: {url!r} is not an http or https URL.") from None
    limits = replace(settings.limits, ports=settings.limits.ports | {port})
    if host == "localhost" or is_literal(host):
        address = ip_address("127.0.0.1" if host == "localhost" else host)
        networks = (*settings.allow_networks, ip_network(f"{address}/{address.max_prefixlen}"))
        settings = replace(settings, limits=limits, connect_to={}, allow_networks=networks)
    elif port not in settings.connect_to:
        settings = replace(settings, limits=limits)
    return Fetcher(settings, **means)


def _document(answer: Fetched) -> dict[str, Any]:
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise LookupFailed(answer.url, "protocol", f"{answer.url} did not answer with an RDAP document.")
    return said


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value[:100] if isinstance(one, dict)] if isinstance(value, list) else []


def _registrar(said: dict[str, Any]) -> str:
    return next((_card(entity).get("fn", "") for entity in _with_role(said, "registrar")), "")


def _holder(said: dict[str, Any]) -> str:
    """The organisation that holds the name, else the registry's number for the holder; '' behind a service that hides holders."""
    for entity in _with_role(said, "registrant"):
        card = _card(entity)
        if not any(word in text.lower() for text in card.values() for word in HIDDEN_HOLDER):
            return card.get("org", "") or str(entity.get("handle") or "")
    return ""


def _with_role(said: dict[str, Any], role: str) -> list[dict[str, Any]]:
    return [entity for entity in _objects(said.get("entities")) if isinstance(entity.get("roles"), list) and role in entity["roles"]]


def _card(entity: dict[str, Any]) -> dict[str, str]:
    """The plain texts of an entity's jCard (RFC 7095) by name."""
    card = entity.get("vcardArray")
    fields = card[1] if isinstance(card, list) and len(card) > 1 and isinstance(card[1], list) else []
    known = [one for one in fields if isinstance(one, list) and len(one) > 3 and isinstance(one[3], str)]
    return {str(one[0]): one[3].strip() for one in known}
