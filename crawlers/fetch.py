"""The one HTTP client of the crawlers: safe addresses, bounded answers, followed by hand, polite and honest about who asks.

Every hop of a redirect chain passes `check_url`, the optional gate (robots.txt) and the address check of `crawlers.transport`. No cookies,
no credentials, no proxies from the environment, no methods but GET and HEAD, no scripts.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urljoin, urlsplit

import httpx

from crawlers.addresses import Target, check_url
from crawlers.cache import HttpCache, Kept, keepable
from crawlers.certificate import certificate_of
from crawlers.errors import LookupFailed
from crawlers.facts import Certificate, Fetched, Hop
from crawlers.inflate import ACCEPT_ENCODING, InflateError, Inflater, TooLarge, decoder_for
from crawlers.limits import CrawlSettings
from crawlers.pace import Pace
from crawlers.resolve import Resolver
from crawlers.timing import Now, utc_now
from crawlers.transport import PinnedTransport

ACCEPT_HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5"
NOT_MODIFIED = 304
REDIRECTS = frozenset({301, 302, 303, 307, 308})
KEPT_HEADER = 2_000
"""Characters kept of a header's value."""

Gate = Callable[[str], Awaitable[None]]
"""Asked before every hop with its URL; raises LookupFailed to stop there."""


@dataclass(frozen=True)
class Visitor:
    """Who asks: the user agent ('' for the crawler's own) and the page it says to come from, which is sent with every hop.

    `key` is a header's name and value that identify us to a service: it goes to the host that was asked for and to no other.
    """

    user_agent: str = ""
    referrer: str = ""
    key: tuple[str, str] | None = None


@dataclass(frozen=True)
class _Ask:
    """What stays the same over the hops of one fetch."""

    requested_url: str
    method: Literal["GET", "HEAD"]
    headers: Mapping[str, str]
    max_bytes: int
    gate: Gate | None
    cache: HttpCache | None = None
    key: tuple[str, str] | None = None

    def key_for(self, target: Target) -> Mapping[str, str]:
        """The key's header where the hop is on the very origin that was asked for."""
        asked, hop = urlsplit(self.requested_url), urlsplit(target.url)
        same = (asked.scheme, asked.netloc) == (hop.scheme, hop.netloc)
        return {self.key[0]: self.key[1]} if self.key and same else {}


@dataclass
class _Chain:
    """What grows over the hops of one fetch. `spent` is seconds of asking and reading, waiting for turns not counted."""

    hops: list[Hop] = field(default_factory=list)
    spent: float = 0.0


