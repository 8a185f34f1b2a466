"""An affiliate's own report as its manager sees it: figures and targets, what it is told, and the links it reads it under."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from fraud.app.affiliate_reports import LONGEST_DAYS, address_of, make_link, report_of, revoke_link, token_of
from fraud.app.mailing import letter_before, mail_report, mail_senders
from fraud.app.parts import App
from fraud.app.performing import notices_for
from fraud.domain.report_links import ReportLink
from fraud.errors import FraudError, InputError, NotFound
from fraud.reports.performance import AffiliateReport, figures_of, performance_body, target_line
from fraud.web.forms import Posted, Sent
from fraud.web.looking import Looks
from fraud.web.paging import Paging, asked_page
from fraud.web.rendering import page
from fraud.web.routing import Route, routes
from fraud.web.visits import Door, Visit

_LINKS = 20
_LASTS = 30
"""Days a link lasts unless somebody says otherwise."""


@dataclass(frozen=True)
class OwnFigures:
    """An affiliate's figures and targets: there, still being counted (`report` and `fault` empty), or why they cannot be read."""

    report: AffiliateReport | None = None
    fault: str = ""

    @property
    def counting(self) -> bool:
        """Whether the answer is on its way."""
        return self.report is None and not self.fault

    @property
    def lines(self) -> list[Any]:
        """Every figure in words, beside that of the period before."""
        return figures_of(self.report.now, self.report.before) if self.report else []

    @property
    def targets(self) -> list[Any]:
        """How it stands with each target, in words."""
        return [target_line(one) for one in self.report.targets] if self.report else []


@dataclass(frozen=True)
class Reporting:
    """The pages of affiliates' own reports."""

    door: Door
    looks: Looks

    def routes(self) -> list[Route]:
        """Where they stand."""
        return routes(
            (("/reports/{affiliate_id:path}", self.shown),),
            (("/report-links", self.link), ("/report-links/mail", self.mail), ("/report-links/{link_id}/revoke", self.revoke)),
        )

    def shown(self, request: Request, affiliate_id: str) -> Response:
        """What the affiliate reads under its link, and its links."""
        return self._report(self.door.enter(request), affiliate_id, asked_page(request), done=request.query_params.get("done", ""))

    def link(self, request: Request, sent: Posted) -> Response:
        """Makes a link that ends."""
        visit, app = self.door.enter_to_act(request, sent), self.door.app
        affiliate_id = sent.text("affiliate")
        try:
            make_link(app, visit.program_id, affiliate_id, int(sent.days("days", LONGEST_DAYS)), visit.actor)
        except InputError as fault:
            return self._report(visit, affiliate_id, 1, refusal=fault.message, status=fault.status)
        return RedirectResponse(visit.address(report_path(affiliate_id), done="linked"), status_code=303)

    def mail(self, request: Request, sent: Posted) -> Response:
        """Shows the letter as it would be sent, or, when that was seen, makes a link and sends it."""
        visit, app = self.door.enter_to_act(request, sent), self.door.app
        affiliate_id = sent.text("affiliate")
        try:
            days, to = int(sent.days("days", LONGEST_DAYS)), sent.text("to")
            if sent.text("seen") != "yes":
                return self._letter(visit, affiliate_id, sent, days)
            mail_report(app, (visit.program_id, affiliate_id, days), to, (visit.actor, sent.text("reason")))
        except FraudError as fault:
            return self._report(visit, affiliate_id, 1, refusal=fault.message, status=fault.status, written=sent)
        return RedirectResponse(visit.address(report_path(affiliate_id), done="mailed"), status_code=303)

    def revoke(self, request: Request, link_id: str, sent: Posted) -> Response:
        """Ends a link now, for a reason."""
        visit, app = self.door.enter_to_act(request, sent), self.door.app
        link = app.stores.report_links.get(visit.program_id, link_id)
        if not sent.text("reason"):
            return self._report(visit, link.affiliate_id, 1, refusal="Say why, in a few words: the address ends for good.", status=422)
        revoke_link(app, visit.program_id, link_id, (visit.actor, sent.text("reason")))
        return RedirectResponse(visit.address(report_path(link.affiliate_id), done="unlinked"), status_code=303)

    def _letter(self, visit: Visit, affiliate_id: str, sent: Sent, days: int) -> Response:
        """The letter before it goes, with the form that sends it."""
        if not sent.text("reason"):
            raise InputError("Say why it is sent, in a few words; it stands in the record.")
        ends = self.door.clock.now() + timedelta(days=days)
        shown = letter_before(self.door.app, visit.program_id, sent.text("to"), ends)
        context = {"title": "Before you send it", "affiliate_id": affiliate_id, "letter": shown, "sent": sent, "days": days, "ends": ends}
        return page("mail_report.html", visit, context | {"back": report_path(affiliate_id)})

    def _report(
        self, visit: Visit, affiliate_id: str, number: int, *, status: int = 200, written: Sent | None = None, **told: str
    ) -> Response:
        app = self.door.app
        figures = own_figures(app, self.looks, visit.program_id, affiliate_id)
        links = [one for one in app.stores.report_links.all(visit.program_id) if one.affiliate_id == affiliate_id]
        paging = Paging(number, len(links), _LINKS)
        context = {
            "title": f"Report of {affiliate_id}",
            "affiliate_id": affiliate_id,
            "figures": figures,
            "body": performance_body(figures.report) if figures.report else "",
            "links": [(one, self._address(one)) for one in links[paging.offset : paging.offset + _LINKS]],
            "paging": paging,
            "longest": LONGEST_DAYS,
            "lasts": _LASTS,
            "senders": _senders(app),
            "to": written.text("to") if written else _known_address(app, visit.program_id, affiliate_id),
            "reason": written.text("reason") if written else "",
            "query": {},
            "done": "",
            "refusal": "",
        }
        return page("affiliate_report.html", visit, context | told, status)

    def _address(self, link: ReportLink) -> str:
        """The whole address of a link that still leads somewhere; "" for one that has ended."""
        return address_of(self.door.app, token_of(self.door.app, link)) if link.is_open(self.door.clock.now()) else ""


def _senders(app: App) -> list[str] | str:
    """Where mail can be sent from, or why it cannot."""
    try:
        return mail_senders(app)
    except FraudError as fault:
        return fault.message


def _known_address(app: App, program_id: str, affiliate_id: str) -> str:
    """The address that the affiliate gave when it applied; "" when it did not apply here."""
    try:
        return app.stores.applications.get(program_id, affiliate_id).email or ""
    except NotFound:
        return ""


def report_path(affiliate_id: str) -> str:
    """Where an affiliate's report stands for its manager."""
    return f"/reports/{quote(affiliate_id, safe='')}"


def own_figures(app: App, looks: Looks, program_id: str, affiliate_id: str) -> OwnFigures:
    """An affiliate's report of the last 30 days, counted once an hour; notices are those of now. What cannot be read is said instead."""
    hour = app.clock.now().strftime("%Y-%m-%dT%H")
    try:
        counted = looks.get(("report", program_id, affiliate_id, hour), lambda: report_of(app, program_id, affiliate_id))
    except FraudError as fault:
        return OwnFigures(fault=fault.message)
    return OwnFigures(replace(counted, notices=notices_for(app, program_id, affiliate_id)) if counted else None)
