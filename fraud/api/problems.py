"""Errors as RFC 9457 `application/problem+json`, each with a stable `code`; nothing of the inside reaches the client."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from fraud.errors import FraudError, InputError, ModelError, PolicyError, StorageError, TooMany

_log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "body_too_large",
    415: "unsupported_media_type",
}


RETRY_AFTER_SECONDS = 2
"""What a 503 answers in `Retry-After`: queues drain and stores come back within seconds or not soon."""

_GENERAL: dict[type[FraudError], str] = {
    StorageError: "What is asked for cannot be read or kept at the moment; try again in a few seconds.",
    ModelError: "The model cannot be used at the moment; try again in a few seconds.",
    PolicyError: "The program's policy cannot be used at the moment; its operator finds the reason in the log.",
    FraudError: "Something went wrong on our side; it was logged under this request_id.",
}
"""What a client is told of failures that are ours, the nearest class first. Their own messages name hosts, files and tables."""


class FieldFault(msgspec.Struct, frozen=True):
    """One field that cannot be used: where it stands in the body or the address, and what is expected there."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error (RFC 9457). `code` is stable and for programs, `detail` is one sentence for people."""

    title: str
    status: int
    detail: str
    code: str
    request_id: str
    type: str = "about:blank"
    errors: tuple[FieldFault, ...] = ()


class BodyTooLarge(InputError):
    """The body, or the number of things in it, is larger than is read at once."""

    code = "body_too_large"
    status = 413


class InvalidFields(InputError):
    """Fields of the body or the address cannot be understood."""

    def __init__(self, message: str, faults: tuple[FieldFault, ...]) -> None:
        super().__init__(message)
        self.faults = faults


class IdempotencyKeyReused(InputError):
    """An `Idempotency-Key` came again with another body."""

    code = "idempotency_key_reused"
    status = 409


def install(app: FastAPI) -> None:
    """Makes every error of the application a problem document."""
    app.add_exception_handler(FraudError, _fraud_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(ClientDisconnect, _disconnected)
    app.add_exception_handler(Exception, _unexpected)


def request_id_of(request: Request) -> str:
    """The id of this request, as its answer's `X-Request-ID` gives it."""
    return str(request.scope.get("state", {}).get("request_id", ""))


def route_of(scope: Scope) -> str:
    """The template of a request's path: ids, and what is signed, are no part of logs and figures."""
    return str(getattr(scope.get("route"), "path", "(none)"))


def _response(request: Request, problem: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    status = int(problem["status"])
    body = Problem(title=HTTPStatus(status).phrase, request_id=request_id_of(request), **problem)
    content = b"" if request.method == "HEAD" else msgspec.json.encode(_with_type(body))
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _with_type(problem: Problem) -> dict[str, Any]:
    return {"type": problem.type, **msgspec.to_builtins(problem)}


async def _fraud_error(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, FraudError)
    if fault.status >= HTTPStatus.INTERNAL_SERVER_ERROR or isinstance(fault, PolicyError):
        return _failure_of_ours(request, fault)
    problem: dict[str, Any] = {"status": fault.status, "code": fault.code, "detail": fault.message}
    if isinstance(fault, InvalidFields):
        problem["errors"] = fault.faults
    return _response(request, problem, _headers_of(fault))


def _headers_of(fault: FraudError) -> dict[str, str] | None:
    if isinstance(fault, TooMany):
        return {"Retry-After": str(max(math.ceil(fault.wait_seconds), 1))}
    return {"WWW-Authenticate": "Bearer"} if fault.status == HTTPStatus.UNAUTHORIZED else None


def _failure_of_ours(request: Request, fault: FraudError) -> Response:
    """The log keeps what happened, the client hears that something did. No body names a policy, so one that is unfit is ours too."""
    _log.error("request_failed", route=route_of(request.scope), request_id=request_id_of(request), detail=fault.message)
    status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(fault, PolicyError) else HTTPStatus(fault.status)
    detail = next(_GENERAL[kind] for kind in type(fault).__mro__ if kind in _GENERAL)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return _response(request, {"status": int(status), "code": fault.code, "detail": detail}, headers)


async def _http_error(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    details = {
        404: f"There is nothing at {request.url.path}.",
        405: f"{request.url.path} does not answer to {request.method}.",
    }
    detail = details.get(fault.status_code, str(fault.detail))
    code = _CODES.get(fault.status_code, f"http_{fault.status_code}")
    return _response(request, {"status": fault.status_code, "code": code, "detail": detail}, dict(fault.headers or {}))


async def _validation_error(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)
    faults = tuple(FieldFault(".".join(str(part) for part in error["loc"][1:]), str(error["msg"])) for error in fault.errors())
    detail = f"{faults[0].field}: {faults[0].message}." if faults else "The request cannot be understood."
    return _response(request, {"status": 422, "code": InputError.code, "detail": detail, "errors": faults})


async def _disconnected(request: Request, fault: Exception) -> Response:
    """Nobody is left to read this; it only keeps a hang-up from being logged as a failure of ours."""
    return _response(request, {"status": 400, "code": "client_disconnected", "detail": "The client went away."})


async def _unexpected(request: Request, fault: Exception) -> Response:
    _log.error("request_broke", route=route_of(request.scope), request_id=request_id_of(request), exc_info=fault)
    detail = "Something went wrong on our side; it was logged under this request_id."
    return _response(request, {"status": 500, "code": FraudError.code, "detail": detail}, {"X-Request-ID": request_id_of(request)})
