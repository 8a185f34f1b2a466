"""Applications: the queue of those that wait for a person, the dossier, and the decision with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from fraud.app.cases import review_tools
from fraud.app.parts import App
from fraud.domain.decisions import DecisionKind, Outcome, SubjectKind
from fraud.domain.dossiers import ApplicantLine, ApplicantQuery, ApplicantState, Dossier
from fraud.domain.programs import Application
from fraud.domain.reviews import Disposition
from fraud.errors import FraudError, InputError, NotFound, ReplayError
from fraud.reports.dossier import dossier_view
from fraud.reports.surroundings import Alike, Drawn, SiteShown, alike, audience_drawn, screenshots_of, sites_shown
from fraud.web.forms import Posted, Sent
from fraud.web.paging import Paging, asked_page
from fraud.web.rendering import page, part
from fraud.web.routing import Route, routes
from fraud.web.visits import Door, Visit
from fraud.workflows.reviewing import DECIDABLE, Word, decide_application
from fraud.workflows.vetting import facts_of

_PAGE = 25
STATES = {
    ApplicantState.WAITING: "Waiting for a decision",
    ApplicantState.CHECKING: "Being checked",
    ApplicantState.APPROVED: "Approved by the evidence",
    ApplicantState.DECIDED: "Decided by a person",
    ApplicantState.ALL: "All",
}
OUTCOMES = (Outcome.REVIEW, Outcome.REJECT, Outcome.REQUEST_INFO, Outcome.APPROVE)
_PNG = b"\x89PNG\r\n\x1a\n"
MOST_AT_ONCE = 200
"""Applications that one form decides: as many as a person can have looked at."""
_DISPOSITIONS = {Outcome.APPROVE: Disposition.DISMISSED, Outcome.REJECT: Disposition.CONFIRMED, Outcome.REQUEST_INFO: Disposition.UNCLEAR}
"""What a decision says of the evidence: who approves dismisses it, who rejects confirms it."""


@dataclass(frozen=True)
class Applying:
    """The pages of applications."""

    door: Door

    def routes(self) -> list[Route]:
        """Where they stand."""
        return routes(
            (
                ("/applications", self.listed),
                ("/next-application", self.next),
                ("/applications/{application_id:path}/screenshots/{sha256}", self.screenshot),
                ("/applications/{application_id:path}", self.shown),
            ),
            (
                ("/applications/decide", self.decide_many),
                ("/applications/{application_id:path}/decision", self.decide),
            ),
        )

    def listed(self, request: Request) -> Response:
        """The applicants; those that wait for a person, riskiest first, unless others are asked for."""
        visit = self.door.enter(request)
        asked, number = asked_applicants(request), asked_page(request)
        lines, total = self.door.app.stores.applications.page(
            visit.program_id, msgspec.structs.replace(asked, limit=_PAGE, offset=(number - 1) * _PAGE)
        )
        context = {
            "title": "Applications",
            "applicants": lines,
            "asked": asked,
            "states": STATES,
            "outcomes": OUTCOMES,
            "paging": Paging(number, total, _PAGE),
            "query": told_of(asked),
            "done": request.query_params.get("done", ""),
            "choices": DECIDABLE,
            "most": MOST_AT_ONCE,
        }
        return page("applications.html", visit, context)

    def next(self, request: Request) -> Response:
        """Leads to the riskiest application that waits."""
        visit = self.door.enter(request)
        waiting, _ = self.door.app.stores.applications.page(visit.program_id, ApplicantQuery(limit=1))
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

    def screenshot(self, request: Request, application_id: str, sha256: str) -> Response:
        """The picture of an applicant's site; only one that this dossier names."""
        visit, app = self.door.enter(request), self.door.app
        dossier = app.stores.applications.dossier(visit.program_id, application_id)
        facts = facts_of(app.stores.decisions.get(visit.program_id, dossier.decision_id))
        if sha256 not in screenshots_of(facts):
            raise NotFound("This dossier has no such picture.")
        picture = app.evidence.get(sha256)
        if not picture.startswith(_PNG):
            raise NotFound("What is kept under this name is no picture.")
        return Response(picture, media_type="image/png")

    def decide_many(self, request: Request, sent: Posted) -> Response:
        """Shows how many applications a decision would cover, or, when that was seen, decides them one by one."""
        visit = self.door.enter_to_act(request, sent)
        chosen = self._chosen(visit, request, sent)
        outcome, reason = _outcome(sent.text("outcome")), sent.text("reason")
        if not chosen:
            raise InputError("Choose at least one application, or all that match.")
        if sent.text("seen") != "yes" or not reason:
            context = {
                "title": "Before you decide",
                "chosen": chosen,
                "outcome": outcome,
                "sent": sent,
                "query": told_of(asked_applicants(request)),
                "refusal": "" if sent.text("seen") != "yes" else "Say why, in a few words; it stands in every record.",
            }
            return page("decide_many.html", visit, context, 200 if sent.text("seen") != "yes" else 422)
        word = Word(actor=visit.actor, disposition=_DISPOSITIONS[outcome], reason=reason)
        for one in chosen:
            decide_application(review_tools(self.door.app), visit.program_id, one.application_id, outcome, word)
        return RedirectResponse(visit.address("/applications", done="decided_many", count=len(chosen)), status_code=303)

    def _chosen(self, visit: Visit, request: Request, sent: Sent) -> list[ApplicantLine]:
        """The applications that were ticked, or all that match the address; only those that have a dossier."""
        store, names = self.door.app.stores.applications, set(sent.all("application"))
        everything = sent.text("scope") == "matching"
        asked = asked_applicants(request) if everything else ApplicantQuery(state=ApplicantState.ALL, named=tuple(sorted(names)))
        lines, total = store.page(visit.program_id, msgspec.structs.replace(asked, limit=MOST_AT_ONCE)) if everything or names else ([], 0)
        if total > MOST_AT_ONCE:
            raise InputError(f"{total:,} applications match; decide at most {MOST_AT_ONCE:,} at once. Narrow the search, or tick some.")
        return [one for one in lines if one.outcome is not None]

    def _dossier(self, visit: Visit, application_id: str, *, status: int = 200, **told: str) -> Response:
        app = self.door.app
        given, dossier = application_of(app, visit.program_id, application_id)
        if dossier is None:
            return page("waiting.html", visit, {"title": "Being checked", "application": given})
        view = dossier_view(dossier, given)
        more = part("dossier_more.html", visit, {"view": view, "shown": _surroundings(app, dossier)})
        context = {
            "title": view.subject,
            "view": view,
            "body": part("dossier.html", visit, {"view": view, "more": more}),
            "reviews": app.stores.reviews.of_subject(visit.program_id, SubjectKind.APPLICATION, application_id),
            "latest": app.stores.decisions.latest(visit.program_id, DecisionKind.VET, application_id),
            "choices": DECIDABLE,
            "action": visit.address(_path(visit, application_id) + "/decision"),
            "done": "",
            "refusal": "",
            "reason": "",
        }
        return page("dossier_page.html", visit, context | told, status)


