"""Answers of platforms' public interfaces, read into facts. Pure: bytes in, facts out.

Whatever an answer has of counts, moments, names, fields and labels is kept. One that lacks what it always had, or has it in another shape,
is a `ChangedAnswer`: nothing is guessed from it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from crawlers.errors import CrawlError
from crawlers.reading.dates import moment_of
from crawlers.social.facts import Post, ProfileFacts, ProfileField, ProfileState

_URL = re.compile(r"https?://[^\s<>\"')\]]+")
_TAG = re.compile(r"<[^>]*>")
_COUNT = re.compile(r"(\d[\d.,\s]*)((?:[kKmM](?!\w))?)")
LONGEST_BIO = 2_000
MOST_POSTS = 100
MOST_LINKS = 50


class ChangedAnswer(CrawlError):
    """An answer is not as the platform documents it; the message says what is missing."""


def document(body: bytes, platform: str) -> dict[str, Any]:
    """Return the JSON object of an answer. Raises ChangedAnswer for anything else."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise ChangedAnswer(f"{platform} did not answer with a JSON object.")
    return said


def mastodon_account(said: Mapping[str, Any], stated: str) -> ProfileFacts:
    """Return an account as `/api/v1/accounts/lookup` and its kin give it (Mastodon, Pleroma, GoToSocial)."""
    fields = tuple(
        ProfileField(name=_text(one, "name"), value=_text(one, "value"), verified_at=moment_of(_text(one, "verified_at")))
        for one in _objects(said.get("fields"))
    )
    verified = [link for one in fields if one.verified_at for link in links_in(one.value)]
    note = _text(said, "note")
    return ProfileFacts(
        stated=stated,
        platform="mastodon",
        state=ProfileState.FOUND,
        source="api",
        handle=_needed(said, "acct", "Mastodon"),
        url=_text(said, "url"),
        identity=_needed(said, "id", "Mastodon"),
        name=_text(said, "display_name"),
        bio=_plain(note),
        links=unique_links([*(link for one in fields for link in links_in(one.value)), *links_in(note)]),
        verified_links=unique_links(verified),
        followers=_count(said, "followers_count", "Mastodon"),
        following=_count(said, "following_count", "Mastodon"),
        posts=_count(said, "statuses_count", "Mastodon"),
        created_at=moment_of(_text(said, "created_at")),
        last_post_at=moment_of(_text(said, "last_status_at")),
        bot=_flag(said, "bot"),
        private=_flag(said, "locked"),
        has_picture=_picture(_text(said, "avatar"), "/missing.png"),
        fields=fields,
        labels=tuple(name for name in ("suspended", "limited", "moved") if said.get(name)),
    )


def mastodon_posts(said: Any) -> tuple[Post, ...]:
    """Return the posts of a list of statuses."""
    return tuple(
        Post(at=moment_of(_text(one, "created_at")), likes=_maybe(one, "favourites_count"), comments=_maybe(one, "replies_count"),
             shares=_maybe(one, "reblogs_count"))
        for one in _objects(said)[:MOST_POSTS]
    )  # fmt: skip


def bluesky_profile(said: Mapping[str, Any], stated: str) -> ProfileFacts:
    """Return a profile as `app.bsky.actor.getProfile` gives it; a handle that is no `bsky.social` name is a domain its owner proved."""
    handle = _needed(said, "handle", "Bluesky")
    bio = _text(said, "description")
    return ProfileFacts(
        stated=stated,
        platform="bluesky",
        state=ProfileState.FOUND,
        source="api",
        handle=handle,
        url=f"https://bsky.app/profile/{handle}",
        identity=_needed(said, "did", "Bluesky"),
        name=_text(said, "displayName"),
        bio=bio[:LONGEST_BIO],
        links=unique_links(links_in(bio)),
        handle_domain="" if handle.endswith((".bsky.social", ".invalid")) else handle.lower(),
        followers=_count(said, "followersCount", "Bluesky"),
        following=_count(said, "followsCount", "Bluesky"),
        posts=_count(said, "postsCount", "Bluesky"),
        created_at=moment_of(_text(said, "createdAt")),
        has_picture=bool(said.get("avatar")),
        labels=tuple(_text(one, "val") for one in _objects(said.get("labels"))),
    )


