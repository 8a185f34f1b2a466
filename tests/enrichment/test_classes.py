"""How well lists of ranges know one another's networks: each is checked against those it was not made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from fraud.enrichment.range_files import read_range_file
from tests.enrichment.conftest import MakeTables

SAMPLE = 20_000


@pytest.fixture
def listed(test_data: Path) -> Callable[[str], str]:
    """The text of a list of the development data."""
    return lambda name: (test_data / "lists" / name).read_text()


def addresses(text: str) -> pa.Array:
    """Addresses drawn from the IPv4 networks of a list, each network by its size."""
    rng = np.random.default_rng(11)
    ranges = read_range_file(text.encode(), "list")[0].ranges
    ranges = ranges.take(ranges.first_high == 0)
    first, size = ranges.first_low & np.uint64(0xFFFF_FFFF), (ranges.last_low - ranges.first_low + np.uint64(1)).astype(float)
    drawn = rng.choice(len(first), SAMPLE, p=size / size.sum())
    numbers = first[drawn] + (rng.random(SAMPLE) * size[drawn]).astype(np.uint64)
    return pa.array([".".join(str(int(number) >> shift & 255) for shift in (24, 16, 8, 0)) for number in numbers])


@pytest.mark.data
@pytest.mark.parametrize(("cloud", "least"), [("amazon-aws", 0.5), ("google-gcp", 0.9), ("microsoft-azure", 0.9)])
def test_the_list_of_data_centres_knows_the_clouds(listed: Callable[[str], str], make_tables: MakeTables, cloud: str, least: float) -> None:
    tables = make_tables(("hosting", listed("x4bnet_lists_vpn/output/datacenter/ipv4.txt")))
    classes = tables.lookup(addresses(listed(f"misp/{cloud}/list.json")))["egress_class"].to_pylist()
    assert classes.count("hosting") / SAMPLE >= least


@pytest.mark.data
def test_clouds_are_hardly_ever_called_anything_but_hosting(listed: Callable[[str], str], make_tables: MakeTables) -> None:
    tables = make_tables(
        ("vpn", listed("x4bnet_lists_vpn/output/vpn/ipv4.txt")), ("hosting", listed("x4bnet_lists_vpn/output/datacenter/ipv4.txt"))
    )
    classes = tables.lookup(addresses(listed("misp/google-gcp/list.json")))["egress_class"].to_pylist()
    assert classes.count("vpn") / SAMPLE <= 0.01
