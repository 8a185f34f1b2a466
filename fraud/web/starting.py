"""The first screen: a file of clicks or one website in, a result out, without a command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from fraud.app.trying import TRY, start_try, start_vetting, tried
from fraud.domain.jobs import Job, JobState
from fraud.errors import FraudError, InputError, NotFound
from fraud.reports.scan import scan_page_view
from fraud.web.forms import Posted, Sent
from fraud.web.looking import Looks
from fraud.web.paging import Paging, asked_page
from fraud.web.rendering import page, part
from fraud.web.routing import Route, routes
from fraud.web.visits import Door, Visit

_PAGE = 25
"""Affiliates of a page: each may bring its evidence along, as none has a page of its own."""
_ELSEWHERE = frozenset({"definition", "decision", "check", "feature"})
"""What a first look may link to: its affiliates and rings are not in the workspace."""


@dataclass(frozen=True)
class Starting:
    """The pages of a first look."""

    door: Door
    looks: Looks

    def routes(self) -> list[Route]:
        """Where they stand."""
        return routes(
            (
                ("/start", self.form),
                ("/tries/{job_id}", self.result),
            ),
            (
                ("/start/scan", self.scan),
                ("/start/vet", self.vet),
            ),
        )

    def form(self, request: Request) -> Response:
        """The two forms."""
        return page("start.html", self.door.enter(request), {"title": "Try it on your own data", "refusal": ""})

    def scan(self, request: Request, sent: Posted) -> Response:
        """Takes the files and leads to where the result will be."""
        visit = self.door.enter_to_act(request, sent)
        return self._started(visit, lambda: f"/tries/{start_try(self.door.app, visit.program_id, visit.actor, _files(sent)).job_id}")

    def vet(self, request: Request, sent: Posted) -> Response:
        """Takes the address and leads to where the dossier will be."""
        visit = self.door.enter_to_act(request, sent)
        return self._started(
            visit,
            lambda: visit.link("application", start_vetting(self.door.app, visit.program_id, visit.actor, sent.text("url"))).partition("?")[
                0
            ],
        )

    def result(self, request: Request, job_id: str) -> Response:
        """How far the scan is, and its result once it is done."""
        visit = self.door.enter(request)
        job = self.door.app.stores.jobs.get(visit.program_id, job_id)
        if job.kind != TRY:
            raise NotFound(f"There is no such scan {job_id[:60]!r}.")
        if job.state is not JobState.DONE:
            return page("progress.html", visit, {"title": "Being scanned", "job": job, "what": "Your file is being read and scanned"})
        number = asked_page(request)
        found = self.looks.get(("try", visit.program_id, job_id, str(number)), lambda: self._report(visit, job, number))
        if found is None:
            return page(
                "progress.html", visit, {"title": "Being put into words", "job": job, "what": "Your result is being put into words"}
            )
        title, body, paging = found
        return page("report.html", visit, {"title": title, "body": body, "csv": "", "paging": paging, "path": f"/tries/{job_id}"})

    def _report(self, visit: Visit, job: Job, number: int) -> tuple[str, Markup, Paging]:
        """A page of the result in words: reading a large one takes longer than a page may."""
        result = tried(self.door.app, job)
        paging = Paging(min(number, Paging(1, len(result.affiliates), _PAGE).pages), len(result.affiliates), _PAGE)
        view = scan_page_view(result, visit.profile, paging.offset, paging.offset + _PAGE)

        def link(kind: str, name: str) -> str:
            return visit.link(kind, name) if kind in _ELSEWHERE else ""

        return view.headline, part("scan.html", visit, {"view": view, "link": link}), paging

    def _started(self, visit: Visit, do: Callable[[], str]) -> Response:
        try:
            path = do()
        except FraudError as fault:
            if fault.status >= 500:
                raise
            return page("start.html", visit, {"title": "Try it on your own data", "refusal": fault.message}, fault.status)
        return RedirectResponse(visit.address(path), status_code=303)


def _files(sent: Sent) -> dict[str, tuple[str, bytes]]:
    if not sent.files.get("clicks", ("", b""))[1]:
        raise InputError("Choose a file of clicks: CSV, NDJSON or Parquet with click_id, clicked_at and affiliate_id.")
    return {kind: sent.files[kind] for kind in ("clicks", "conversions") if sent.files.get(kind, ("", b""))[1]}
