"""Alerts and cases: the queue, one alert with everything behind it, and what people do with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from fraud.app.cases import case_tools, lift, new_suppression, snooze, suppress
from fraud.app.parts import App
from fraud.cases.casework import TRANSITIONS, Step, is_free
from fraud.domain.alerts import Alert, AlertState
from fraud.domain.cases import Case, CaseAction, CaseState
from fraud.domain.facets import FacetKind
from fraud.domain.reviews import Disposition
from fraud.errors import FraudError, InputError, NotFound
from fraud.reports import words
from fraud.web.forms import Posted, Sent
from fraud.web.paging import PAGE_SIZE, Paging, asked_page
from fraud.web.queueing import IN_HAND, SCOPES, Facets, Tally, alert_query, filters_of, in_work, told_alerts
from fraud.web.rendering import page
from fraud.web.routing import Route, routes
from fraud.web.visits import Door, Visit
from fraud.workflows.casework import act, case_of, disposition_of, take, take_next
from fraud.workflows.reviewing import Word

_PAGE = 25
_MOST_DAYS = 366
MOST_AT_ONCE = 100
"""Alerts that one form snoozes: more than a page shows."""
CASE_TABS = (*IN_HAND, CaseState.DECIDED)


@dataclass(frozen=True)
class Button:
    """One thing to do with a case: what is sent, what it says, how weighty it looks, whether it needs a reason, and what it leads to."""

    action: str
    label: str
    style: str = ""
    needs_reason: bool = True
    key: str = ""
    means: str = ""


_DECISIONS = (
    Button("decide:confirmed", "Confirm the risk", "weighty", key="c", means="The evidence holds. It counts for the rules behind it."),
    Button("decide:dismissed", "Dismiss", "weighty calm", key="d", means="All is in order. It counts against the rules behind it."),
    Button("decide:unclear", "Unclear", key="u", means="Neither way. It counts for no rule; news alone asks again."),
)
_BUTTONS: Mapping[CaseAction, tuple[Button, ...]] = {
    CaseAction.DECIDE: _DECISIONS,
    CaseAction.ASK: (Button("ask", "Ask the affiliate", means="It reads your words under its link and has 7 days to answer."),),
    CaseAction.PROPOSE_SUSPENSION: (Button("propose_suspension", "Propose a suspension", means="A second person confirms it or not."),),
    CaseAction.CONFIRM_SUSPENSION: (Button("confirm_suspension", "Confirm the suspension", "weighty", means="Its clicks are blocked."),),
    CaseAction.DECLINE_SUSPENSION: (Button("decline_suspension", "Decline it", "weighty calm", means="Back to who proposed it."),),
    CaseAction.ANSWER: (Button("answer", "Take down the answer", "weighty", means="Back into the queue, with the answer."),),
    CaseAction.APPEAL: (Button("appeal", "The affiliate contests it", means="Somebody else than who decided takes it, first of all."),),
    CaseAction.REOPEN: (Button("reopen", "Take my decision back", key="z", means="The case is yours again, to be decided anew."),),
    CaseAction.NOTE: (Button("note", "Add a note", means="For colleagues; nothing else changes."),),
    CaseAction.RELEASE: (Button("release", "Release", needs_reason=False, means="Back into the queue, for anybody."),),
}
_BY_HOLDER = frozenset({CaseAction.DECIDE, CaseAction.ASK, CaseAction.PROPOSE_SUSPENSION, CaseAction.RELEASE})


@dataclass(frozen=True)
class Working:
    """The pages of alerts and cases."""

    door: Door
    tally: Tally
    facets: Facets

    def routes(self) -> list[Route]:
        """Where they stand."""
        return routes(
            (
                ("/alerts", self.listed),
                ("/alerts/{alert_id}", self.shown),
                ("/cases", self.cases),
                ("/cases/{case_id}", self.case),
                ("/kept-back", self.kept_back),
            ),
            (
                ("/next-case", self.take_next),
                ("/alerts/snooze", self.snooze_many),
                ("/alerts/wake", self.wake_many),
                ("/alerts/{alert_id}/take", self.take),
                ("/alerts/{alert_id}/step", self.step),
                ("/alerts/{alert_id}/snooze", self.snooze),
                ("/alerts/{alert_id}/wake", self.wake),
                ("/alerts/{alert_id}/suppress", self.suppress),
                ("/suppressions/{suppression_id}/lift", self.lift),
            ),
        )

    def listed(self, request: Request) -> Response:
        """The alerts that the address asks for, largest expected loss first; those that wait, unless others are asked for."""
        visit, app = self.door.enter(request), self.door.app
        now, program_id, told = app.clock.now(), visit.program_id, told_alerts(request)
        number = asked_page(request)
        query = alert_query(app, program_id, visit.actor.actor_id, told)
        alerts, total = app.stores.alerts.matching(
            program_id, now, msgspec.structs.replace(query, limit=_PAGE, offset=(number - 1) * _PAGE)
        )
        nights = app.stores.nights.nights(program_id, 1)
        context = {
            "title": "Alerts",
            "alerts": alerts,
            "scope": query.scope,
            "scopes": SCOPES,
            "filters": filters_of(told, self.tally.of(app, program_id, query.scope), self.facets.of(app, program_id, FacetKind.OFFER)),
            "narrowed": any(value for name, value in told.items() if name != "scope"),
            "paging": Paging(number, total, _PAGE),
            "query": told,
            "cases": in_work(app, program_id),
            "currency": nights[0].currency if nights else None,
            "done": request.query_params.get("done", ""),
            "undo": undo_of(request),
        }
        return page("alerts.html", visit, context)

    def cases(self, request: Request) -> Response:
        """The cases people work on, newest first, or those in the state that is asked for."""
        visit, app = self.door.enter(request), self.door.app
        states, number = asked_states(request), asked_page(request)
        state = states[0] if len(states) == 1 else None
        cases, total = app.stores.cases.page(visit.program_id, states, PAGE_SIZE, (number - 1) * PAGE_SIZE)
        context = {
            "title": "Cases",
            "cases": cases,
            "state": state,
            "states": CASE_TABS,
            "paging": Paging(number, total),
            "query": {"state": state.value if state else ""},
        }
        return page("cases.html", visit, context)

    def kept_back(self, request: Request) -> Response:
        """What is kept from the queue: snoozed alerts and suppressions, with the way back."""
        visit, app, number = self.door.enter(request), self.door.app, asked_page(request)
        now, program_id = app.clock.now(), visit.program_id
        alerts, total = app.stores.alerts.snoozed_page(program_id, now, _PAGE, (number - 1) * _PAGE)
        suppressions = app.stores.suppressions.active(program_id, now)
        aside = Paging(asked_page(request, "suppressions"), len(suppressions), _PAGE)
        context = {
            "title": "Kept back",
            "alerts": alerts,
            "paging": Paging(number, total, _PAGE),
            "query": {},
            "suppressions": suppressions[aside.offset : aside.offset + _PAGE],
            "aside": aside,
            "done": request.query_params.get("done", ""),
        }
        return page("kept_back.html", visit, context)

    def snooze_many(self, request: Request, sent: Posted) -> Response:
        """Shows which alerts a snooze would cover, or, when that was seen, snoozes them; the next page offers to undo it."""
        visit, app = self.door.enter_to_act(request, sent), self.door.app
        chosen = app.stores.alerts.named(visit.program_id, sent.all("alert")[:MOST_AT_ONCE])
        if not chosen:
            raise InputError("Tick at least one alert of the list.")
        days, reason = sent.days("days", _MOST_DAYS), sent.text("reason")
        if sent.text("seen") != "yes" or not reason:
            refusal = "Say what you are waiting for, in a few words." if sent.text("seen") == "yes" else ""
            context = {"title": "Before you snooze", "chosen": chosen, "sent": sent, "days": days, "refusal": refusal}
            return page("snooze_many.html", visit, context, 422 if refusal else 200)
        for alert in chosen:
            snooze(app, visit.program_id, alert.alert_id, days, (visit.actor, reason))
        told = ",".join(alert.alert_id for alert in chosen)
        return RedirectResponse(visit.address("/alerts", done="snoozed_many", undo=told), status_code=303)

    def wake_many(self, request: Request, sent: Posted) -> Response:
        """Ends the snoozes of several alerts: what undoes a snooze of several."""
        visit, app = self.door.enter_to_act(request, sent), self.door.app
        for alert in app.stores.alerts.named(visit.program_id, sent.all("alert")[:MOST_AT_ONCE]):
            self._wake(visit, alert.alert_id)
        return RedirectResponse(visit.address("/alerts", done="woken_many"), status_code=303)

    def _wake(self, visit: Visit, alert_id: str) -> None:
        app = self.door.app
        app.stores.alerts.change(visit.program_id, alert_id, lambda one: msgspec.structs.replace(one, snoozed_until=None))
        app.stores.audit.record(visit.actor, visit.program_id, "alert.woken", alert_id, app.clock.now(), {})

    def take_next(self, request: Request, sent: Posted) -> Response:
        """Takes the first free case of the queue and opens it."""
        visit = self.door.enter_to_act(request, sent)
        taken = take_next(case_tools(self.door.app), visit.program_id, visit.reviewer)
        if taken is None:
            return RedirectResponse(visit.address("/alerts", done="empty"), status_code=303)
        return self._back(visit, taken[0].alert_id, "taken")

    def shown(self, request: Request, alert_id: str) -> Response:
        """One alert: why, its case, what was done, and what can be done."""
        visit = self.door.enter(request)
        return self._alert(visit, alert_id, done=request.query_params.get("done", ""))

    def case(self, request: Request, case_id: str) -> Response:
        """A case's address leads to its alert."""
        visit = self.door.enter(request)
        found = self.door.app.stores.cases.get(visit.program_id, case_id)
        return RedirectResponse(visit.link("alert", found.alert_id), status_code=303)

    def take(self, request: Request, alert_id: str, sent: Posted) -> Response:
        """Takes the case of this alert."""
        visit = self.door.enter_to_act(request, sent)

        def do() -> str:
            take(case_tools(self.door.app), visit.program_id, alert_id, visit.reviewer)
            return "taken"

        return self._done(visit, alert_id, sent, do)

    def step(self, request: Request, alert_id: str, sent: Posted) -> Response:
        """One step with the case of this alert."""
        visit = self.door.enter_to_act(request, sent)
        return self._done(visit, alert_id, sent, lambda: self._step(visit, alert_id, sent))

    def snooze(self, request: Request, alert_id: str, sent: Posted) -> Response:
        """Keeps the alert from the queue for some days."""
        visit, app = self.door.enter_to_act(request, sent), self.door.app

        def do() -> str:
            days = sent.days("days", _MOST_DAYS)
            snooze(app, visit.program_id, alert_id, days, (visit.actor, sent.text("reason")))
            return "snoozed"

        return self._done(visit, alert_id, sent, do)

    def wake(self, request: Request, alert_id: str, sent: Posted) -> Response:
        """Ends a snooze."""
        visit = self.door.enter_to_act(request, sent)

        def do() -> str:
            self._wake(visit, alert_id)
            return "woken"

        return self._done(visit, alert_id, sent, do)

    def suppress(self, request: Request, alert_id: str, sent: Posted) -> Response:
        """Shows what a suppression would cover, or, when that was seen, makes it."""
        visit, app = self.door.enter_to_act(request, sent), self.door.app
        alert = app.stores.alerts.get(visit.program_id, alert_id)
        try:
            scope = _scope(alert, sent.text("scope"))
            days = sent.days("days", _MOST_DAYS)
            wanted = new_suppression(app, visit.program_id, scope, days, (visit.actor, sent.text("reason")))
            if sent.text("seen") != "yes":
                covered = suppress(app, wanted, visit.actor, preview=True)
                return self._preview(visit, alert, sent, covered)
            suppress(app, wanted, visit.actor)
        except InputError as fault:
            return self._alert(visit, alert_id, refusal=fault.message, reason=sent.fields.get("reason", ""), status=fault.status)
        return self._back(visit, alert_id, "suppressed")

    def lift(self, request: Request, suppression_id: str, sent: Posted) -> Response:
        """Ends a suppression now."""
        visit = self.door.enter_to_act(request, sent)
        lift(self.door.app, visit.program_id, suppression_id, (visit.actor, sent.text("reason")))
        return RedirectResponse(visit.address("/kept-back", done="lifted"), status_code=303)

    def _step(self, visit: Visit, alert_id: str, sent: Sent) -> str:
        app, tools = self.door.app, case_tools(self.door.app)
        action, disposition = _wanted(sent.text("action"))
        case = case_of(tools, app.stores.alerts.get(visit.program_id, alert_id))
        reason = sent.text("reason")
        actor_id, name = visit.reviewer
        step = Step(action=action, actor_id=actor_id, actor_name=name, at=app.clock.now(), reason=reason, disposition=disposition)
        act(tools, visit.program_id, case.case_id, step, Word(actor=visit.actor, disposition=disposition_of(step), reason=reason))
        return action.value

    def _done(self, visit: Visit, alert_id: str, sent: Sent, do: Any) -> Response:
        try:
            code = do()
        except NotFound:
            raise
        except FraudError as fault:
            if fault.status >= 500:
                raise
            return self._alert(visit, alert_id, refusal=fault.message, reason=sent.fields.get("reason", ""), status=fault.status)
        return self._back(visit, alert_id, code)

    def _back(self, visit: Visit, alert_id: str, code: str) -> Response:
        return RedirectResponse(visit.address(path_of(visit, alert_id), done=code), status_code=303)

    def _alert(self, visit: Visit, alert_id: str, *, status: int = 200, **told: str) -> Response:
        app = self.door.app
        alert = app.stores.alerts.get(visit.program_id, alert_id)
        case = case_of(case_tools(app), alert)
        nights = app.stores.nights.nights(visit.program_id, 1)
        context = {
            "title": f"{words.SUBJECT_KINDS[alert.subject_kind]} {alert.subject_id}",
            "alert": alert,
            "case": case,
            "timeline": app.stores.cases.timeline(visit.program_id, case.case_id),
            "buttons": buttons_for(case, visit),
            "may_take": may_take(app, case, alert, visit),
            "snoozed": alert.snoozed_until is not None and app.clock.now() < alert.snoozed_until,
            "reviews": app.stores.reviews.of_subject(visit.program_id, alert.subject_kind, alert.subject_id)[:20],
            "history": app.stores.nights.history(visit.program_id, alert.subject_id, 60)[::-1],
            "path": path_of(visit, alert_id),
            "codes": list(dict.fromkeys(reason.code for reason in alert.reasons)),
            "currency": nights[0].currency if nights else None,
            "done": "",
            "refusal": "",
            "reason": "",
        }
        return page("alert.html", visit, context | told, status)

    def _preview(self, visit: Visit, alert: Alert, sent: Sent, covered: list[Alert]) -> Response:
        context = {
            "title": "What a suppression covers",
            "alert": alert,
            "covered": covered,
            "sent": sent,
            "path": path_of(visit, alert.alert_id),
        }
        return page("suppress.html", visit, context)


