"""What an affiliate reads under a signed link, without signing in: its own report, and a place to answer. No detector, nobody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from fraud.app.affiliate_reports import answer_report, note_reading, open_link, read_report
from fraud.app.hearing import hearing_of
from fraud.app.parts import App
from fraud.domain.report_links import ReportLink
from fraud.errors import Conflict, FraudError, InputError, NotFound
from fraud.reports.performance import performance_body, performance_csv
from fraud.web.forms import LONGEST_TEXT, Posted, require_own_form
from fraud.web.guarding import PageRoute
from fraud.web.looking import Looks
from fraud.web.rendering import csv_response, outside_page, outside_part
from fraud.web.reporting import own_figures

_SAID = {
    "appeal": "Thank you. Somebody else than before will look at it, and you will hear from us.",
    "answer": "Thank you. Your answer is with the person who asked.",
    "note": "Thank you. Whoever looks at it will read what you wrote.",
}


def own_report_pages(app: App) -> APIRouter:
    """The router of the pages that affiliates open; they belong to no one's session."""
    router, pages = APIRouter(route_class=PageRoute, include_in_schema=False), _OwnReport(app, Looks())
    router.add_api_route("/report/{token}.csv", pages.table, methods=["GET"])
    router.add_api_route("/report/{token}", pages.shown, methods=["GET"])
    router.add_api_route("/report/{token}/answer", pages.answered, methods=["POST"])
    return router


@dataclass(frozen=True)
class _OwnReport:
    app: App
    looks: Looks

    def shown(self, request: Request, token: str) -> Response:
        """The report, and the form to answer."""
        return self._opened(token, lambda link: self._page(token, link, said=_SAID.get(request.query_params.get("said", ""), "")))

    def table(self, token: str) -> Response:
        """The figures as CSV."""
        return self._opened(token, lambda link: csv_response(f"report-{link.affiliate_id}", self._csv(link)))

    def answered(self, request: Request, token: str, sent: Posted) -> Response:
        """Takes the answer into the affiliate's case."""
        require_own_form(request)
        try:
            link = open_link(self.app, token)
        except NotFound as gone:
            return _gone(gone)
        text = sent.fields.get("text", "")
        try:
            contested = answer_report(self.app, link, text)
        except (InputError, Conflict, NotFound) as refused:
            return self._page(token, link, refusal=refused.message, text=text[:LONGEST_TEXT], status=refused.status)
        return RedirectResponse(f"/report/{token}?said={contested.action.value}", status_code=303)

    def _opened(self, token: str, then: Callable[[ReportLink], Response]) -> Response:
        try:
            link = open_link(self.app, token)
        except NotFound as gone:
            return _gone(gone)
        return then(link)

    def _csv(self, link: ReportLink) -> str:
        report = read_report(self.app, link)
        return performance_csv(report.now, report.before)

    def _page(self, token: str, link: ReportLink, *, status: int = 200, **told: str) -> Response:
        figures = own_figures(self.app, self.looks, link.program_id, link.affiliate_id)
        title = f"Your traffic: {link.affiliate_id}"
        if figures.report is None and "refusal" not in told:  # what somebody wrote is shown again, with or without the figures
            return outside_page("own_report_waits.html", {"title": title, "fault": figures.fault}, 503 if figures.fault else status)
        if figures.report is not None:
            note_reading(self.app, link)
        context = {"said": "", "refusal": "", "text": ""} | told
        hearing = hearing_of(self.app, link.program_id, link.affiliate_id)
        standing = outside_part("own_hearing.html", {"hearing": hearing}) if hearing else None
        shown = {
            "title": title,
            "token": token,
            "link_ends": link.expires_at,
            "hearing": hearing,
            "body": performance_body(figures.report, standing) if figures.report else "",
        }
        return outside_page("own_report.html", {**shown, **context}, status)


def _gone(fault: FraudError) -> Response:
    return outside_page("own_report_gone.html", {"title": "This link has ended", "message": fault.message}, fault.status)
