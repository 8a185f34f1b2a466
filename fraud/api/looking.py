"""Looking at one affiliate, applicant, case or decision through the API: who may, and that they did."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request

from fraud.api.security import Gate, program_of
from fraud.api.services import ApiServices
from fraud.domain.actors import Role
from fraud.workflows.seeing import Looks

Enter = Callable[[Request, str | None], str]
"""The program that a manager's request is about, once the look stands in the audit log."""


def entrance(services: ApiServices, gate: Gate) -> Enter:
    """How routes let managers look; raises what `Gate.require` and `program_of` raise."""
    looks = Looks(services.audit, services.clock)

    def enter(request: Request, asked: str | None) -> str:
        actor = gate.require(request, Role.REVIEW)
        program_id = program_of(actor, asked)
        looks.note(actor, program_id, request.url.path)
        return program_id

    return enter
