"""Policy: what decides, how often it was right, and what a change would do before it is made."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from fraud.app.parts import App
from fraud.app.policies import publish_policy
from fraud.app.shadowing import shadow_report
from fraud.app.trying import COMPARE, compare_again, comparison_of, propose_policy, proposed_pack
from fraud.cases.precision import RulePrecision, rule_precision
from fraud.domain.actors import Role
from fraud.domain.catalogue import CHECKS
from fraud.domain.decisions import DecisionKind
from fraud.domain.jobs import Job
from fraud.domain.policies import PolicyState, PublishedPolicy
from fraud.errors import InputError, NotFound
from fraud.policy.differences import changes_between
from fraud.policy.loading import load_pack
from fraud.policy.pack import Pack
from fraud.web.forms import Posted
from fraud.web.paging import Paging, asked_page
from fraud.web.rendering import page
from fraud.web.routing import Route, routes
from fraud.web.visits import Door, Visit
from fraud.workflows.comparing import PolicyDiff

REVIEWS_COUNTED = 5_000
"""Newest reviews that precision is counted from."""
_PUBLISHED = 20
_NO_PACK = "Choose a policy pack: a YAML file, such as a copy of the default pack with your changes."


class Counted:
    """How often each reason was right, counted again only when somebody has reviewed something since."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, list[RulePrecision]]] = {}

    def of(self, app: App, program_id: str) -> list[RulePrecision]:
        """The precision of every reason that the newest reviews know."""
        newest = next((one.review_id for one in app.stores.reviews.recent(program_id, 1)), "")
        known, counted = self._kept.get(program_id, (None, []))
        if known != newest:
            counted = rule_precision(app.stores.reviews.recent(program_id, REVIEWS_COUNTED))
            self._kept[program_id] = (newest, counted)
        return counted


