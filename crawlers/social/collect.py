"""Asks platforms about stated profiles, politely: one answer a profile, kept for the run; one that refuses is not asked again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import msgspec

from crawlers.errors import LookupFailed
from crawlers.facts import Fetched
from crawlers.fetch import Fetcher, Gate
from crawlers.reading.social import profile_of
from crawlers.robots import Robots
from crawlers.social.catalogue import Way, read, rotten, ways
from crawlers.social.facts import Post, ProfileFacts, ProfileState
from crawlers.social.readers import ChangedAnswer, bluesky_posts, document, mastodon_posts, newest

ACCEPT = "application/json,text/html;q=0.8"
LARGEST = 4 * 1024 * 1024
REFUSING = frozenset({401, 403, 407, 429, 451})
ABSENT = frozenset({404, 410})
_MISSING_WORDS = ("not found", "profile not found", "account not found")


@dataclass(frozen=True)
class SocialMeans:
    """What collecting works with: the client, robots for public pages, keys by platform, and the hosts to ask instead of a platform's own
    (for gateways and tests)."""

    fetcher: Fetcher
    robots: Robots | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)


class ProfileCollector:
    """Looks stated profiles up. `of` never raises what the web causes: `state` and `reason` say how it ended."""

    def __init__(self, means: SocialMeans, disabled: Mapping[str, str] | None = None) -> None:
        self._means = means
        self._disabled = rotten() if disabled is None else disabled
        self._refused: dict[str, str] = {}
        self._kept: dict[tuple[str, str], ProfileFacts] = {}

    async def of(self, stated: str) -> ProfileFacts:
        """Return what is known of a profile, stated as its address."""
        known = platform_and_handle(stated)
        if known is None:
            return ProfileFacts(
                stated=stated, platform="", state=ProfileState.UNVERIFIED, reason="The address is no profile on a known platform."
            )
        if known not in self._kept:
            self._kept[known] = await self._looked_up(stated, known)
        return msgspec.structs.replace(self._kept[known], stated=stated)

    async def _looked_up(self, stated: str, known: tuple[str, str]) -> ProfileFacts:
        platform, handle = known
        way = ways().get(platform)
        unverified = ProfileFacts(stated=stated, platform=platform, handle=handle, url=stated, state=ProfileState.UNVERIFIED)
        if why := self._why_not(platform, way):
            return msgspec.structs.replace(unverified, reason=why)
        assert way is not None
        host = host_part(handle, stated)
        if refused := self._refused.get(self._source(way, host)):
            return _unknown(unverified, refused)
        try:
            return await self._asked(way, (stated, handle, host))
        except LookupFailed as failed:
            return _unknown(unverified, failed.message)
        except ChangedAnswer as changed:
            return _unknown(unverified, changed.message)

    def _why_not(self, platform: str, way: Way | None) -> str:
        if platform in self._disabled:
            return f"The catalogue's entry of {platform} fails its own samples ({self._disabled[platform]}), so it is not asked."
        if way is None:
            return f"No way to ask {platform} is known."
        if way.how == "operator":
            return way.why
        return f"{platform} is only asked with a key, and none is set." if way.how == "key" and not self._means.keys.get(platform) else ""

    def _source(self, way: Way, host: str) -> str:
        return f"{way.id}:{host}" if "{host}" in way.url else way.id

    async def _asked(self, way: Way, whom: tuple[str, str, str]) -> ProfileFacts:
        stated, handle, host = whom
        url = self._address(way.url, way, (handle, host, ""))
        gate = self._means.robots.allow if way.how == "page" and self._means.robots is not None else None
        answer = await self._fetched(url, gate)
        self._check(answer, way, host)
        if answer.status in ABSENT or _says_missing(answer):
            return ProfileFacts(stated=stated, platform=way.id, handle=handle, url=stated, state=ProfileState.ABSENT, source="api",
                                asked_at=answer.fetched_at, sha256=answer.sha256, reason=f"{way.id} knows no such profile.")  # fmt: skip
        if answer.status != 200:
            raise LookupFailed(url, "http_status", f"{way.id} answered with status {answer.status}.")
        seen = read(way, answer.body, stated, handle)
        seen = msgspec.structs.replace(seen, asked_at=answer.fetched_at, sha256=answer.sha256)
        return await self._with_posts(seen, way, host) if way.posts and seen.state is ProfileState.FOUND else seen

    async def _with_posts(self, seen: ProfileFacts, way: Way, host: str) -> ProfileFacts:
        """The profile with its newest posts; without them when they cannot be had, which leaves them unknown."""
        try:
            answer = await self._fetched(self._address(way.posts, way, (seen.handle, host, seen.identity)), None)
            self._check(answer, way, host)
            posts = _posts(way, answer, seen.identity)
        except (LookupFailed, ChangedAnswer):
            return seen
        return msgspec.structs.replace(seen, recent=posts, last_post_at=seen.last_post_at or newest(posts))

    async def _fetched(self, url: str, gate: Gate | None) -> Fetched:
        return await self._means.fetcher.fetch(url, accept=ACCEPT, max_bytes=LARGEST, gate=gate)

    def _check(self, answer: Fetched, way: Way, host: str) -> None:
        """Remember a platform that refuses us, and stop. Raises LookupFailed."""
        if answer.status in REFUSING:
            why = f"{way.id} refused to answer (status {answer.status}{_pause(answer)}); it was not asked again."
            self._refused[self._source(way, host)] = why
            raise LookupFailed(answer.url, "http_status", why)

    def _address(self, template: str, way: Way, parts: tuple[str, str, str]) -> str:
        handle, host, identity = parts
        name = handle.partition("@")[0] if "{host}" in template else handle
        channel = f"id={quote(handle)}" if handle.startswith("UC") and len(handle) == 24 else f"forHandle={quote(handle)}"
        url = template.format(
            handle=quote(name, safe=".-_:"),
            host=host,
            key=quote(self._means.keys.get(way.id, "")),
            channel=channel,
            identity=quote(identity, safe=":"),
        )
        parts_of = urlsplit(url)
        instead = self._means.hosts.get(parts_of.netloc)
        return url.replace(f"{parts_of.scheme}://{parts_of.netloc}", instead, 1) if instead else url


def platform_and_handle(stated: str) -> tuple[str, str] | None:
    """Return platform and handle of an address, with or without scheme; an address such as `https://host/@name` is the fediverse's."""
    url = stated.strip() if "//" in stated else f"https://{stated.strip()}"
    known = profile_of(url)
    if known is not None:
        return known
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    path = parts.path.strip("/")
    if parts.hostname and "." in parts.hostname and path.startswith("@") and "/" not in path and len(path) > 1:
        return "mastodon", f"{path[1:].partition('@')[0]}@{parts.hostname}"
    return None