def bluesky_posts(said: Mapping[str, Any], did: str = "") -> tuple[Post, ...]:
    """Return the author's own posts of a feed; what others wrote and the author passed on is left out where `did` is given."""
    posts = [one["post"] for one in _objects(said.get("feed")) if isinstance(one.get("post"), dict)]
    own = [one for one in posts if not did or _text(_object(one.get("author")), "did") == did]
    return tuple(
        Post(at=moment_of(_text(_object(one.get("record")), "createdAt")), likes=_maybe(one, "likeCount"),
             comments=_maybe(one, "replyCount"), shares=_maybe(one, "repostCount"))
        for one in own[:MOST_POSTS]
    )  # fmt: skip


def youtube_channel(said: Mapping[str, Any], stated: str) -> ProfileFacts:
    """Return the first channel of a `channels` answer (parts snippet and statistics); counts that the owner hides stay unknown.

    An answer without items says that there is no such channel. Subscribers are rounded to three digits by YouTube.
    """
    if said.get("kind") != "youtube#channelListResponse":
        raise ChangedAnswer("YouTube did not answer with a list of channels.")
    items = _objects(said.get("items"))
    if not items:
        return ProfileFacts(
            stated=stated, platform="youtube", state=ProfileState.ABSENT, source="api", reason="YouTube knows no such channel."
        )
    snippet, counts = _object(items[0].get("snippet")), _object(items[0].get("statistics"))
    about = _text(snippet, "description")
    hidden = bool(counts.get("hiddenSubscriberCount"))
    return ProfileFacts(
        stated=stated,
        platform="youtube",
        state=ProfileState.FOUND,
        source="api",
        handle=_text(snippet, "customUrl").removeprefix("@") or _needed(items[0], "id", "YouTube"),
        url=f"https://www.youtube.com/channel/{_needed(items[0], 'id', 'YouTube')}",
        identity=_needed(items[0], "id", "YouTube"),
        name=_text(snippet, "title"),
        bio=about[:LONGEST_BIO],
        links=unique_links(links_in(about)),
        followers=None if hidden else _maybe(counts, "subscriberCount"),
        posts=_maybe(counts, "videoCount"),
        created_at=moment_of(_text(snippet, "publishedAt")),
        has_picture=bool(snippet.get("thumbnails")) or None,
        labels=("hidden_subscribers",) if hidden else (),
    )


def youtube_posts(said: Mapping[str, Any]) -> tuple[Post, ...]:
    """Return the videos of a `videos` answer (parts snippet and statistics)."""
    return tuple(
        Post(at=moment_of(_text(_object(one.get("snippet")), "publishedAt")), likes=_maybe(_object(one.get("statistics")), "likeCount"),
             comments=_maybe(_object(one.get("statistics")), "commentCount"))
        for one in _objects(said.get("items"))[:MOST_POSTS]
    )  # fmt: skip


def github_user(said: Mapping[str, Any], stated: str) -> ProfileFacts:
    """Return a user or organisation as `api.github.com/users/NAME` gives it."""
    blog = _text(said, "blog")
    return ProfileFacts(
        stated=stated,
        platform="github",
        state=ProfileState.FOUND,
        source="api",
        handle=_needed(said, "login", "GitHub"),
        url=_text(said, "html_url"),
        identity=_needed(said, "id", "GitHub"),
        name=_text(said, "name"),
        bio=_text(said, "bio")[:LONGEST_BIO],
        links=unique_links([blog if "//" in blog else f"https://{blog}"] if blog else []),
        followers=_count(said, "followers", "GitHub"),
        following=_count(said, "following", "GitHub"),
        posts=_maybe(said, "public_repos"),
        created_at=moment_of(_text(said, "created_at")),
        has_picture=True if said.get("avatar_url") else None,
    )


