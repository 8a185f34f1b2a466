"""Everything an affiliate can play, one function each, and the registry of them all."""

from __future__ import annotations

from collections.abc import Mapping

from fraud.simulation.kinds import Kind
from fraud.simulation.scenarios import adaptive, bots, flooding, hijack, honest, injection, leads, referrers, replay, rings, subids
from fraud.simulation.scenarios.base import Scenario, Shape, Stage

__all__ = ["KINDS", "SHAPES", "Scenario", "Shape", "Stage"]

_MODULES = (adaptive, bots, flooding, hijack, leads, injection, referrers, replay, rings, subids, honest)
_ALL: tuple[Scenario, ...] = tuple(
    sorted(
        (scenario for module in _MODULES for scenario in module.SCENARIOS),
        key=lambda scenario: scenario.kind.code,
    )
)

KINDS: tuple[Kind, ...] = tuple(scenario.kind for scenario in _ALL)
"""Every kind, by its code in the detection study."""

SHAPES: Mapping[str, Shape] = {scenario.kind.name: scenario.shape for scenario in _ALL}
"""How each kind is played, by its name."""
