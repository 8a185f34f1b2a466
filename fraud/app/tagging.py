"""The landing pages' tag, wired: which program a public tag belongs to, the snippet for its pages, and the book of what comes in."""

from __future__ import annotations

import threading
from datetime import timedelta

from fraud.app.keeping import visit_keeper
from fraud.app.parts import App
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.clock import Clock, passed
from fraud.domain.hashing import keyed_hash
from fraud.workflows.visiting import VisitBook

LOOK_AGAIN = timedelta(minutes=1)
"""How long no unknown tag has the programs read again: anybody may ask for any tag."""

_DIGITS = 20


def tag_of(app: App, program_id: str) -> str:
    """A program's public tag: it stands in pages for everybody to read, names the program to nobody, and stays while the pepper does."""
    return keyed_hash(app.pepper, "tag", program_id)[:_DIGITS]


def snippet(app: App, program_id: str, url: str) -> str:
    """What a landing page has to contain; `url` is where visitors reach the service."""
    return f'<script src="{url.rstrip("/")}/tag.js" data-tag="{tag_of(app, program_id)}" data-consent-hook="tagConsent" async></script>'


def open_book(app: App) -> VisitBook:
    """The book of this process, whose reports go into the lake."""
    return VisitBook(visit_keeper(app))


class TagPrograms:
    """Finds the program of a tag. May be used from any number of threads."""

    def __init__(self, app: App, clock: Clock) -> None:
        self._app, self._clock = app, clock
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        self._looked_at = clock.now() - LOOK_AGAIN

    def of(self, tag_id: str) -> str | None:
        """The program, or `None`. A program that is made now is found within a minute."""
        if (found := self._known.get(tag_id)) is not None:
            return found
        with self._lock:
            if passed(self._looked_at, self._clock.now()) >= LOOK_AGAIN:
                self._looked_at = self._clock.now()
                names = {DEFAULT_PROGRAM, *(profile.program_id for profile in self._app.stores.programs.all())}
                self._known = {tag_of(self._app, name): name for name in names}
        return self._known.get(tag_id)
