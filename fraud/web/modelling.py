"""Models: what orders the list and how well, what it was before, and the way forward and back, each with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from fraud.app.baselines import accept_baseline, baseline_before, kept_baselines, roll_back_baseline
from fraud.app.models import KeptModel, every_model, list_models, promote, ranker_record, roll_back
from fraud.app.watching import score_drift
from fraud.errors import FraudError, InputError
from fraud.web.forms import Posted, Sent
from fraud.web.looking import Looks
from fraud.web.paging import Paging, asked_page
from fraud.web.rendering import page
from fraud.web.routing import Route, routes
from fraud.web.settling import page_of
from fraud.web.shelf import Shelf
from fraud.web.visits import Door, Visit

_MODELS = 25
_RANKERS = 10
_STEPS = 10
KINDS: Mapping[str, str] = {
    "ranker": "Order of the list",
    "baseline": "What is usual",
    "traffic": "One night, judged",
    "clicks": "Single clicks",
    "plausibility": "Social profiles",
}
"""What each kind of model is for, by the first part of its name."""
_NO_REASON = "Say why, in a few words: it stands in the record for whoever asks later."


@dataclass(frozen=True)
class Modelling:
    """The page of models."""

    door: Door
    shelf: Shelf
    looks: Looks

    def routes(self) -> list[Route]:
        """Where they stand."""
        return routes(
            (("/models", self.models),),
            (
                ("/models/roll-back", self.roll_back),
                ("/models/baseline/accept", self.accept),
                ("/models/baseline/roll-back", self.roll_back_baseline),
                ("/models/{model_id}/promote", self.promote),
            ),
        )

    def models(self, request: Request) -> Response:
        """What orders the list, what could, how scores have moved, and every model that is kept."""
        visit = self.door.enter(request)
        return self._models(visit, request, done=request.query_params.get("done", ""))

    def promote(self, request: Request, model_id: str, sent: Posted) -> Response:
        """Lets a ranker order the list from the next scan on; a step back undoes it."""
        return self._done(
            request, sent, "promoted", lambda visit, why: promote(self.door.app, visit.program_id, model_id, visit.actor, why)
        )

    def roll_back(self, request: Request, sent: Posted) -> Response:
        """Lets the ranker before order the list again."""
        return self._done(request, sent, "rolled_back", lambda visit, why: roll_back(self.door.app, visit.program_id, visit.actor, why))

    def accept(self, request: Request, sent: Posted) -> Response:
        """Lets the baseline that waits judge from the next scan on; a step back undoes it."""
        named = sent.text("model")
        return self._done(
            request, sent, "accepted", lambda visit, why: accept_baseline(self.door.app, visit.program_id, why, visit.actor, named)
        )

    def roll_back_baseline(self, request: Request, sent: Posted) -> Response:
        """Lets the baseline before judge again."""
        return self._done(
            request, sent, "baseline_back", lambda visit, why: roll_back_baseline(self.door.app, visit.program_id, why, visit.actor)
        )

    def _done(self, request: Request, sent: Sent, done: str, act: Callable[[Visit, str], object]) -> Response:
        """Takes a step for a reason, and says so or why not on the page."""
        visit = self.door.enter_to_act(request, sent)
        try:
            act(visit, _reason(sent))
        except FraudError as fault:
            return self._models(visit, request, refusal=fault.message, status=fault.status)
        return RedirectResponse(visit.address("/models", done=done), status_code=303)

    def _models(self, visit: Visit, request: Request, *, status: int = 200, **told: str) -> Response:
        app, program_id = self.door.app, visit.program_id
        record = ranker_record(app, program_id)
        rankers, ranker_paging = page_of(list_models(app, program_id), asked_page(request, "rankers"), _RANKERS)
        number, kept = asked_page(request), kept_baselines(app, program_id)
        shown, total = every_model(app, program_id, _MODELS, (number - 1) * _MODELS)
        serving = next((one for one in kept if one.state == "in_force"), None)
        context = {
            "title": "Models",
            "record": record,
            "steps": record.steps[:_STEPS],
            "rankers": rankers,
            "ranker_paging": ranker_paging,
            "models": shown,
            "paging": Paging(number, total, _MODELS),
            "kind_of": kind_of,
            "made_at": datetime.fromisoformat,
            "drift": self._drift(program_id),
            "serving": serving,
            "held": next((one for one in kept if one.state == "held"), None),
            "baseline_before": baseline_before(app, serving),
            "latest": self.shelf.latest(program_id),
            "query": {},
            "refusal": "",
            "done": "",
        }
        return page("models.html", visit, context | told, status)

    def _drift(self, program_id: str) -> tuple[float | None] | None:
        """How far click scores moved, in a tuple of one; `None` while it is being counted, at most once an hour."""
        app, hour = self.door.app, self.door.clock.now().strftime("%Y-%m-%dT%H")
        return self.looks.get(("score drift", program_id, hour), lambda: (score_drift(app, program_id),))


def kind_of(model: KeptModel) -> str:
    """What a model is for."""
    name = model.name.replace("-", "_").partition("_")[0]
    return KINDS.get(name, name)


def _reason(sent: Sent) -> str:
    reason = sent.text("reason")
    if not reason:
        raise InputError(_NO_REASON)
    return reason
