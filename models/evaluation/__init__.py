"""How good a ranking is, and the plain forest it has to beat."""

from models.evaluation.metrics import average_precision, precision_at_k, recall_at_fpr
from models.evaluation.raw_forest import RawForestBaseline

__all__ = ["RawForestBaseline", "average_precision", "precision_at_k", "recall_at_fpr"]
