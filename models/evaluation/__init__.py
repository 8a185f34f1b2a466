"""How good a ranking is, and the plain forest it has to beat."""

from models.evaluation.metrics import (
    average_precision,
    brier,
    calibration_error,
    false_discovery_share,
    nights_to_detection,
    precision_at_k,
    recall_at_fpr,
    reliability,
)
from models.evaluation.raw_forest import RawForestBaseline

__all__ = [
    "RawForestBaseline",
    "average_precision",
    "brier",
    "calibration_error",
    "false_discovery_share",
    "nights_to_detection",
    "precision_at_k",
    "recall_at_fpr",
    "reliability",
]
