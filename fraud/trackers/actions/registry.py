"""The trackers that can be told something."""

from __future__ import annotations

from fraud.trackers.actions.adapter import Adapter
from fraud.trackers.actions.affise import AffiseActions
from fraud.trackers.actions.everflow import EverflowActions
from fraud.trackers.actions.impact import ImpactActions
from fraud.trackers.actions.tune import TuneActions

ADAPTERS: dict[str, type[Adapter]] = {"affise": AffiseActions, "everflow": EverflowActions, "impact": ImpactActions, "tune": TuneActions}
"""Every adapter by its tracker's name in `feeds.yaml`."""