def buttons_for(case: Case, visit: Visit) -> list[Button]:
    """What this person may do with the case now, weighty things first."""
    allowed = TRANSITIONS[case.state] if case.version else {}
    mine = case.assignee == visit.actor.actor_id
    possible = [action for action in _BUTTONS if action in allowed and (mine or action not in _BY_HOLDER)]
    if case.proposed_by == visit.actor.actor_id:
        possible = [action for action in possible if action is not CaseAction.CONFIRM_SUSPENSION]
    if case.decided_by != visit.actor.actor_id or case.suspended:
        possible = [action for action in possible if action is not CaseAction.REOPEN]
    return [button for action in possible for button in _BUTTONS[action]]


def may_take(app: App, case: Case, alert: Alert, visit: Visit) -> bool:
    """Whether this person may take the case now."""
    waiting = case.state is CaseState.WAITING
    open_or_contested = alert.state is AlertState.OPEN or case.state is CaseState.APPEALED
    return open_or_contested and (waiting or is_free(case, visit.actor.actor_id, app.clock.now()))


def asked_states(request: Request) -> Sequence[CaseState]:
    """The states of cases that an address asks for: one, or all in which somebody has the case in hand."""
    asked = request.query_params.get("state", "")
    return (CaseState(asked),) if asked in set(CASE_TABS) else IN_HAND


def undo_of(request: Request) -> list[str]:
    """The alerts that were just snoozed together, as the address names them."""
    return [one for one in request.query_params.get("undo", "").split(",") if one][:MOST_AT_ONCE]


def path_of(visit: Visit, alert_id: str) -> str:
    """The path of an alert's page, without the question."""
    return visit.link("alert", alert_id).partition("?")[0]


def _wanted(text: str) -> tuple[CaseAction, Disposition | None]:
    name, _, ending = text.partition(":")
    try:
        return CaseAction(name), Disposition(ending) if ending else None
    except ValueError:
        raise InputError("action: Choose one of the buttons; this step is not known.") from None


def _scope(alert: Alert, text: str) -> tuple[str, str]:
    """Subject and reason code that a suppression covers."""
    if text == "subject":
        return alert.subject_id, ""
    if text.startswith("code:") and text.removeprefix("code:") in {reason.code for reason in alert.reasons}:
        return "", text.removeprefix("code:")
    raise InputError("scope: Choose what to suppress: this subject, or one kind of reason.")
