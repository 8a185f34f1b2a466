"""What is compiled ahead is what a scan calls: made of other types it would be compiled once more, and a newcomer would wait for both."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from fraud.app.compiling import compile_kernels
from fraud.enrichment import compiled, egress, egress_kernels
from fraud.features import click_kernels, keys
from fraud.storage import counter_kernels
from models import forest_kernels, meeting_kernels
from tests.app.conftest import Scanned

AHEAD: dict[ModuleType, tuple[str, ...]] = {
    click_kernels: ("tally_clicks",),
    compiled: ("order_by", "positions", "slots_for"),
    counter_kernels: ("observe_each",),
    egress: ("_count",),
    egress_kernels: ("tally_addresses", "_busy", "address_keys", "partition_of"),
    forest_kernels: ("forest_scores",),
    keys: ("mixed_keys",),
    meeting_kernels: ("by_entity", "meetings_of"),
}


def known() -> dict[str, set[Any]]:
    """The types that each kernel has been compiled for in this process, or read from the cache."""
    return {f"{home.__name__}.{name}": set(getattr(home, name).signatures) for home, names in AHEAD.items() for name in names}


def test_a_scan_calls_what_was_compiled_ahead(scanned: Scanned) -> None:
    assert scanned.run.result.affiliates
    called = known()
    assert [name for name, types in called.items() if not types] == []
    compile_kernels()
    assert {name: types - called[name] for name, types in known().items() if types - called[name]} == {}
