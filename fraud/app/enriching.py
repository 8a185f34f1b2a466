"""Tables of networks, wired: opened for whoever asks about addresses, and named for whoever keeps what they saw."""

from __future__ import annotations

from functools import lru_cache
from importlib import metadata
from pathlib import Path

from fraud.app.parts import App
from fraud.domain.decisions import Artefact
from fraud.domain.hashing import sha256_of
from fraud.enrichment.networks import NetworkTables, load
from fraud.enrichment.sources import Source, load_sources
from fraud.settings import Settings
from fraud.storage.enrichment import EnrichmentFolder

PACKAGES = ("crawler-user-agents", "tldextract", "ua-parser-builtins")
"""The installed packages whose data read user agents and referrers."""


def networks(app: App) -> NetworkTables | None:
    """The tables in use, opened once per version; `None` when none were ever built. `StorageError` when they are damaged."""
    folder = enrichment_folder(app).tables()
    return None if folder is None else _opened(folder)


@lru_cache(maxsize=2)
def _opened(folder: Path) -> NetworkTables:
    return load(folder)


def enrichment_artefacts(app: App) -> tuple[Artefact, ...]:
    """The versions of everything that reads addresses, user agents and referrers, as a scan keeps them."""
    tables = networks(app)
    return (*((tables.artefact,) if tables else ()), *package_artefacts())


@lru_cache(maxsize=1)
def package_artefacts() -> tuple[Artefact, ...]:
    """The installed data packages: name and version, and a hash of the files each came with."""
    return tuple(_package_artefact(name) for name in PACKAGES)


def _package_artefact(name: str) -> Artefact:
    files = sorted(f"{file} {file.hash.value}" for file in metadata.files(name) or () if file.hash and file.suffix != ".pyc")
    return Artefact(id=f"{name}-{metadata.version(name)}", hash=sha256_of(files))


def configured_sources(settings: Settings) -> tuple[Source, ...]:
    """The sources of the settings' file, else the shipped ones."""
    return load_sources(settings.enrichment_sources)


def missing_sources(app: App) -> tuple[Source, ...]:
    """The configured sources of which there is no copy."""
    there = enrichment_folder(app).sources().keys()
    return tuple(source for source in configured_sources(app.settings) if source.id not in there)


def enrichment_folder(app: App) -> EnrichmentFolder:
    """Where the workspace keeps sources and tables."""
    return EnrichmentFolder(app.workspace.root / "enrichment")
