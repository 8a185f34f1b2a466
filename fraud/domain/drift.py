"""How far a program's traffic has moved from its frozen baseline: what scans keep and people are shown."""

from __future__ import annotations

import msgspec


class FeatureDrift(msgspec.Struct, frozen=True, kw_only=True):
    """One feature's residuals against those of the reference: the stability index (0 is the same), how likely so much is by chance, and by
    how many robust standard deviations the median moved."""

    feature: str
    title: str
    psi: float
    p_value: float
    moved: float


class DriftReport(msgspec.Struct, frozen=True, kw_only=True):
    """How two sets of affiliates' windows differ under one baseline.

    `evidence_psi` and `evidence_p_value` are of the fused evidence; `drifted` of `compared` features differ (`features` names the
    furthest of them, furthest first). `large` says that a person should look; `why` says it in a sentence.
    """

    affiliates: int
    evidence_psi: float
    evidence_p_value: float
    compared: int
    drifted: int
    features: tuple[FeatureDrift, ...]
    large: bool
    why: str

    @property
    def drifted_share(self) -> float:
        """The share of the compared features that drifted; 0 where none could be compared."""
        return self.drifted / self.compared if self.compared else 0.0
