"""Signing in with a key or a ticket, and signing out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse

from fraud.domain.actors import Actor, ActorKind
from fraud.domain.limits import Limit
from fraud.errors import Forbidden
from fraud.web.forms import require_own_form
from fraud.web.rendering import outside_page
from fraud.web.routing import Route, routes
from fraud.web.sessions import SESSION_LASTS
from fraud.web.visits import COOKIE, Door, live_actor, require_reviewer, safe_next

WRONG_KEY = "We do not know this key. Check that you pasted all of it; an administrator can make a new one."
OLD_TICKET = "This link has ended or was cut short. Ask for a new one, or sign in with a key."
WRONG_KEYS = Limit(rate=1 / 30, burst=10)
"""Wrong keys that one address may try: ten, and then one every half minute. A right one costs nothing."""

_LONGEST_KEY = 512
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SigningIn:
    """The pages before the door."""

    door: Door

    def routes(self) -> list[Route]:
        """Where they stand."""
        return routes(
            (("/login", self.form),),
            (
                ("/login", self.sign_in),
                ("/logout", self.sign_out),
            ),
        )

    def form(self, request: Request, ticket: str = "", next: str = "/") -> Response:  # noqa: A002 - the name in the address
        """`GET /login`: the form, or, with a ticket, the way in."""
        if ticket:
            return self._with_ticket(request, ticket)
        return _login_page(safe_next(next), "")

    def sign_in(self, request: Request, key: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/") -> Response:  # noqa: A002
        """`POST /login`: a key for a session. Every key is looked up the same way, so a wrong one takes as long as a right one."""
        require_own_form(request)
        address = request.client.host if request.client else ""
        stands = self.door.app.limiter.take(_bucket(address), WRONG_KEYS, cost=0)
        if not stands.allowed:
            return self._shut_out(safe_next(next), stands.wait_seconds)
        actor = self.door.app.stores.actors.authenticate(key.strip()[:_LONGEST_KEY])
        if actor is None:
            self.door.app.limiter.take(_bucket(address), WRONG_KEYS)
            _log.warning("sign_in_refused", address=address)
            return _login_page(safe_next(next), WRONG_KEY, status=401)
        try:
            require_reviewer(actor)
        except Forbidden as fault:
            return _login_page(safe_next(next), fault.message, status=403)
        return self._remember(request, RedirectResponse(safe_next(next), status_code=303), actor)

    def sign_out(self, request: Request) -> Response:
        """`POST /logout`: forgets the session."""
        require_own_form(request)
        response = RedirectResponse("/login", status_code=303)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=request.url.scheme == "https")
        return response

    def _shut_out(self, back: str, wait_seconds: float) -> Response:
        response = _login_page(
            back, f"Too many wrong keys came from here. Wait {math.ceil(wait_seconds)} seconds and try again.", status=429
        )
        response.headers["Retry-After"] = str(math.ceil(wait_seconds))
        return response

    def _with_ticket(self, request: Request, ticket: str) -> Response:
        claimed = self.door.sessions.read_ticket(ticket, self.door.clock.now())
        actor = live_actor(self.door.app.stores.actors, claimed) if claimed else None
        if actor is None:
            return _login_page("/", OLD_TICKET, status=401)
        require_reviewer(actor)
        # A redirect that began on another site would not carry the SameSite=Strict cookie; a step of our own page does.
        return self._remember(request, outside_page("signed_in.html", {"title": "Signed in"}), actor)

    def _remember(self, request: Request, response: Response, actor: Actor) -> Response:
        now = self.door.clock.now()
        if actor.kind is ActorKind.KEY:
            self.door.app.stores.audit.record(
                actor, actor.programs[0] if len(actor.programs) == 1 else "*", "session.opened", actor.actor_id, now, {}
            )
        response.set_cookie(
            COOKIE,
            self.door.sessions.issue(actor, now),
            max_age=int(SESSION_LASTS.total_seconds()),
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response


def _bucket(address: str) -> str:
    return f"sign-in {address}"


def _login_page(back: str, message: str, status: int = 200) -> Response:
    return outside_page("login.html", {"title": "Sign in", "next": back, "message": message}, status)
