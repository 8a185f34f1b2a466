"""Small tables of networks, made from a few lines, as the tests of enrichment need them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fraud.enrichment.building import BuiltTables, build
from fraud.enrichment.networks import NetworkTables, load
from fraud.enrichment.sources import KeptSource, Source

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

ASNS = """\
5.1.0.0,5.1.255.255,7922,Comcast Cable Communications
5.2.0.0,5.2.255.255,64500,Example Mobile Ltd
5.3.0.0,5.3.255.255,64501,Example Hosting GmbH
5.4.0.0,5.4.255.255,64502,University of Examples
5.5.0.0,5.5.255.255,64503,Acme Holdings
2400:1::,2400:1:ffff:ffff:ffff:ffff:ffff:ffff,64501,Example Hosting GmbH
"""
COUNTRIES = """\
5.1.0.0,5.1.255.255,US
5.2.0.0,5.2.255.255,DE
5.3.0.0,5.3.255.255,NL
2400:1::,2400:1:ffff:ffff:ffff:ffff:ffff:ffff,JP
"""

Given = tuple[str, str]
"""What a source gives (`own:` before it: the user's own) and its text."""
MakeTables = Callable[..., NetworkTables]


def kept(gives: str, place: int = 0, *, own: bool = False) -> KeptSource:
    """A source as it would have been kept."""
    source = Source(id=f"{gives}-{place}", title=f"the {gives} list", gives=gives, licence="CC0 1.0", own=own)
    return KeptSource(source=source, origin="here", fetched_at=NOON, sha256=("0" * 64,))


def built(*given: Given) -> BuiltTables:
    """Tables of sources in order of preference."""
    sources = [
        (kept(gives.removeprefix("own:"), place, own=gives.startswith("own:")), [text.encode()])
        for place, (gives, text) in enumerate(given)
    ]
    return build(sources, NOON)


@pytest.fixture
def make_tables(tmp_path: Path) -> MakeTables:
    """Builds tables from `(gives, text)` pairs and opens them."""

    def make(*given: Given) -> NetworkTables:
        tables = built(*given)
        folder = tmp_path / tables.manifest.version
        folder.mkdir(exist_ok=True)
        for name, data in tables.files.items():
            (folder / name).write_bytes(data)
        return load(folder)

    return make