@dataclass(frozen=True)
class Governing:
    """The pages of the policy."""

    door: Door
    counted: Counted

    def routes(self) -> list[Route]:
        """Where they stand."""
        return routes(
            (
                ("/policy", self.policy),
                ("/policy/checks/{check_id}", self.check),
                ("/policy/proposals/{job_id}", self.proposal),
            ),
            (
                ("/policy/proposals", self.propose),
                ("/policy/proposals/{job_id}/publish", self.publish),
                ("/policy/proposals/{job_id}/again", self.compare_again),
                ("/policy/shadow/end", self.end_shadow),
            ),
        )

    def policy(self, request: Request) -> Response:
        """The live pack in words, what was live before, and how often each reason was right."""
        return self._policy(self.door.enter(request), asked_page(request), done=request.query_params.get("done", ""))

    def check(self, request: Request, check_id: str) -> Response:
        """One check: what it looks for, and every threshold of the live pack with its reason and source."""
        visit = self.door.enter(request)
        if check_id not in CHECKS:
            raise NotFound(f"There is no check {check_id[:80]!r}.")
        pack = live_pack(self.door.app, visit.program_id)
        context = {"title": CHECKS[check_id].title, "spec": CHECKS[check_id], "treated": pack.checks.get(check_id), "pack": pack}
        return page("check.html", visit, context)

    def propose(self, request: Request, sent: Posted) -> Response:
        """Takes a pack, proves that it holds together, and starts comparing it with what is live."""
        visit = self.door.enter_to_act(request, sent)
        upload = sent.files.get("pack")
        if upload is None:
            return self._policy(visit, refusal=_NO_PACK, status=422)
        try:
            job = propose_policy(self.door.app, visit.program_id, visit.actor, upload)
        except InputError as fault:
            return self._policy(visit, refusal=fault.message, status=fault.status)
        return RedirectResponse(visit.address(f"/policy/proposals/{job.job_id}"), status_code=303)

    def proposal(self, request: Request, job_id: str) -> Response:
        """What a proposed pack changes, and the form to publish it."""
        visit = self.door.enter(request)
        return self._proposal(visit, self._job(visit, job_id))

    def publish(self, request: Request, job_id: str, sent: Posted) -> Response:
        """Makes a proposed pack live."""
        visit = self.door.enter_to_act(request, sent, Role.ADMIN)
        job = self._job(visit, job_id)
        try:
            state = PolicyState.SHADOW if sent.text("state") == PolicyState.SHADOW else PolicyState.LIVE
            publish_policy(self.door.app, visit.program_id, job.payload["pack"], state, (visit.actor, sent.text("reason")))
        except InputError as fault:
            return self._proposal(visit, job, refusal=fault.message, status=fault.status)
        return RedirectResponse(visit.address("/policy", done="published" if state is PolicyState.LIVE else "shadowed"), status_code=303)

    def compare_again(self, request: Request, job_id: str, sent: Posted) -> Response:
        """Decides the last 30 days again under a pack that was proposed before: what a pack in shadow would have done meanwhile."""
        visit = self.door.enter_to_act(request, sent)
        job = compare_again(self.door.app, self._job(visit, job_id), visit.actor)
        return RedirectResponse(visit.address(f"/policy/proposals/{job.job_id}"), status_code=303)

    def end_shadow(self, request: Request, sent: Posted) -> Response:
        """Ends the run of a pack in shadow; what is live stays live."""
        visit, app = self.door.enter_to_act(request, sent, Role.ADMIN), self.door.app
        if app.stores.policies.retire(visit.program_id, PolicyState.SHADOW, app.clock.now()):
            app.stores.audit.record(visit.actor, visit.program_id, "policy.shadow_ended", "", app.clock.now(), {})
        return RedirectResponse(visit.address("/policy", done="shadow_ended"), status_code=303)

    def _policy(self, visit: Visit, number: int = 1, *, status: int = 200, **told: str) -> Response:
        app = self.door.app
        pack = live_pack(app, visit.program_id)
        history = app.stores.policies.history(visit.program_id)
        paging = Paging(number, len(history), _PUBLISHED)
        context = {
            "title": "Policy",
            "pack": pack,
            "jobs": {
                kind: [spec for spec in CHECKS.values() if spec.kind is kind and spec.check_id in pack.checks] for kind in DecisionKind
            },
            "history": history[paging.offset : paging.offset + _PUBLISHED],
            "paging": paging,
            "query": {},
            "shadow": shadow_of(app, visit.program_id),
            "precision": self.counted.of(app, visit.program_id),
            "refusal": "",
            "done": "",
        }
        return page("policy.html", visit, context | told, status)

    def _proposal(self, visit: Visit, job: Job, *, status: int = 200, refusal: str = "") -> Response:
        pack, live = proposed_pack(job), live_pack(self.door.app, visit.program_id)
        context = {
            "title": f"Proposed: {pack.title}",
            "job": job,
            "pack": pack,
            "live": live,
            "changes": changes_between(live, pack),
            "diff": comparison_of(job),
            "refusal": refusal,
        }
        return page("proposal.html", visit, context, status)

    def _job(self, visit: Visit, job_id: str) -> Job:
        job = self.door.app.stores.jobs.get(visit.program_id, job_id)
        if job.kind != COMPARE:
            raise NotFound(f"There is no proposal {job_id[:60]!r}.")
        return job


@dataclass(frozen=True)
class Shadow:
    """A pack that runs in shadow, the newest comparison of it with what is live, if there is one, and what it has said since it runs."""

    published: PublishedPolicy
    job: Job | None
    diff: PolicyDiff | None
    recorded: PolicyDiff | None


def shadow_of(app: App, program_id: str) -> Shadow | None:
    """What runs in shadow beside the live pack; `None` when nothing does."""
    published = app.stores.policies.current(program_id, PolicyState.SHADOW)
    if published is None:
        return None
    job = app.stores.jobs.newest(program_id, COMPARE, "hash", published.policy.hash)
    report = shadow_report(app, program_id)
    return Shadow(published, job, comparison_of(job) if job else None, report.diff if report and report.diff.decisions else None)


def live_pack(app: App, program_id: str) -> Pack:
    """The pack that decides in a program now; the shipped one is read once."""
    live = app.stores.policies.current(program_id, PolicyState.LIVE)
    profile = app.profile(program_id) if live is None else None
    if live is None and not (profile and profile.policy):
        return _shipped()
    return app.pack_for(program_id)


@functools.cache
def _shipped() -> Pack:
    return load_pack("")
