"""Settings: who holds keys, who is told, what is pulled, what runs, and who changed what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from fraud.app.parts import App
from fraud.app.pulling import FEEDS_FILE, feeds_of, pulled_at
from fraud.domain.actors import Actor, Role
from fraud.domain.feeds import Feed
from fraud.errors import FraudError, InputError
from fraud.web.forms import Posted
from fraud.web.paging import PAGE_SIZE, Paging, asked_page
from fraud.web.rendering import page
from fraud.web.routing import Route, routes
from fraud.web.visits import Door, Visit

_READ = 10_000
"""Rows of a log that pages turn through; the download has all of them."""
TABS = {
    "keys": "People and keys",
    "deliveries": "Sinks and deliveries",
    "feeds": "Feeds",
    "jobs": "Jobs",
    "audit": "Who changed what",
}

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Standing:
    """One feed, when it was last pulled to its end, and when it is due again."""

    feed: Feed
    pulled_at: datetime | None

    @property
    def due_at(self) -> datetime | None:
        """When it is due; `None` for one that was never pulled, which is due now."""
        return self.pulled_at + self.feed.every if self.pulled_at else None


@dataclass(frozen=True)
class Settling:
    """The pages of settings."""

    door: Door

    def routes(self) -> list[Route]:
        """Where they stand."""
        return routes(
            (
                ("/settings", self.settings),
                ("/settings/{tab}", self.settings),
            ),
            (
                ("/settings/keys", self.create_key),
                ("/settings/keys/{actor_id}/revoke", self.revoke_key),
                ("/settings/sinks/{sink}/revive", self.revive),
            ),
        )

    def settings(self, request: Request, tab: str = "keys") -> Response:
        """One part of the settings; the first for a part that is none."""
        visit = self.door.enter(request)
        return self._settings(visit, tab if tab in TABS else "keys", asked_page(request), done=request.query_params.get("done", ""))

    def create_key(self, request: Request, sent: Posted) -> Response:
        """Makes a key of this program and shows its secret, this once."""
        visit, app = self.door.enter_to_act(request, sent, Role.ADMIN), self.door.app
        name, role = sent.text("name"), sent.text("role")
        if not name or role not in set(Role):
            return self._settings(visit, "keys", 1, refusal="Give the key a name and a role.", status=422)
        now = app.clock.now()
        actor, secret = app.stores.actors.create_key(name, Role(role), (visit.program_id,), now)
        app.stores.audit.record(visit.actor, visit.program_id, "key.created", actor.actor_id, now, {"name": name, "role": role})
        return self._settings(visit, "keys", 1, secret=secret)

    def revoke_key(self, request: Request, actor_id: str, sent: Posted) -> Response:
        """Ends a key; it cannot be undone, so it takes a reason. Nobody revokes the key they are signed in with."""
        visit, app = self.door.enter_to_act(request, sent, Role.ADMIN), self.door.app
        try:
            _may_revoke(visit, keys_of(app, visit), actor_id, sent.text("reason"))
        except InputError as fault:
            return self._settings(visit, "keys", 1, refusal=fault.message, status=fault.status)
        now = app.clock.now()
        app.stores.actors.revoke(actor_id, now)
        app.stores.audit.record(visit.actor, visit.program_id, "key.revoked", actor_id, now, {"reason": sent.text("reason")})
        return RedirectResponse(visit.address("/settings/keys", done="revoked"), status_code=303)

    def revive(self, request: Request, sink: str, sent: Posted) -> Response:
        """Tries a sink's dead deliveries again."""
        visit, app = self.door.enter_to_act(request, sent, Role.ADMIN), self.door.app
        revived = app.stores.outbox.revive(visit.program_id, sink, app.clock.now())
        app.stores.audit.record(visit.actor, visit.program_id, "deliveries.revived", sink, app.clock.now(), {"deliveries": revived})
        return RedirectResponse(visit.address("/settings/deliveries", done="revived"), status_code=303)

    def _settings(self, visit: Visit, tab: str, number: int, *, status: int = 200, **told: str) -> Response:
        context: dict[str, Any] = {"title": TABS[tab], "tab": tab, "tabs": TABS, "query": {}, "done": "", "refusal": "", "secret": ""}
        shown = _PARTS[tab](self.door.app, visit, number)
        return page("settings.html", visit, context | shown | told, status)


def keys_of(app: App, visit: Visit) -> list[Actor]:
    """The living keys that open this program."""
    living = app.stores.actors.keys()
    return [one for one in living if one.may_enter(visit.program_id)]


def _may_revoke(visit: Visit, living: Sequence[Actor], actor_id: str, reason: str) -> None:
    if actor_id == visit.actor.actor_id:
        raise InputError("This is the key you are signed in with; sign in with another one to revoke it.")
    found = next((one for one in living if one.actor_id == actor_id), None)
    if found is None or found.programs != (visit.program_id,):
        raise InputError("This key is not one of this program alone; revoke it where it belongs.")
    if not reason:
        raise InputError("Say why, in a few words: a key that was revoked never lives again.")


def _keys(app: App, visit: Visit, number: int) -> dict[str, Any]:
    if not visit.is_admin:
        return {"keys": None, "roles": ()}
    shown, paging = page_of(keys_of(app, visit), number, PAGE_SIZE)
    return {"keys": shown, "paging": paging, "roles": tuple(Role)}


def _deliveries(app: App, visit: Visit, number: int) -> dict[str, Any]:
    dead = app.stores.outbox.dead(visit.program_id, _READ)
    shown, paging = page_of(dead, number, PAGE_SIZE)
    return {"sinks": _sinks(app), "dead": shown, "paging": paging, "dead_sinks": sorted({one.sink for one in dead})}


def _sinks(app: App) -> list[str] | str:
    """The sinks' names, or why their file cannot be used."""
    try:
        return [sink.name for sink in app.sinks]
    except FraudError as fault:
        return fault.message


def _feeds(app: App, visit: Visit, number: int) -> dict[str, Any]:
    """The program's feeds, or why their file cannot be used."""
    try:
        mine = standings(app, visit.program_id)
    except FraudError as fault:
        return {"feeds": [], "paging": Paging(1, 0), "fault": fault.message}
    shown, paging = page_of(mine, number, PAGE_SIZE)
    return {"feeds": shown, "paging": paging, "fault": ""}


def standings(app: App, program_id: str) -> list[Standing]:
    """The feeds of a program and when each was pulled, none without a file of feeds; `InputError` when that cannot be used."""
    if not (app.workspace.root / FEEDS_FILE).exists():
        return []
    return [Standing(feed, pulled_at(app, feed)) for feed in feeds_of(app) if feed.program_id == program_id]


def _jobs(app: App, visit: Visit, number: int) -> dict[str, Any]:
    shown, paging = page_of(app.stores.jobs.unfinished(visit.program_id, _READ), number, PAGE_SIZE)
    return {"jobs": shown, "paging": paging}


def _audit(app: App, visit: Visit, number: int) -> dict[str, Any]:
    paging = Paging(number, app.stores.audit.count(visit.program_id))
    return {"entries": app.stores.audit.entries(visit.program_id, PAGE_SIZE, paging.offset), "paging": paging}


_PARTS = {"keys": _keys, "deliveries": _deliveries, "feeds": _feeds, "jobs": _jobs, "audit": _audit}


def page_of(things: Sequence[Thing], number: int, size: int) -> tuple[Sequence[Thing], Paging]:
    """One page of a list that is held in memory, and where it stands."""
    paging = Paging(number, len(things), size)
    return things[paging.offset : paging.offset + size], paging
