"""Statistics and learning on plain arrays, frames and edges; knows no affiliate, no HTTP, no database.

`AnomalyDetector().fit(X).score_samples(X)` scores rows, `rings(edges)` finds groups that share identities, `PeerBaseline` turns raw
figures into residuals, `ModelRegistry` keeps what was fitted. Names are loaded when they are first used: importing `models` is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.baseline import FeatureSpec, Observations, PeerBaseline, Residuals
    from models.calibration import TailCalibrator, benjamini_hochberg, conformal_p
    from models.explain import top_reasons
    from models.fusion import display_risk, fuse
    from models.graph import ring_graph, rings
    from models.isolation import AnomalyDetector
    from models.ranker import RiskRanker
    from models.registry import ModelRefused, ModelRegistry
    from models.tail import TopTail

_HOMES = {
    "AnomalyDetector": "isolation",
    "FeatureSpec": "baseline",
    "ModelRefused": "registry",
    "ModelRegistry": "registry",
    "Observations": "baseline",
    "PeerBaseline": "baseline",
    "Residuals": "baseline",
    "RiskRanker": "ranker",
    "TailCalibrator": "calibration",
    "TopTail": "tail",
    "benjamini_hochberg": "calibration",
    "conformal_p": "calibration",
    "display_risk": "fusion",
    "fuse": "fusion",
    "ring_graph": "graph",
    "rings": "graph",
    "top_reasons": "explain",
}

__all__ = [
    "AnomalyDetector",
    "FeatureSpec",
    "ModelRefused",
    "ModelRegistry",
    "Observations",
    "PeerBaseline",
    "Residuals",
    "RiskRanker",
    "TailCalibrator",
    "TopTail",
    "benjamini_hochberg",
    "conformal_p",
    "display_risk",
    "fuse",
    "ring_graph",
    "rings",
    "top_reasons",
]


def __getattr__(name: str) -> Any:
    """Loads a public name from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'models' has no attribute {name!r}")
    return getattr(import_module(f"models.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
