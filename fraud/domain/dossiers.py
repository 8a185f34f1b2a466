"""The dossier of one applicant, in the shape of `dossier.json` (CONTRACT 2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from fraud.domain.decisions import Artefact, Outcome
from fraud.domain.signals import Signal


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked, what was found, what follows, and what would settle the rest."""

    application_id: str
    program_id: str
    decision_id: str
    as_of: datetime
    outcome: Outcome
    score: float
    coverage: float
    typologies: tuple[str, ...]
    signals: tuple[Signal, ...]
    public_reason: str
    needed: tuple[str, ...]
    policy: Artefact
    models: tuple[Artefact, ...]
    facts: dict[str, Any]


class DossierLine(msgspec.Struct, frozen=True, kw_only=True):
    """A dossier in a line, as lists need it."""

    application_id: str
    decision_id: str
    as_of: datetime
    outcome: Outcome
    score: float
