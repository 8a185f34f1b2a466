"""The landing pages' tag: its script, and the collector of what it reports.

Both are for anybody: pages of merchants load the script, their visitors' browsers report. No answer of the collector says anything of what
is known here, and no page can read it: it sends no CORS headers, and a report in plain text needs none.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from fraud.api.bodies import decoded, read_body
from fraud.api.openapi import json_body, refused_with, text
from fraud.api.security import RATE_HEADERS, rate_headers
from fraud.api.services import ApiServices
from fraud.domain.events import Visit
from fraud.errors import NotFound, TooMany
from fraud.features.identities import places_of

MOST_BYTES = 4 * 1024
"""The largest report that is read: the tag's own have about 500 bytes, and a click's name may be long."""

HOUR, YEAR = 3_600, 31_536_000
NO_CONTENT, NOT_MODIFIED = 204, 304
_FOR_EVERY_PAGE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "X-Content-Type-Options": "nosniff"}

Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Pixels = Annotated[int, msgspec.Meta(ge=0, le=2**20)]
Times = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class VisitIn(msgspec.Struct, frozen=True, kw_only=True):
    """A report of the tag. An absent field and `null` mean unknown; fields that are not listed are ignored."""

    visit_id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    click_id: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    final: bool | None = None
    webdriver: bool | None = None
    framed: bool | None = None
    viewport_width: Pixels | None = None
    viewport_height: Pixels | None = None
    screen_width: Pixels | None = None
    screen_height: Pixels | None = None
    elapsed_ms: Milliseconds | None = None
    visible_ms: Milliseconds | None = None
    response_ms: Milliseconds | None = None
    interactive_ms: Milliseconds | None = None
    first_input_ms: Milliseconds | None = None
    pointer_moves: Times | None = None
    other_inputs: Times | None = None


VISIT_EXAMPLE: dict[str, Any] = {
    "visit_id": "5f0c6b1de4a94d6f8a51b0f3c2e7d990",
    "click_id": "c-1029",
    "final": True,
    "webdriver": False,
    "framed": False,
    "viewport_width": 390,
    "viewport_height": 844,
    "screen_width": 390,
    "screen_height": 844,
    "elapsed_ms": 41250,
    "visible_ms": 40100,
    "response_ms": 180,
    "interactive_ms": 640,
    "first_input_ms": 2310,
    "pointer_moves": 0,
    "other_inputs": 14,
}

_DECODER = msgspec.json.Decoder(VisitIn)


@cache
def script() -> tuple[bytes, str]:
    """The tag, and the SHA-256 of it in hex: its version in an address that may be kept for ever."""
    source = files("fraud.api").joinpath("tag.js").read_bytes()
    return source, hashlib.sha256(source).hexdigest()


def tag_routes(services: ApiServices) -> APIRouter:
    """`GET /tag.js` and `POST /v1/tag/{tag_id}`."""
    router = APIRouter(tags=["tag"])

    @router.get(
        "/tag.js", responses={200: {"description": "The script", "content": text("text/javascript")}, 304: {"description": "As it was"}}
    )
    async def tag(request: Request, v: str = "") -> Response:
        """The tag for landing pages. With its own SHA-256 as `v` it may be kept for a year, else it is asked for again after an hour."""
        source, version = script()
        kept = f"public, max-age={YEAR}, immutable" if v == version else f"public, max-age={HOUR}, stale-while-revalidate={HOUR}"
        headers = {**_FOR_EVERY_PAGE, "Cache-Control": kept, "ETag": f'"{version}"'}
        if f'"{version}"' in request.headers.get("if-none-match", ""):
            return Response(status_code=NOT_MODIFIED, headers=headers)
        return Response(source, media_type="text/javascript", headers=headers)

    @router.post(
        "/v1/tag/{tag_id}",
        status_code=NO_CONTENT,
        openapi_extra=json_body("VisitIn", VISIT_EXAMPLE),
        responses={204: {"description": "Read"}, **refused_with(404, 413, 422, 429)},
    )
    async def report(request: Request, tag_id: str) -> Response:
        """Takes a report of the tag, as JSON under any media type: browsers send it as plain text. The answer only says that it was read.

        A report is what a browser says of itself: evidence, never proof.
        """
        await _count(request, services)
        program_id = services.tag.program_of(tag_id)
        if program_id is None:
            raise NotFound("There is no such tag; `fraud tag` prints a program's own.")
        services.tag.take(_visit(decoded(await read_body(request, MOST_BYTES), _DECODER.decode), program_id, services))
        return Response(status_code=NO_CONTENT, headers={"Cross-Origin-Resource-Policy": "cross-origin"})

    return router


def _visit(sent: VisitIn, program_id: str, services: ApiServices) -> Visit:
    return Visit(seen_at=services.clock.now(), program_id=program_id, **msgspec.structs.asdict(sent))


async def _count(request: Request, services: ApiServices) -> None:
    """Counts a report of an address (of its /64, where it is IPv6); raises `TooMany` when there are more than one household sends."""
    limiter, limit = services.limits.limiter, services.tag.limit
    if limiter is None or not limit.rate:
        return
    name = f"tag {places_of(request.client.host if request.client else None)[0]}"
    stands = await run_in_threadpool(limiter.take, name, limit) if limiter.shared else limiter.take(name, limit)
    request.scope.setdefault("state", {})[RATE_HEADERS] = rate_headers(limit, stands)
    if not stands.allowed:
        raise TooMany("Too many reports came from this address.", stands.wait_seconds)
