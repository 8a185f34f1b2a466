"""Tables of networks brought up to date: fetched or read from files, built, and kept in the workspace, wired."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from crawlers import CrawlSettings, Fetcher, Limits
from crawlers.errors import LookupFailed
from fraud.app.enriching import configured_sources, enrichment_folder, networks
from fraud.app.parts import App
from fraud.app.vetting import crawl_settings
from fraud.domain.hashing import canonical_json
from fraud.enrichment.building import build, check_source
from fraud.enrichment.sources import KeptSource, Source, named_package, own_source, package_of
from fraud.errors import InputError, NotFound, StorageError
from fraud.settings import Settings
from fraud.storage.enrichment import EnrichmentFolder

Progress = Callable[[str], None]

MOST_BYTES = 256 * 1024 * 1024
"""Of one fetched file: ten times the largest of the shipped sources."""

FETCH_SECONDS = 600.0
"""For one of them: 20 MB on a slow line."""

OFFLINE_ADVICE = (
    "Where there is no way to the web, fetch the files elsewhere (such as `npm pack @ip-location-db/asn`) and name them: "
    "`fraud enrichment refresh --from FILE`."
)


class SourceOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one source in a refresh: `read` anew, `unchanged` (already the newest), `kept` (the earlier copy serves on) or
    `missing`."""

    source: str
    state: Literal["read", "unchanged", "kept", "missing"]
    text: str


