"""Who is looking at which program: sessions, the programs an actor may enter, and addresses that stay inside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Request

from fraud.app.parts import App
from fraud.domain.actors import DEFAULT_PROGRAM, Actor, ActorKind, Role
from fraud.domain.catalogue import CHECKS
from fraud.domain.clock import Clock
from fraud.domain.ports import ActorStore, ProgramStore
from fraud.domain.programs import ProgramProfile
from fraud.errors import Forbidden, Unauthorised
from fraud.web.forms import LARGEST_FORM, LARGEST_UPLOAD, Sent, require_own_form
from fraud.web.sessions import SessionSigner
from fraud.workflows.seeing import Looks

COOKIE = "fraud_session"
_SECTION_OF = {"cases": "alerts", "kept-back": "alerts", "graph": "affiliates", "traffic": "affiliates", "reports": "affiliates"}
"""Pages that stand in the section of another part of the address."""
_SECTIONS = {
    "affiliate": "/affiliates/",
    "application": "/applications/",
    "decision": "/decisions/",
    "scan": "/scans/",
    "alert": "/alerts/",
    "ring": "/rings/",
    "check": "/policy/checks/",
    "feature": "/features/",
}


@dataclass(frozen=True)
class Visit:
    """One request of somebody who is signed in, inside one program."""

    actor: Actor
    program_id: str
    programs: tuple[ProgramProfile, ...]
    section: str
    token: str = ""
    now: datetime | None = None

    @property
    def reviewer(self) -> tuple[str, str]:
        """Who acts: id and name."""
        return self.actor.actor_id, self.actor.name

    @property
    def is_admin(self) -> bool:
        """Whether what belongs to administrators is open to them."""
        return self.actor.role.reaches(Role.ADMIN)

    @property
    def profile(self) -> ProgramProfile | None:
        """The program's profile, when one was kept."""
        return next((one for one in self.programs if one.program_id == self.program_id), None)

    @property
    def program_name(self) -> str:
        """What the program is called."""
        return self.profile.name if self.profile else self.program_id

    def link(self, kind: str, name: str) -> str:
        """The address of a thing's page in this program; "" for kinds without pages."""
        if kind == "ranking":
            return self.address("/affiliates", scan=name)
        if kind == "definition":
            return f"{self.address('/help')}#{name}"
        if kind == "check" and name not in CHECKS:
            return ""
        return self.address(_SECTIONS[kind] + quote(name, safe="")) if kind in _SECTIONS and name else ""

    def address(self, path: str, **asked: object) -> str:
        """A path of ours, in this program; what is empty is left out of the question."""
        told = {name: str(value) for name, value in asked.items() if value not in {None, "", False}}
        return f"{path}?{urlencode({'program': self.program_id, **told})}"


@dataclass(frozen=True)
class Door:
    """Lets people in: reads the session, checks the role, and picks the program."""

    app: App
    sessions: SessionSigner

    @cached_property
    def looks(self) -> Looks:
        """Takes down who looked at whom."""
        return Looks(self.app.stores.audit, self.app.clock)

    @property
    def clock(self) -> Clock:
        """What time it is for everybody."""
        return self.app.clock

    def enter(self, request: Request) -> Visit:
        """The visit behind a request; `Unauthorised` without a live session, `Forbidden` for a program that is not the actor's."""
        actor = self.actor(request)
        if actor is None:
            raise Unauthorised("Sign in to see this page.")
        require_reviewer(actor)
        programs = _programs(self.app.stores.programs, actor)
        program_id = request.query_params.get("program") or _first(programs)
        if not actor.may_enter(program_id):
            raise Forbidden("Your key does not open this program. Choose one of your own, or ask an administrator for access.")
        token = self.sessions.form_token(request.cookies.get(COOKIE, ""))
        if request.method == "GET":
            self.looks.note(actor, program_id, request.url.path)
        part = request.url.path.split("/")[1]
        return Visit(actor, program_id, programs, _SECTION_OF.get(part, part), token, self.clock.now())

    def enter_to_act(self, request: Request, sent: Sent, needed: Role = Role.REVIEW) -> Visit:
        """The visit behind a form of ours; `Forbidden` for one that another page sent, or that needs a higher role."""
        require_own_form(request)
        visit = self.enter(request)
        if not self.sessions.accepts_form(request.cookies.get(COOKIE, ""), sent.text("token")):
            raise Forbidden("This form belongs to another session. Open the page again and send it from there.")
        return require_role(visit, needed)

    def largest(self, request: Request) -> int:
        """The largest form that is read (bytes): who is signed in may send files."""
        return LARGEST_UPLOAD if self.sessions.read(request.cookies.get(COOKIE, ""), self.clock.now()) else LARGEST_FORM

    def actor(self, request: Request) -> Actor | None:
        """Who is signed in. A key that was revoked or changed since counts as it stands now."""
        claimed = self.sessions.read(request.cookies.get(COOKIE, ""), self.clock.now())
        return live_actor(self.app.stores.actors, claimed) if claimed else None


def live_actor(actors: ActorStore, claimed: Actor) -> Actor | None:
    """The actor as it stands now: a key must still be live; a person or the system is who the signature says."""
    if claimed.kind is not ActorKind.KEY:
        return claimed
    live = actors.keys()
    return next((one for one in live if one.actor_id == claimed.actor_id), None)


def require_reviewer(actor: Actor) -> None:
    """Pages are for reviewers and administrators; anybody else is `Forbidden`."""
    if not actor.role.reaches(Role.REVIEW):
        raise Forbidden("This key is for a tracking system and opens no pages. Use a key with the review or admin role.")


def login_address(request: Request) -> str:
    """Where to sign in and come back from."""
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/login?{urlencode({'next': safe_next(back)})}"


def safe_next(target: str) -> str:
    """The place to go after signing in: a path of our own, or the front page for anything that could lead elsewhere."""
    inside = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if inside and urlsplit(target).path not in {"/login", "/logout"} else "/"


def require_role(visit: Visit, needed: Role) -> Visit:
    """The visit, when its actor's role reaches far enough; `Forbidden` otherwise."""
    if not visit.actor.role.reaches(needed):
        raise Forbidden(f"This takes a key with the role {needed.value}. Ask an administrator, or sign in with such a key.")
    return visit


def _programs(store: ProgramStore, actor: Actor) -> tuple[ProgramProfile, ...]:
    known = store.all()
    mine = [one for one in known if actor.may_enter(one.program_id)]
    unnamed = {one for one in actor.programs if one != "*"} - {one.program_id for one in mine}
    return (*mine, *(ProgramProfile(name=one, program_id=one) for one in sorted(unnamed)))


def _first(programs: tuple[ProgramProfile, ...]) -> str:
    ids = [one.program_id for one in programs]
    return DEFAULT_PROGRAM if DEFAULT_PROGRAM in ids or not ids else ids[0]
