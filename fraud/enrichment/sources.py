"""Where tables of networks come from: shipped as data, replaceable, and joined by what a user brings."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import yaml

from fraud.domain.networks import EgressClass
from fraud.errors import InputError

ASN, COUNTRY, ANYTHING = "asn", "country", "anything"
GIVES = (ASN, COUNTRY, ANYTHING, *(str(name.value) for name in EgressClass if name is not EgressClass.UNKNOWN))
"""What a source may be good for: AS numbers, countries, whatever its columns say, or a class that all of its ranges have."""

OWN_LICENCE = "brought by the user"
_SLUG = re.compile(r"[^a-z0-9]+")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One source: an npm package (with the members of it that are read) or URLs. `own` ones were brought by the user: what they say of a
    class stands over all others."""

    id: str
    title: str
    gives: str
    licence: str
    attribution: str = ""
    package: str = ""
    members: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    own: bool = False


class KeptSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source as it was last read: where from, which version of it (a package's own, else empty), when, and the hashes of its files."""

    source: Source
    origin: str
    fetched_at: datetime
    sha256: tuple[str, ...]
    version: str = ""


def load_sources(path: Path | None = None) -> tuple[Source, ...]:
    """The shipped sources, or those of a file in the same shape, in order of preference. Raises `InputError`."""
    name = str(path) if path else "sources.yaml"
    try:
        text = path.read_text(encoding="utf-8") if path else (resources.files("fraud.enrichment") / name).read_text(encoding="utf-8")
        content = yaml.safe_load(text)
        return tuple(_source(source_id, about) for source_id, about in content["sources"].items())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        raise InputError(f"The sources of networks in {name} cannot be read: {fault}.") from fault
    except (AttributeError, KeyError, TypeError, msgspec.ValidationError) as fault:
        raise InputError(
            f"{name} does not describe sources: under `sources`, each id has title, gives, licence and urls ({fault})."
        ) from fault


def _source(source_id: str, about: dict[str, Any]) -> Source:
    source = msgspec.convert({**about, "id": str(source_id)}, Source)
    check_gives(source.gives, source.id)
    if _slug(source.id) != source.id:
        raise InputError(f"The source {source.id!r} needs an id of small letters, digits and hyphens.")
    if source.id in GIVES:
        raise InputError(
            f"The source {source.id!r} needs an id that is no class and not `asn` or `country`: those words say what a file gives."
        )
    if not source.package and not source.urls:
        raise InputError(f"The source {source.id!r} says neither `package` nor `urls`: there is nothing to read.")
    return source


def check_gives(gives: str, name: str) -> None:
    """Raises `InputError` when nothing is good for that."""
    if gives not in GIVES:
        raise InputError(f"{name}: {gives!r} is nothing a source can give; say one of {', '.join(GIVES)}.")


def own_source(name: str, gives: str, location: str) -> Source:
    """A source that the user brings, named after its file; `gives` is empty for whatever its columns say."""
    check_gives(gives or ANYTHING, name)
    return Source(id=f"own-{_slug(name)}", title=name, gives=gives or ANYTHING, licence=OWN_LICENCE, urls=(location,), own=True)


def named_package(data: bytes, sources: Sequence[Source]) -> Source | None:
    """The configured source whose npm package (as packed by `npm pack`) these bytes are, if they are one's."""
    name = package_of(data)[0]
    return next((source for source in sources if source.package and source.package == name), None)


def package_of(data: bytes) -> tuple[str, str]:
    """Name and version of an npm package from its own `package.json`; both empty when the bytes are none."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            stream = archive.extractfile("package/package.json")
            about = msgspec.json.decode(stream.read(1 << 20), type=dict[str, Any]) if stream else {}
    except (tarfile.TarError, KeyError, EOFError, OSError, msgspec.DecodeError):
        return "", ""
    return str(about.get("name", "")), str(about.get("version", ""))


def _slug(name: str) -> str:
    return _SLUG.sub("-", name.lower()).strip("-")[:60]