class RefreshReport(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh: the version of the tables now in use, what became of each source, and what their licences ask to be said."""

    version: str
    sources: tuple[SourceOutcome, ...]
    attributions: tuple[str, ...]


@dataclass(frozen=True)
class _Brought:
    """A source that was just read: what is known of it, and its files."""

    kept: KeptSource
    files: tuple[bytes, ...]


def refresh(app: App, given: Sequence[str], progress: Progress) -> RefreshReport:
    """Reads sources anew and builds tables from the newest copy of each: those of `given` (`[WHAT=]FILE` or URL, where WHAT is a source's
    id, a class, `asn` or `country`), or all configured ones. A source that cannot be read keeps its earlier copy.

    Raises `InputError` when nothing at all could be read, or when a given file cannot be.
    """
    configured, folder = configured_sources(app.settings), enrichment_folder(app)
    with app.workspace.lock("enrichment"):
        outcomes = _bring_given(app, configured, given, progress) if given else _bring_all(app, configured, progress)
        if not any(outcome.state in {"read", "unchanged"} for outcome in outcomes):
            raise InputError(_nothing_read(app, outcomes))
        progress("Building the tables")
        built = build([(copy.kept, copy.files) for copy in _copies(folder, configured)], app.clock.now())
        folder.keep_tables(built.manifest.version, built.files)
    tables = networks(app)
    return RefreshReport(version=built.manifest.version, sources=tuple(outcomes), attributions=tables.attributions if tables else ())


def forget(app: App, source_id: str, progress: Progress) -> None:
    """Drops a source and builds the tables without it. `NotFound` when there is no copy of it; `InputError` when it is the only one."""
    folder, configured = enrichment_folder(app), configured_sources(app.settings)
    with app.workspace.lock("enrichment"):
        copies = _copies(folder, configured)
        rest = [copy for copy in copies if copy.kept.source.id != source_id]
        if len(rest) == len(copies):
            raise NotFound(f"No source {source_id!r} is kept; `fraud enrichment show` lists those that are.")
        if not rest:
            raise InputError(f"{source_id} is the only source there is, and tables of nothing cannot be built.")
        progress("Building the tables")
        built = build([(copy.kept, copy.files) for copy in rest], app.clock.now())
        folder.keep_tables(built.manifest.version, built.files)
        folder.forget_source(source_id)


def _copies(folder: EnrichmentFolder, configured: Sequence[Source]) -> list[_Brought]:
    """What is kept, in order of preference: the user's own first, then as configured; sources no longer configured are left out."""
    order = {source.id: place for place, source in enumerate(configured)}
    copies = []
    for source_id, copy in folder.sources().items():
        kept = _kept(copy.about, source_id)
        if kept.source.own or source_id in order:
            copies.append(_Brought(kept, tuple(path.read_bytes() for path in copy.files)))
    return sorted(copies, key=lambda copy: (not copy.kept.source.own, order.get(copy.kept.source.id, 0), copy.kept.source.id))


def _kept(about: bytes, source_id: str) -> KeptSource:
    try:
        return msgspec.json.decode(about, type=KeptSource)
    except msgspec.DecodeError as fault:
        raise StorageError(f"The kept source {source_id} is not understood ({fault}); run `fraud enrichment refresh`.") from fault


def _bring_given(app: App, configured: Sequence[Source], given: Sequence[str], progress: Progress) -> list[SourceOutcome]:
    """Reads what was named; nothing is kept unless all of it can be read."""
    brought = [_given(app, configured, named, progress) for named in given]
    return [_keep(app, copy) for copy in brought]


def _given(app: App, configured: Sequence[Source], named: str, progress: Progress) -> _Brought:
    what, location = _split(named)
    progress(f"Reading {location}")
    data = _contents(app, location)
    known = next((source for source in configured if source.id == what), None) or (None if what else named_package(data, configured))
    source = known or own_source(Path(urlsplit(location).path).name or location, what, location)
    kept = KeptSource(source=source, origin=location, fetched_at=app.clock.now(), sha256=_hashes([data]), version=package_of(data)[1])
    check_source(kept, [data])
    return _Brought(kept, (data,))


def _split(named: str) -> tuple[str, str]:
    """`WHAT=LOCATION` in its two parts; WHAT is empty when it is not said. A URL's own `=` is none of ours."""
    what, equals, location = named.partition("=")
    return (what, location) if equals and "/" not in what and "." not in what else ("", named)


def _contents(app: App, location: str) -> bytes:
    if urlsplit(location).scheme in {"http", "https"}:
        try:
            return asyncio.run(_fetch_urls(app.settings, (location,)))[0]
        except LookupFailed as failed:
            raise InputError(f"{location} could not be fetched: {failed.message}") from failed
    try:
        return Path(location).read_bytes()
    except OSError as fault:
        raise InputError(
            f"{location} cannot be read ({fault.strerror or fault}); name a file or a URL, such as --from vpn=list.txt."
        ) from fault


def _bring_all(app: App, configured: Sequence[Source], progress: Progress) -> list[SourceOutcome]:
    """Reads every configured source, and the user's own that came from the web; one that cannot be read does not stop the others."""
    kept = {source_id: _kept(copy.about, source_id) for source_id, copy in enrichment_folder(app).sources().items()}
    own = [copy.source for copy in kept.values() if copy.source.own and urlsplit(copy.origin).scheme in {"http", "https"}]
    outcomes = []
    for source in (*configured, *own):
        progress(f"Fetching {source.title}")
        outcomes.append(_bring(app, source, kept.get(source.id)))
    return outcomes


def _bring(app: App, source: Source, earlier: KeptSource | None) -> SourceOutcome:
    try:
        copy = asyncio.run(_fetch(app, source, earlier))
        if copy is None:
            return SourceOutcome(
                source=source.id, state="unchanged", text=f"{source.title}: still version {earlier.version if earlier else ''}"
            )
        check_source(copy.kept, copy.files)
    except (LookupFailed, InputError) as failed:
        if earlier is None:
            return SourceOutcome(source=source.id, state="missing", text=f"{source.title}: {failed.message}")
        since = f"{earlier.fetched_at:%Y-%m-%d}"
        return SourceOutcome(source=source.id, state="kept", text=f"{source.title}: {failed.message} The copy of {since} serves on.")
    return _keep(app, copy)


def _keep(app: App, copy: _Brought) -> SourceOutcome:
    kept = copy.kept
    enrichment_folder(app).keep_source(kept.source.id, canonical_json(kept), copy.files)
    version = f" {kept.version}" if kept.version else ""
    return SourceOutcome(source=kept.source.id, state="read", text=f"{kept.source.title}: read{version} from {kept.origin}")


async def _fetch(app: App, source: Source, earlier: KeptSource | None) -> _Brought | None:
    """The newest copy of a source; `None` when the earlier one is it. Raises `LookupFailed` or `InputError`."""
    if not source.package:
        files = await _fetch_urls(app.settings, source.urls)
        return _Brought(_about(app, source, source.urls[0], files), files)
    url = f"{app.settings.enrichment_npm_url.rstrip('/')}/{source.package}/latest"
    about = _release(source, url, (await _fetch_urls(app.settings, (url,)))[0])
    if earlier is not None and earlier.version == about["version"] and earlier.source.package == source.package:
        return None
    tarball, integrity = str(about["dist"]["tarball"]), str(about["dist"].get("integrity", ""))
    (data,) = await _fetch_urls(app.settings, (tarball,))
    if not _is_intact(data, integrity):
        raise InputError(f"{tarball} is not what the registry says it is (its SHA-512 differs); fetch it again.")
    return _Brought(msgspec.structs.replace(_about(app, source, tarball, (data,)), version=str(about["version"])), (data,))


def _about(app: App, source: Source, origin: str, files: Sequence[bytes]) -> KeptSource:
    return KeptSource(source=source, origin=origin, fetched_at=app.clock.now(), sha256=_hashes(files))


def _release(source: Source, url: str, answer: bytes) -> dict[str, Any]:
    """What the registry says of a package's newest version."""
    try:
        about = msgspec.json.decode(answer, type=dict[str, Any])
        if {"version", "dist"} <= about.keys() and about["dist"]["tarball"]:
            return about
    except (msgspec.DecodeError, KeyError, TypeError):
        pass
    raise InputError(f"{url} does not answer as an npm registry does about {source.package}; check FRAUD_ENRICHMENT_NPM_URL.")


def _is_intact(data: bytes, integrity: str) -> bool:
    """Whether bytes match a subresource integrity (`sha512-…`), as npm gives it; without one there is nothing to match."""
    expected = [part for part in integrity.split() if part.startswith("sha512-")]
    return not expected or f"sha512-{b64encode(hashlib.sha512(data).digest()).decode()}" in expected


async def _fetch_urls(settings: Settings, urls: Sequence[str]) -> tuple[bytes, ...]:
    async with Fetcher(_fetch_settings(settings, urls)) as fetcher:
        return tuple([await _fetch_one(fetcher, url) for url in urls])


async def _fetch_one(fetcher: Fetcher, url: str) -> bytes:
    found = await fetcher.fetch(url, accept="*/*", max_bytes=MOST_BYTES)
    if found.status != 200:
        raise InputError(f"{urlsplit(url).hostname} answers with status {found.status} when asked for {url}.")
    if found.truncated:
        raise InputError(f"{url} was cut off on the way; fetch it again.")
    return found.body


def _fetch_settings(settings: Settings, urls: Sequence[str]) -> CrawlSettings:
    """The crawler's settings for files that an operator chose: larger, slower, and on the ports the operator wrote."""
    ports = frozenset(_ports(urls))
    crawl = crawl_settings(settings)
    limits = Limits(
        ports=crawl.limits.ports | ports,
        page_bytes=MOST_BYTES,
        inflated_bytes=MOST_BYTES,
        total_seconds=FETCH_SECONDS,
        read_seconds=30.0,
    )
    return CrawlSettings(
        limits=limits, connect_to=crawl.connect_to, ca_file=crawl.ca_file, allow_networks=crawl.allow_networks, delay=0.0, dns=crawl.dns
    )


def _ports(urls: Sequence[str]) -> Iterator[int]:
    for url in urls:
        try:
            port = urlsplit(url).port
        except ValueError as fault:
            raise InputError(f"{url} is no URL that can be fetched ({fault}).") from fault
        if port is not None:
            yield port


def _hashes(files: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(hashlib.sha256(data).hexdigest() for data in files)


def _nothing_read(app: App, outcomes: Sequence[SourceOutcome]) -> str:
    first = outcomes[0].text if outcomes else "No source is configured."
    standing = enrichment_folder(app).tables()
    stays = f" The tables {standing.name} stay in use." if standing else ""
    return f"None of the {len(outcomes)} sources of networks could be read. {first}{stays} {OFFLINE_ADVICE}"
