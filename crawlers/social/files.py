"""Figures of profiles from the operator's or the platform's own export: CSV, Excel or JSON, a row a profile, a day or a post.

Rows of one profile are put together: rows with a `date` and followers are its history, rows with `posted_at` its posts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from crawlers.backlinks.exports import plain
from crawlers.backlinks.tables import UnreadableExport, cells
from crawlers.errors import CrawlError
from crawlers.reading.dates import moment_of
from crawlers.social.collect import platform_and_handle
from crawlers.social.facts import DayCount, Post, ProfileFacts, ProfileState

MOST_JSON = 20 * 1024 * 1024
MOST_PROFILES = 1_000
MOST_DAYS, MOST_POSTS = 1_000, 1_000
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "url": ("url", "profile", "profileurl", "link", "permalink", "accounturl"),
    "platform": ("platform", "network", "channel"),
    "handle": ("handle", "username", "user", "account", "accountname", "screenname"),
    "name": ("name", "displayname", "fullname"),
    "bio": ("bio", "biography", "about"),
    "links": ("links", "website", "externalurl"),
    "followers": ("followers", "followercount", "followerscount", "subscribers", "subscribercount", "fans"),
    "following": ("following", "followingcount", "follows", "followees"),
    "posts": ("posts", "postcount", "postscount", "mediacount", "videos", "videocount", "statusescount"),
    "created_at": ("createdat", "joined", "joinedat", "accountcreated"),
    "date": ("date", "day"),
    "posted_at": ("postedat", "publishtime", "publishedat", "posttime", "postdate"),
    "likes": ("likes", "likecount", "reactions", "favourites"),
    "comments": ("comments", "commentcount", "replies"),
    "shares": ("shares", "sharecount", "reposts", "retweets"),
}


class UnreadableProfiles(CrawlError):
    """The file holds no profiles that can be read; the message says what was found and what would do."""


def read_profiles(path: Path) -> dict[tuple[str, str], ProfileFacts]:
    """Return the profiles of a file by platform and handle (lower case), at most 1,000. Raises UnreadableProfiles."""
    found: dict[tuple[str, str], ProfileFacts] = {}
    try:
        for row in _rows(path):
            key = _key(row)
            if key and (key in found or len(found) < MOST_PROFILES):
                known = found.get(key) or _named(key, row)
                found[key] = _joined(known, row)
    except UnreadableExport as fault:
        raise UnreadableProfiles(fault.message) from fault
    except OSError as fault:
        raise UnreadableProfiles(f"{path.name} cannot be read: {fault.strerror}.") from fault
    if not found:
        raise UnreadableProfiles(f"{path.name}: no row names a profile; give a column url, or platform and handle.")
    return {key: _in_order(one) for key, one in found.items()}


def _key(row: Mapping[str, str]) -> tuple[str, str] | None:
    known = platform_and_handle(row.get("url", "")) if row.get("url") else None
    if known is None and row.get("platform") and row.get("handle"):
        known = row["platform"].lower(), row["handle"].lstrip("@")
    return (known[0], known[1].lower()) if known else None


def _named(key: tuple[str, str], row: Mapping[str, str]) -> ProfileFacts:
    url = row.get("url", "")
    return ProfileFacts(stated=url, platform=key[0], handle=key[1], url=url, state=ProfileState.FOUND, source="operator")


def _joined(known: ProfileFacts, row: Mapping[str, str]) -> ProfileFacts:
    day, posted = moment_of(row.get("date", "")), moment_of(row.get("posted_at", ""))
    if posted is not None:
        post = Post(at=posted, likes=_count(row, "likes"), comments=_count(row, "comments"), shares=_count(row, "shares"))
        return msgspec.structs.replace(known, recent=(*known.recent, post)[-MOST_POSTS:])
    followers = _count(row, "followers")
    if day is not None and followers is not None:
        known = msgspec.structs.replace(known, history=(*known.history, DayCount(day=day.date(), followers=followers))[-MOST_DAYS:])
        newest = max(known.history, key=lambda one: one.day)
        return msgspec.structs.replace(known, followers=newest.followers)
    return msgspec.structs.replace(
        known,
        name=row.get("name", "")[:300] or known.name,
        bio=row.get("bio", "")[:2_000] or known.bio,
        links=tuple(link for link in row.get("links", "").split(";") if link.strip())[:50] or known.links,
        followers=known.followers if followers is None else followers,
        following=known.following if _count(row, "following") is None else _count(row, "following"),
        posts=known.posts if _count(row, "posts") is None else _count(row, "posts"),
        created_at=moment_of(row.get("created_at", "")) or known.created_at,
    )


def _in_order(one: ProfileFacts) -> ProfileFacts:
    moments = [post.at for post in one.recent if post.at]
    return msgspec.structs.replace(
        one,
        history=tuple(sorted(one.history, key=lambda count: count.day)),
        recent=tuple(sorted(one.recent, key=_moment, reverse=True)),
        last_post_at=max(moments, default=one.last_post_at),
    )


def _moment(post: Post) -> datetime:
    assert post.at is not None
    return post.at


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open("rb") as file:
        start = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in {b"{", b"["}:
        yield from _objects(path)
        return
    with cells(path) as rows:
        header = [plain(cell) for cell in next(rows, [])]
        places = {field: header.index(known) for field, names in COLUMNS.items() for known in names[::-1] if known in header}
        for row in rows:
            yield {field: row[place].strip() for field, place in places.items() if place < len(row)}


def _objects(path: Path) -> Iterator[dict[str, str]]:
    if path.stat().st_size > MOST_JSON:
        raise UnreadableExport(f"{path.name} is larger than {MOST_JSON >> 20} MB; give the figures as CSV.")
    try:
        said = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as fault:
        raise UnreadableExport(f"{path.name} is no JSON ({str(fault)[:100]}).") from fault
    listed = said if isinstance(said, list) else next((value for value in said.values() if isinstance(value, list)), [said])
    for one in listed:
        if isinstance(one, dict):
            named = {plain(str(name)): value for name, value in one.items()}
            told = {field: next((named[name] for name in names if name in named), "") for field, names in COLUMNS.items()}
            yield {field: str(value) for field, value in told.items() if isinstance(value, str | int | float) and value != ""}


def _count(row: Mapping[str, str], name: str) -> int | None:
    digits = row.get(name, "").replace(",", "").replace("\u00a0", "").replace(" ", "").removesuffix(".0")
    return int(digits[:15]) if digits.isascii() and digits.isdigit() else None
