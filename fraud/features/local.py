"""The default engine's call for one level."""

from __future__ import annotations

from fraud.features.engines.local import compute

__all__ = ["compute"]