class Fetcher:
    """Fetches resources; use it as `async with Fetcher(settings) as fetcher`. One per run: it keeps the pace of every host.

    `resolver` replaces the name look-up and `now` the clock in tests. `cache` keeps pages with their
    validators, so that unchanged ones are not sent again. Raises SettingsError when the CA file cannot be read.
    """

    def __init__(
        self,
        settings: CrawlSettings | None = None,
        *,
        resolver: Resolver | None = None,
        now: Now = utc_now,
        cache: HttpCache | None = None,
    ) -> None:
        self._cache = cache
        self.settings = settings or CrawlSettings()
        self.pace = Pace(self.settings)
        self.now = now
        limits = self.settings.limits
        self._client = httpx.AsyncClient(
            transport=PinnedTransport(self.settings, resolver or Resolver(self.settings)),
            timeout=httpx.Timeout(limits.read_seconds, connect=limits.connect_seconds, pool=limits.total_seconds),
            follow_redirects=False,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.aclose()

    async def fetch(
        self,
        url: str,
        *,
        accept: str = ACCEPT_HTML,
        method: Literal["GET", "HEAD"] = "GET",
        visitor: Visitor | None = None,
        max_bytes: int | None = None,
        gate: Gate | None = None,
    ) -> Fetched:
        """Return the resource at `url` after redirects, whatever its HTTP status; a body over `max_bytes` on the wire is cut.

        `visitor` is who asks, the crawler under its own name by default.

        Raises LookupFailed (RefusedAddress when safety forbids the URL or one of its hops) with the hops made so far.
        """
        cache = self._cache if method == "GET" and visitor is None else None  # another visitor's view is always asked for afresh
        visitor = visitor or Visitor()
        headers = {
            "User-Agent": visitor.user_agent or self.settings.user_agent_header,
            "Accept": accept,
            "Accept-Language": "en,*;q=0.5",
            "Accept-Encoding": ACCEPT_ENCODING,
            **({"Referer": visitor.referrer} if visitor.referrer else {}),
        }
        ask = _Ask(url, method, headers, max_bytes or self.settings.limits.page_bytes, gate, cache, visitor.key)
        chain = _Chain()
        try:
            return await self._follow(ask, chain)
        except LookupFailed as failed:
            failed.url = url
            failed.hops = tuple(chain.hops)
            raise

    async def _follow(self, ask: _Ask, chain: _Chain) -> Fetched:
        url, seen = ask.requested_url, set[str]()
        for _ in range(self.settings.limits.hops + 1):
            target = check_url(url, self.settings)
            if target.url in seen:
                raise LookupFailed(url, "redirects", f"The redirects go round in a circle at {target.url}.")
            seen.add(target.url)
            answer = await self._hop(ask, chain, target)
            if isinstance(answer, Fetched):
                return answer
            url = answer
        raise LookupFailed(url, "redirects", f"There are more than {self.settings.limits.hops} redirects.")

    async def _hop(self, ask: _Ask, chain: _Chain, target: Target) -> Fetched | str:
        """Return the resource, or where it redirects to."""
        if ask.gate is not None:
            await ask.gate(target.url)
        limit = self.settings.limits.total_seconds
        async with self.pace.turn(target.host, target.url):
            started = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(limit - chain.spent):
                    return await self._exchange(ask, chain, target, started)
            except TimeoutError:
                raise LookupFailed(target.url, "timeout", f"{target.host} did not finish its answer within {limit:g} seconds.") from None
            finally:
                chain.spent += asyncio.get_running_loop().time() - started

    async def _exchange(self, ask: _Ask, chain: _Chain, target: Target, started: float) -> Fetched | str:
        kept = ask.cache.get(target.url) if ask.cache else None
        headers = {**ask.headers, **(kept.conditions if kept else {}), **ask.key_for(target)}
        try:
            async with self._client.stream(ask.method, target.url, headers=headers) as response:
                self.pace.answered(target.host, response.status_code, response.headers.get("retry-after", ""), self.now())
                location = _location(target.url, response)
                chain.hops.append(Hop(url=target.url, status=response.status_code, location=location))
                if location:
                    return location
                body, truncated = await self._body(ask, target, response)
                spent = chain.spent + asyncio.get_running_loop().time() - started
                if kept is not None and response.status_code == NOT_MODIFIED:
                    chain.hops[-1] = Hop(url=target.url, status=200)
                    return self._still(ask, chain, kept, (spent, certificate_of(response)))
                fetched = self._fetched(ask, chain, response, (body, truncated, spent))
                _keep(ask, target.url, fetched)
                return fetched
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise _lookup_failed(target, error) from error

    async def _body(self, ask: _Ask, target: Target, response: httpx.Response) -> tuple[bytes, bool]:
        """Return the inflated body and whether it is incomplete."""
        limits = self.settings.limits
        try:
            inflater = Inflater(
                decoder_for(response.headers.get("content-encoding", "") if ask.method == "GET" else ""),
                wire_cap=ask.max_bytes,
                inflated_cap=limits.inflated_bytes,
                ratio=limits.inflated_ratio,
                ratio_from=limits.ratio_from_bytes,
            )
            await _read(response, inflater)
        except TooLarge as error:
            raise LookupFailed(target.url, "too_large", f"The page was not read: {error}.") from None
        except InflateError as error:
            raise LookupFailed(target.url, "protocol", f"The page cannot be decompressed: {error}.") from None
        return inflater.body(), inflater.truncated

    def _still(self, ask: _Ask, chain: _Chain, kept: Kept, read: tuple[float, Certificate | None]) -> Fetched:
        """The kept answer, which the server says is still so."""
        seconds, certificate = read
        return Fetched(
            requested_url=ask.requested_url,
            url=chain.hops[-1].url,
            status=200,
            headers=kept.headers,
            hops=tuple(chain.hops),
            body=kept.body,
            sha256=hashlib.sha256(kept.body).hexdigest(),
            fetched_at=self.now(),
            content_type=kept.headers.get("content-type", ""),
            elapsed_ms=round(seconds * 1000),
            certificate=certificate,
        )

    def _fetched(self, ask: _Ask, chain: _Chain, response: httpx.Response, read: tuple[bytes, bool, float]) -> Fetched:
        body, truncated, seconds = read
        return Fetched(
            requested_url=ask.requested_url,
            url=chain.hops[-1].url,
            status=response.status_code,
            headers={name.lower(): value[:KEPT_HEADER] for name, value in response.headers.items()},
            hops=tuple(chain.hops),
            body=body,
            sha256=hashlib.sha256(body).hexdigest(),
            fetched_at=self.now(),
            content_type=response.headers.get("content-type", "")[:KEPT_HEADER],
            truncated=truncated,
            elapsed_ms=round(seconds * 1000),
            certificate=certificate_of(response),
        )


def _keep(ask: _Ask, url: str, fetched: Fetched) -> None:
    """Keep a whole answer of 200 that has a validator."""
    if ask.cache is not None and fetched.status == 200 and not fetched.truncated:
        kept = keepable(url, fetched.headers, fetched.body)
        if kept is not None:
            ask.cache.put(kept)


async def fetch(url: str, settings: CrawlSettings | None = None) -> Fetched:
    """Fetch one URL with a client of its own. Raises LookupFailed."""
    async with Fetcher(settings) as fetcher:
        return await fetcher.fetch(url)


async def _read(response: httpx.Response, inflater: Inflater) -> None:
    """Read until the end or the cap; a server that hangs up early leaves a truncated body, as in a browser."""
    try:
        async for piece in response.aiter_raw():
            inflater.feed(piece)
            if inflater.truncated:
                return
    except httpx.RemoteProtocolError:
        inflater.truncated = True


def _location(url: str, response: httpx.Response) -> str:
    location: str = response.headers.get("location", "").strip()
    if response.status_code not in REDIRECTS or not location:
        return ""
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def _lookup_failed(target: Target, error: Exception) -> LookupFailed:
    """Say in plain words why the exchange failed."""
    cause = _cause(error, ssl.SSLError)
    if cause is not None:
        return LookupFailed(target.url, "tls", f"The secure connection to {target.host} failed: {_tls_reason(cause)}.")
    if isinstance(error, httpx.ConnectTimeout):
        return LookupFailed(target.url, "timeout", f"{target.host} did not accept a connection in time.")
    if isinstance(error, httpx.TimeoutException):
        return LookupFailed(target.url, "timeout", f"{target.host} stopped answering.")
    if isinstance(error, httpx.NetworkError):
        return LookupFailed(target.url, "connect", f"The connection to {target.host} failed or was cut off.")
    return LookupFailed(target.url, "protocol", f"{target.host} does not speak proper HTTP ({str(error)[:200] or type(error).__name__}).")


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error


def _tls_reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message).rstrip(".")
    return str(getattr(error, "reason", "") or "handshake failed").replace("_", " ").lower()
