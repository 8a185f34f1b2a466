"""Applications: the queue of those that wait for a person, the dossier, and the decision with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from fraud.app.cases import review_tools
from fraud.app.parts import App
from fraud.domain.decisions import DecisionKind, Outcome, SubjectKind
from fraud.domain.dossiers import Dossier, DossierLine
from fraud.domain.programs import Application
from fraud.domain.reviews import Disposition, Review
from fraud.errors import FraudError, InputError, NotFound
from fraud.reports.dossier import dossier_body, dossier_view, subject_of
from fraud.web.forms import Posted
from fraud.web.paging import Paging, asked_page
from fraud.web.rendering import page
from fraud.web.visits import Door, Visit
from fraud.workflows.reviewing import DECIDABLE, Word, decide_application

_PAGE = 25
STATES = {"waiting": "Waiting for a decision", "decided": "Decided by a person", "all": "All"}
_DISPOSITIONS = {Outcome.APPROVE: Disposition.DISMISSED, Outcome.REJECT: Disposition.CONFIRMED, Outcome.REQUEST_INFO: Disposition.UNCLEAR}
"""What a decision says of the evidence: who approves dismisses it, who rejects confirms it."""


@dataclass(frozen=True)
class Applicant:
    """One applicant in a line."""

    name: str
    dossier: Dossier


@dataclass(frozen=True)
class Applying:
    """The pages of applications."""

    door: Door

    def listed(self, request: Request) -> Response:
        """The applicants that have a dossier; those that wait for a person, riskiest first, unless others are asked for."""
        visit = self.door.enter(request)
        state = request.query_params.get("state", "waiting")
        state = state if state in STATES else "waiting"
        lines = _lines(self.door.app, visit.program_id, state)
        paging = Paging(asked_page(request), len(lines), _PAGE)
        rows = applicants_of(self.door.app, visit.program_id, lines[paging.offset : paging.offset + _PAGE])
        context = {
            "title": "Applications",
            "applicants": rows,
            "state": state,
            "states": STATES,
            "paging": paging,
            "query": {"state": state},
        }
        return page("applications.html", visit, context | {"done": request.query_params.get("done", "")})

    def next(self, request: Request) -> Response:
        """Leads to the riskiest application that waits."""
        visit = self.door.enter(request)
        waiting = waiting_lines(self.door.app, visit.program_id)
        where = visit.link("application", waiting[0].application_id) if waiting else visit.address("/applications", done="none_waiting")
        return RedirectResponse(where, status_code=303)

    def shown(self, request: Request, application_id: str) -> Response:
        """One applicant's dossier with the form to decide, or word that it is still being made."""
        return self._dossier(self.door.enter(request), application_id, done=request.query_params.get("done", ""))

    def decide(self, request: Request, application_id: str, sent: Posted) -> Response:
        """A person's decision; without a reason the form comes back with what was written."""
        visit = self.door.enter_to_act(request, sent)
        try:
            outcome = _outcome(sent.text("outcome"))
            word = Word(actor=visit.actor, disposition=_DISPOSITIONS[outcome], reason=sent.text("reason"), key=sent.text("once"))
            decide_application(review_tools(self.door.app), visit.program_id, application_id, outcome, word)
        except NotFound:
            raise
        except FraudError as fault:
            return self._dossier(visit, application_id, refusal=fault.message, reason=sent.fields.get("reason", ""), status=fault.status)
        return RedirectResponse(visit.address(_path(visit, application_id), done="decided"), status_code=303)

    def _dossier(self, visit: Visit, application_id: str, *, status: int = 200, **told: str) -> Response:
        app = self.door.app
        given, dossier = application_of(app, visit.program_id, application_id)
        if dossier is None:
            return page("waiting.html", visit, {"title": "Being checked", "application": given})
        view = dossier_view(dossier, given)
        context = {
            "title": view.subject,
            "view": view,
            "body": dossier_body(view, visit.link),
            "reviews": app.stores.reviews.of_subject(visit.program_id, SubjectKind.APPLICATION, application_id),
            "latest": app.stores.decisions.latest(visit.program_id, DecisionKind.VET, application_id),
            "choices": DECIDABLE,
            "action": visit.address(_path(visit, application_id) + "/decision"),
            "done": "",
            "refusal": "",
            "reason": "",
        }
        return page("dossier_page.html", visit, context | told, status)


def waiting_lines(app: App, program_id: str) -> list[DossierLine]:
    """Dossiers that ask for a person and that nobody has decided, riskiest first."""
    return _lines(app, program_id, "waiting")


def applicants_of(app: App, program_id: str, lines: Sequence[DossierLine]) -> list[Applicant]:
    """Lines with the applicants' names."""
    dossiers = [app.stores.applications.dossier(program_id, one.application_id) for one in lines]
    return [Applicant(subject_of(one, _given(app, program_id, one.application_id)), one) for one in dossiers]


def application_of(app: App, program_id: str, application_id: str) -> tuple[Application | None, Dossier | None]:
    """An application and its newest dossier, either of which may be missing; `NotFound` when both are."""
    given = _given(app, program_id, application_id)
    try:
        return given, app.stores.applications.dossier(program_id, application_id)
    except NotFound:
        if given is None:
            raise
        return given, None


def reviews_of(app: App, program_id: str, application_id: str) -> list[Review]:
    """What people decided of an application, newest first."""
    return app.stores.reviews.of_subject(program_id, SubjectKind.APPLICATION, application_id)


def _lines(app: App, program_id: str, state: str) -> list[DossierLine]:
    lines = app.stores.applications.lines(program_id)
    if state == "all":
        return lines
    decided = app.stores.reviews.reviewed(program_id, SubjectKind.APPLICATION, [one.application_id for one in lines])
    if state == "decided":
        return [one for one in lines if one.application_id in decided]
    waiting = [one for one in lines if one.application_id not in decided and one.outcome is not Outcome.APPROVE]
    return sorted(waiting, key=lambda one: (-one.score, one.application_id))


def _given(app: App, program_id: str, application_id: str) -> Application | None:
    try:
        return app.stores.applications.get(program_id, application_id)
    except NotFound:
        return None


def _outcome(text: str) -> Outcome:
    known = {one.value: one for one in DECIDABLE}
    if text not in known:
        raise InputError("outcome: Choose approve, ask for more, or reject.")
    return known[text]


def _path(visit: Visit, application_id: str) -> str:
    return visit.link("application", application_id).partition("?")[0]