def reddit_user(said: Mapping[str, Any], stated: str) -> ProfileFacts:
    """Return a user as `/user/NAME/about.json` gives it; followers are not told."""
    data = _object(said.get("data"))
    if said.get("kind") != "t2":
        raise ChangedAnswer("Reddit did not answer with an account.")
    about = _object(data.get("subreddit"))
    seconds = _maybe(data, "created_utc")
    return ProfileFacts(
        stated=stated,
        platform="reddit",
        state=ProfileState.FOUND,
        source="api",
        handle=_needed(data, "name", "Reddit"),
        url=f"https://www.reddit.com/user/{_needed(data, 'name', 'Reddit')}/",
        name=_text(about, "title"),
        bio=_text(about, "public_description")[:LONGEST_BIO],
        links=unique_links(links_in(_text(about, "public_description"))),
        created_at=datetime.fromtimestamp(seconds, UTC) if seconds else None,
        labels=("suspended",) if data.get("is_suspended") else (),
    )


def telegram_page(body: bytes, stated: str, handle: str) -> ProfileFacts:
    """Return a channel from its public preview page; a page without the channel's block says that there is none to see."""
    page = LexborHTMLParser(body)
    title = page.css_first(".tgme_channel_info_header_title, .tgme_page_title")
    if title is None:
        return ProfileFacts(stated=stated, platform="telegram", handle=handle, state=ProfileState.ABSENT, source="page",
                            reason="Telegram shows no public channel of this name.")  # fmt: skip
    about = page.css_first(".tgme_channel_info_description, .tgme_page_description")
    extra = page.css_first(".tgme_page_extra")
    counted = {_said(one, ".counter_type"): _said(one, ".counter_value") for one in page.css(".tgme_channel_info_counter")}
    members = next((value for kind, value in counted.items() if kind.startswith(("subscriber", "member"))), extra.text() if extra else "")
    text = about.text(separator=" ") if about else ""
    return ProfileFacts(
        stated=stated,
        platform="telegram",
        state=ProfileState.FOUND,
        source="page",
        handle=handle,
        url=f"https://t.me/{handle}",
        name=title.text().strip(),
        bio=text[:LONGEST_BIO],
        links=unique_links([*links_in(text), *(str(a.attributes.get("href") or "") for a in (about.css("a") if about else []))]),
        followers=shortened(members),
    )


def shortened(text: str) -> int | None:
    """Return a count as pages shorten it (`12.3K subscribers` gives 12300, `1 204 members` 1204); None where there is none."""
    match = _COUNT.match(text.strip())
    digits = match.group(1).strip() if match else ""
    if match is None or not any(letter.isdigit() for letter in digits):
        return None
    times = {"k": 1_000, "m": 1_000_000}.get(match.group(2).lower())
    try:
        return round(float(digits.replace(",", "").replace(" ", "")) * times) if times else int(re.sub(r"\D", "", digits))
    except ValueError:
        return None


def _said(node: Any, selector: str) -> str:
    found = node.css_first(selector)
    return str(found.text()).strip().lower() if found else ""


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def _needed(said: Mapping[str, Any], name: str, platform: str) -> str:
    value = said.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ChangedAnswer(f"{platform}'s answer has no {name}; its interface may have changed.")
    return str(value)


def _count(said: Mapping[str, Any], name: str, platform: str) -> int:
    value = _maybe(said, name)
    if value is None:
        raise ChangedAnswer(f"{platform}'s answer has no {name}; its interface may have changed.")
    return value


def _maybe(said: Mapping[str, Any], name: str) -> int | None:
    value = said.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:18])
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return int(value) if number and value is not None and value >= 0 else None


def _flag(said: Mapping[str, Any], name: str) -> bool | None:
    value = said.get(name)
    return value if isinstance(value, bool) else None


def _picture(address: str, missing: str) -> bool | None:
    return not address.endswith(missing) if address else None


def _plain(text: str) -> str:
    return unescape(_TAG.sub(" ", text)).strip()[:LONGEST_BIO]


def links_in(text: str) -> list[str]:
    """Return the web addresses in a text."""
    return [link.rstrip(".,;:!?") for link in _URL.findall(unescape(text))]


def unique_links(links: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses that have a host, each once, at most 50."""
    return tuple(dict.fromkeys(link for link in links if _has_host(link)))[:MOST_LINKS]


def _has_host(link: str) -> bool:
    try:
        return bool(urlsplit(link).hostname)
    except ValueError:
        return False


def newest(posts: Iterable[Post]) -> datetime | None:
    """Return the moment of the newest post."""
    return max((post.at for post in posts if post.at), default=None)
