"""What is known of one social profile: facts for checks, small enough to be kept with a decision."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct


class ProfileState(StrEnum):
    """How looking for a profile ended. `UNVERIFIED` is said of platforms that may not be asked, `UNKNOWN` when a source failed."""

    FOUND = "found"
    ABSENT = "absent"
    UNVERIFIED = "unverified"
    UNKNOWN = "unknown"


class Post(Struct, frozen=True, kw_only=True):
    """One post: when, and how often it was liked, answered and passed on (None: the platform does not say)."""

    at: datetime | None = None
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None


class DayCount(Struct, frozen=True, kw_only=True):
    """Followers at the end of a day."""

    day: date
    followers: int


class ProfileField(Struct, frozen=True, kw_only=True):
    """A field of a profile, such as Mastodon's; `verified_at` is when the platform saw the link back."""

    name: str
    value: str
    verified_at: datetime | None = None


class ProfileFacts(Struct, frozen=True, kw_only=True):
    """A profile as stated, and what its platform or the operator says of it. None is unknown, never zero.

    `links` are web addresses the profile itself names, `handle_domain` the domain that is its handle (Bluesky), which only the domain's
    owner can set. `source` says who told (`api`, `operator`, `page`, ''), `reason` why a state is not `found`, in one sentence.
    `labels` are the platform's own marks, such as spam; `history` are followers by day, in order, where the operator supplied them.
    """

    stated: str
    platform: str
    handle: str = ""
    url: str = ""
    state: ProfileState = ProfileState.UNKNOWN
    reason: str = ""
    source: str = ""
    asked_at: datetime | None = None
    sha256: str = ""
    identity: str = ""
    name: str = ""
    bio: str = ""
    links: tuple[str, ...] = ()
    verified_links: tuple[str, ...] = ()
    handle_domain: str = ""
    followers: int | None = None
    following: int | None = None
    posts: int | None = None
    created_at: datetime | None = None
    last_post_at: datetime | None = None
    bot: bool | None = None
    private: bool | None = None
    has_picture: bool | None = None
    fields: tuple[ProfileField, ...] = ()
    labels: tuple[str, ...] = ()
    recent: tuple[Post, ...] = ()
    history: tuple[DayCount, ...] = ()
