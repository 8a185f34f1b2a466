"""What guards every page: security headers, errors shown as pages, and forms accepted only from our own pages."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.types import Message

from fraud.errors import FraudError, Unauthorised
from fraud.web.forms import LARGEST_FORM
from fraud.web.rendering import error_page
from fraud.web.visits import login_address

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # `no-referrer` would make browsers send `Origin: null` with our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


TOO_LARGE = "What was sent is larger than this page takes. Send less, or sign in before you send files."


class PageRoute(APIRoute):
    """A route whose answers carry the headers and whose known errors are pages; what is not known stays visible as a failure.

    A form is read before anybody looks who sent it, and files go to the disk: so no more is read than `largest` says (bytes).
    """

    @staticmethod
    def largest(request: Request) -> int:
        """The largest form that is read from whoever asks."""
        return LARGEST_FORM

    def get_route_handler(self) -> _Handler:
        """The route's handler, guarded."""
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                response = await handler(request if request.method in {"GET", "HEAD"} else bounded(request, self.largest(request)))
            except (FraudError, AnyHTTPException, RequestValidationError) as fault:
                response = answer_to(request, fault)
            return with_headers(response)

        return guarded


def page_route(largest: Callable[[Request], int]) -> type[PageRoute]:
    """`PageRoute` with a `largest` of its own."""
    return type("BoundedPageRoute", (PageRoute,), {"largest": staticmethod(largest)})


def bounded(request: Request, most: int) -> Request:
    """The request, with a body of at most `most` bytes: a 413 as soon as it is known to have more."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > most:
        raise HTTPException(413, TOO_LARGE)
    left = most

    async def receive() -> Message:
        nonlocal left
        message = await request.receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, TOO_LARGE)
        return message

    return Request(request.scope, receive)


def answer_to(request: Request, fault: FraudError | AnyHTTPException | RequestValidationError) -> Response:
    """The page for an error; somebody who is not signed in is sent to sign in."""
    if isinstance(fault, Unauthorised):
        return RedirectResponse(login_address(request), status_code=303)
    if isinstance(fault, FraudError):
        return error_page(fault.status, fault.message)
    if isinstance(fault, RequestValidationError):
        return error_page(422, "The address or the form holds something that cannot be read. Go back and try again.")
    return error_page(fault.status_code, str(fault.detail))


def with_headers(response: Response) -> Response:
    """Adds the security headers; pages are never stored by browsers or proxies unless they say otherwise."""
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response
