"""The dossier of one applicant, in the shape of `dossier.json` (CONTRACT 2)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
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


class ApplicantState(StrEnum):
    """Where an applicant stands: waiting for a person's decision, still being checked, approved by the evidence, decided by a person."""

    WAITING = "waiting"
    CHECKING = "checking"
    APPROVED = "approved"
    DECIDED = "decided"
    ALL = "all"


class ApplicantLine(msgspec.Struct, frozen=True, kw_only=True):
    """An applicant in a line: the newest dossier's figures, all `None` while there is no dossier; `findings` counts its findings."""

    application_id: str
    name: str
    applied_at: datetime | None = None
    decision_id: str | None = None
    as_of: datetime | None = None
    outcome: Outcome | None = None
    score: float | None = None
    coverage: float | None = None
    findings: int | None = None


class ApplicantQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which applicants (only those `named`, when any are), and which page of them. Those that wait come riskiest first, the others
    newest first."""

    state: ApplicantState = ApplicantState.WAITING
    named: tuple[str, ...] = ()
    search: str = ""
    outcome: Outcome | None = None
    limit: int = 25
    offset: int = 0
