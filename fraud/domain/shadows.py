"""What a pack in shadow would have decided, kept beside the decision that counted. It never acts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from fraud.domain.decisions import Artefact, DecisionKind, Outcome, SubjectKind


class ShadowDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision under the pack in shadow. Everything that it saw is kept with `decision_id`, the one that counted, whose outcome is
    `live`; `commission` is what is pending for the affiliate (`None` for sub-IDs, whose commission is their affiliate's)."""

    decision_id: str
    program_id: str
    policy: Artefact
    kind: DecisionKind
    subject_kind: SubjectKind
    subject_id: str
    decided_at: datetime
    live: Outcome
    outcome: Outcome
    score: float
    rules: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    commission: Decimal | None = None
    currency: str | None = None

    @property
    def differs(self) -> bool:
        """Whether it would have come out otherwise."""
        return self.outcome is not self.live
