"""`GET /v1/postback`: the scoring routes for trackers that can only call an address with macros in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import QueryParams

from fraud.api.bodies import answer, invalid
from fraud.api.clicks import ClickIn, click_of, field_fault
from fraud.api.conversions import ConversionIn, conversion_of
from fraud.api.openapi import columns_asked, responds, text
from fraud.api.problems import request_id_of
from fraud.api.scoring import EventLanes
from fraud.api.security import Gate, program_of, told_to
from fraud.api.services import ApiServices
from fraud.domain.actors import Role
from fraud.domain.crosswalk import Dialect, in_words_of
from fraud.domain.decisions import Outcome
from fraud.domain.ids import stable_id
from fraud.workflows.converting import ConversionAnswer
from fraud.workflows.scoring import ClickAnswer

_T = TypeVar("_T")

EventType = Annotated[Literal["click", "conversion"], Query(description="What is reported.")]
Key = Annotated[str, Query(description="The key, for trackers that cannot send headers.", max_length=500)]
Format = Annotated[Literal["json", "text"], Query(description="`text` answers 0 when it is blocked, else 1.")]
Codes = Annotated[Dialect | None, Query(description="Adds the reasons in another product's words.")]

_UNFILLED = re.compile(r"\{[^{}]*\}|\{\{[^{}]*\}\}|\$\{[^{}]*\}|\[[^\[\]]*\]|#[^#]+#|%[a-z_]+%", re.IGNORECASE)
"""How macros look that a tracker had nothing to put into: such a parameter is unknown."""

_OURS = frozenset({"type", "key", "fmt", "codes"})

_ANSWERS = responds("ClickAnswer", "ConversionAnswer")
_ANSWERS["responses"]["200"]["content"] |= text("text/plain")


def postback_routes(services: ApiServices, gate: Gate, lanes: EventLanes) -> APIRouter:
    """`GET /v1/postback`."""
    router = APIRouter(prefix="/v1", tags=["scoring"])

    def now() -> str:
        return services.clock.now().isoformat()

    async def scored_click(columns: dict[str, str], program: str, request_id: str) -> ClickAnswer | ConversionAnswer:
        return await lanes.click(click_of(_typed({"clicked_at": now()} | columns, ClickIn), program), request_id)

    async def scored_conversion(columns: dict[str, str], program: str, request_id: str) -> ClickAnswer | ConversionAnswer:
        named = {"converted_at": now(), "conversion_id": conversion_id_of(columns)} | columns
        return await lanes.conversion(conversion_of(_typed(named, ConversionIn), program, services.personal), request_id)

    @router.get("/postback", openapi_extra=_ANSWERS | columns_asked(ClickIn, ConversionIn))
    async def postback(
        request: Request,
        type: EventType = "click",  # noqa: A002 - the parameter's name in the contract
        key: Key = "",
        fmt: Format = "json",
        codes: Codes = None,
    ) -> Response:
        """Scores one click or conversion whose columns are the address's parameters, under the names of the tables.

        An empty parameter or a macro left unfilled is unknown. Without a time the event happens now; a conversion without an id of its own
        is named after its order, else after its click and goal, so that a repeated postback counts once.
        """
        actor = await gate.admit(request, Role.SCORE, key)
        columns = filled(request.query_params)
        score = scored_click if type == "click" else scored_conversion
        given = told_to(actor, await score(columns, program_of(actor, columns.get("program_id")), request_id_of(request)))
        return text_of(given) if fmt == "text" else answer(with_codes(given, codes))

    return router


def filled(parameters: QueryParams | Mapping[str, str]) -> dict[str, str]:
    """The parameters that say something; the last one counts when a name comes twice."""
    return {
        name: value for name, value in parameters.items() if name not in _OURS and value.strip() and not _UNFILLED.fullmatch(value.strip())
    }


def conversion_id_of(columns: Mapping[str, str]) -> str:
    """A name for a conversion that came without one; raises `InvalidFields` when nothing tells it from others."""
    if "conversion_id" in columns:
        return columns["conversion_id"]
    if order := columns.get("order_id"):
        return stable_id("postback", columns.get("affiliate_id", ""), order, columns.get("goal", ""))
    if click := columns.get("click_id"):
        return stable_id("postback", columns.get("affiliate_id", ""), click, columns.get("goal", ""))
    raise field_fault("conversion_id", "One of conversion_id, order_id or click_id is required")


def text_of(given: ClickAnswer | ConversionAnswer) -> Response:
    """`0` when it is blocked, `1` otherwise."""
    return Response("0" if given.decision is Outcome.BLOCK else "1", media_type="text/plain")


def with_codes(given: ClickAnswer | ConversionAnswer, dialect: Dialect | None) -> Any:
    """The answer, with `partner_codes` when another product's words are asked for."""
    if dialect is None:
        return given
    return msgspec.to_builtins(given) | {"partner_codes": in_words_of(dialect, (reason.code for reason in given.reasons))}


def _typed(columns: Mapping[str, str], kind: type[_T]) -> _T:
    """The texts of an address as the type that a body would have."""
    try:
        return msgspec.convert(columns, kind, strict=False)
    except msgspec.ValidationError as fault:
        raise invalid(str(fault)) from fault