def host_part(handle: str, stated: str) -> str:
    """Return the server of a fediverse handle: behind its `@`, else the host of the address."""
    named = handle.partition("@")[2]
    return named or urlsplit(stated if "//" in stated else f"https://{stated}").hostname or ""


def _unknown(profile: ProfileFacts, why: str) -> ProfileFacts:
    return msgspec.structs.replace(profile, state=ProfileState.UNKNOWN, reason=why)


def _pause(answer: Fetched) -> str:
    pause = answer.headers.get("retry-after", "")[:40]
    return f", come back after {pause}" if pause else ""


def _says_missing(answer: Fetched) -> bool:
    if answer.status not in {200, 400, 422}:
        return False
    try:
        said = document(answer.body, "")
    except ChangedAnswer:
        return False
    word = str(said.get("message") or said.get("error") or "").strip().lower() if "error" in said or "message" in said else ""
    return word in _MISSING_WORDS


def _posts(way: Way, answer: Fetched, identity: str) -> tuple[Post, ...]:
    if way.id == "bluesky":
        return bluesky_posts(document(answer.body, way.id), identity)
    try:
        return mastodon_posts(json.loads(answer.body))
    except ValueError as fault:
        raise ChangedAnswer("Mastodon did not answer with a list of posts.") from fault
