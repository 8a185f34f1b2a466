"""Services that say how well known domains are. `Provider` is the interface; a plug-in registers its own under the entry-point group
`crawlers.backlink_providers`, as a callable that takes a client and a key and gives a `Provider`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from itertools import islice
from typing import Any, Protocol

from msgspec import structs

from crawlers.backlinks.facts import Authority
from crawlers.errors import LookupFailed, SourceUnavailable
from crawlers.fetch import Fetcher, Visitor

GROUP = "crawlers.backlink_providers"
REFUSING = frozenset({401, 402, 403, 429})
LARGEST = 1024 * 1024


class Provider(Protocol):
    """Says of domains what it knows. Never raises what the web causes: `failure` says why there is no answer.

    `charged` says that an answer costs money, so it is asked only where that could change an outcome.
    """

    name: str
    charged: bool

    async def of(self, domains: Iterable[str]) -> tuple[Authority, ...]:
        """Return one answer per domain, in order."""
        ...


class SemrushOverview:
    """Semrush's `backlinks_overview` report (semicolon-separated text, key in the address): authority score and referring domains."""

    name = "semrush"
    charged = True

    def __init__(self, fetcher: Fetcher, key: str, base: str = "https://api.semrush.com/analytics/v1/") -> None:
        self._fetcher, self._key, self._base = fetcher, key, base

    async def of(self, domains: Iterable[str]) -> tuple[Authority, ...]:
        """Return one answer per domain; after a refusal the rest is not asked for."""
        found: list[Authority] = []
        refused = ""
        for domain in domains:
            try:
                found.append(_failed(domain, self.name, refused) if refused else await self._asked(domain))
            except SourceUnavailable as stop:
                refused = stop.message
                found.append(_failed(domain, self.name, refused))
            except LookupFailed as failed:
                found.append(_failed(domain, self.name, failed.message))
        return tuple(found)

    async def _asked(self, domain: str) -> Authority:
        columns = "ascore,domains_num"
        url = f"{self._base}?key={self._key}&type=backlinks_overview&target={domain}&target_type=root_domain&export_columns={columns}"
        answer = await self._fetcher.fetch(url, accept="text/plain,*/*;q=0.5")
        if answer.status in REFUSING:
            raise SourceUnavailable(self.name, f"Semrush refused to answer (status {answer.status}).")
        lines = answer.body.decode("utf-8", "replace").split()
        values = lines[1].split(";") if answer.status == 200 and len(lines) == 2 else []
        if lines[:1] != ["ascore;domains_num"] or len(values) != 2 or not all(value.isdigit() for value in values):
            raise LookupFailed(self._base, "protocol", f"Semrush's answer on {domain} is not as documented (status {answer.status}).")
        moment = answer.fetched_at.isoformat()
        return Authority(domain=domain, provider=self.name, score=float(values[0]), referring_domains=int(values[1]), asked_at=moment)


class OpenPageRank:
    """OpenPageRank's `getPageRank` for up to 100 domains a call, with the key in the header `API-OPR`."""

    name = "openpagerank"
    charged = False

    def __init__(self, fetcher: Fetcher, key: str, base: str = "https://openpagerank.com/api/v1.0/getPageRank") -> None:
        self._fetcher, self._key, self._base = fetcher, key, base

    async def of(self, domains: Iterable[str]) -> tuple[Authority, ...]:
        """Return one answer per domain, a hundred a call."""
        return tuple([one for some in _batched(domains, 100) for one in await self._hundred(some)])

    async def _hundred(self, domains: list[str]) -> list[Authority]:
        query = "&".join(f"domains%5B{place}%5D={domain}" for place, domain in enumerate(domains))
        try:
            said, moment = await self._asked(f"{self._base}?{query}")
        except (LookupFailed, SourceUnavailable) as failed:
            return [_failed(domain, self.name, failed.message) for domain in domains]
        rows = said.get("response") if isinstance(said, dict) else None
        by_domain = {str(row.get("domain")): row for row in rows if isinstance(row, dict)} if isinstance(rows, list) else {}
        return [structs.replace(_ranked(domain, by_domain.get(domain), self.name), asked_at=moment) for domain in domains]

    async def _asked(self, url: str) -> tuple[Any, str]:
        visitor = Visitor(key=("API-OPR", self._key))
        answer = await self._fetcher.fetch(url, accept="application/json", visitor=visitor, max_bytes=LARGEST)
        if answer.status in REFUSING:
            raise SourceUnavailable(self.name, f"OpenPageRank refused to answer (status {answer.status}).")
        return parsed(answer.body, self.name), answer.fetched_at.isoformat()


def _ranked(domain: str, row: Mapping[str, Any] | None, name: str) -> Authority:
    score = row.get("page_rank_decimal") if row and row.get("status_code") == 200 else None
    if row is None or not isinstance(score, int | float):
        return _failed(domain, name, f"{name} knows nothing of {domain}." if row else f"{name}'s answer leaves {domain} out.")
    rank = str(row.get("rank") or "")
    return Authority(domain=domain, provider=name, score=float(score), scale=10.0, rank=int(rank) if rank.isdigit() else None)


def _failed(domain: str, name: str, why: str) -> Authority:
    return Authority(domain=domain, provider=name, failure=why)


def _batched(domains: Iterable[str], size: int) -> Iterator[list[str]]:
    left = iter(domains)
    while some := list(islice(left, size)):
        yield some


def parsed(body: bytes, source: str) -> Any:
    """Return the JSON of an answer. Raises LookupFailed when it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise LookupFailed(source, "protocol", f"{source} did not answer with JSON.") from fault


Factory = Callable[[Fetcher, str], Provider]


def plugged_in() -> dict[str, Factory]:
    """Return the providers that installed packages register, by name."""
    return {point.name: point.load() for point in entry_points(group=GROUP)}


def known_providers() -> dict[str, Factory]:
    """Return every provider there is, by name: the shipped ones, and those of installed packages, which may replace them."""
    shipped: dict[str, Factory] = {OpenPageRank.name: OpenPageRank, SemrushOverview.name: SemrushOverview}
    return shipped | plugged_in()