def asked_applicants(request: Request) -> ApplicantQuery:
    """Which applicants an address asks for."""
    asked = request.query_params
    state, outcome = asked.get("state", ""), asked.get("outcome", "")
    return ApplicantQuery(
        state=ApplicantState(state) if state in set(ApplicantState) else ApplicantState.WAITING,
        search=asked.get("q", "").strip()[:200],
        outcome=Outcome(outcome) if outcome in set(OUTCOMES) else None,
    )


def told_of(query: ApplicantQuery) -> dict[str, str]:
    """The same question as an address puts it."""
    state = "" if query.state is ApplicantState.WAITING else query.state.value
    return {"state": state, "q": query.search, "outcome": query.outcome.value if query.outcome else ""}


def application_of(app: App, program_id: str, application_id: str) -> tuple[Application | None, Dossier | None]:
    """An application and its newest dossier, either of which may be missing; `NotFound` when both are."""
    given = _given(app, program_id, application_id)
    try:
        return given, app.stores.applications.dossier(program_id, application_id)
    except NotFound:
        if given is None:
            raise
        return given, None


@dataclass(frozen=True)
class Surroundings:
    """What stands beside the signals; `fault` says why it cannot be shown."""

    sites: Sequence[SiteShown] = ()
    charts: Sequence[Drawn] = ()
    alike: Sequence[Alike] = ()
    fault: str = ""


def _surroundings(app: App, dossier: Dossier) -> Surroundings:
    try:
        facts = facts_of(app.stores.decisions.get(dossier.program_id, dossier.decision_id))
    except (ReplayError, NotFound) as gone:
        return Surroundings(fault=gone.message)
    return Surroundings(sites_shown(facts), audience_drawn(facts), alike(facts))


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
