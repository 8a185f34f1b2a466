"""How each platform may be asked, and whether its entry still works: every entry carries answers it must read, else it is rotten."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from msgspec import Struct, yaml

from crawlers.catalogue import social_platforms
from crawlers.reading.social import profile_of
from crawlers.social.facts import ProfileFacts, ProfileState
from crawlers.social.public import feed, oembed, opengraph
from crawlers.social.readers import (
    ChangedAnswer,
    bluesky_profile,
    document,
    github_user,
    mastodon_account,
    reddit_user,
    telegram_page,
    youtube_channel,
)

_READERS = {
    "mastodon": mastodon_account,
    "bluesky": bluesky_profile,
    "github": github_user,
    "reddit": reddit_user,
    "youtube": youtube_channel,
}
_PAGE_READERS = {"feed": feed, "opengraph": opengraph}


class Way(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How profiles of a platform are checked (see platforms.yaml)."""

    id: str
    how: Literal["api", "key", "page", "operator"]
    url: str = ""
    posts: str = ""
    reader: str = ""
    found: str = ""
    absent: str = ""
    why: str = ""


@cache
def ways() -> dict[str, Way]:
    """Return the ways by platform."""
    listed = yaml.decode(files(__package__).joinpath("platforms.yaml").read_bytes(), type=tuple[Way, ...])
    return {way.id: way for way in listed}


def read(way: Way, body: bytes, stated: str, handle: str) -> ProfileFacts:
    """Return what an answer says. Raises ChangedAnswer when it is not as documented."""
    if way.reader == "telegram":
        return telegram_page(body, stated, handle)
    if way.reader == "oembed":
        return oembed(document(body, way.id), stated, way.id, handle)
    if way.reader in _PAGE_READERS:
        return _PAGE_READERS[way.reader](body, stated, way.id, handle)
    return _READERS[way.reader](document(body, way.id), stated)


def rotten() -> dict[str, str]:
    """Return the platforms whose samples fail, with the reason: of the address shapes and of the answers."""
    found: dict[str, str] = {}
    for platform in social_platforms():
        wrong = [url for url, handle in platform.hits.items() if profile_of(url) != (platform.id, handle)]
        wrong += [url for url in platform.misses if (profile_of(url) or ("",))[0] == platform.id]
        if wrong:
            found[platform.id] = f"The address {wrong[0]} is not read as its sample says."
    return found | {way.id: why for way in ways().values() if way.how != "operator" and (why := fault_of(way))}


def fault_of(way: Way) -> str:
    """Return why a platform's answers are not read as its samples say; '' when they are."""
    try:
        seen = read(way, way.found.encode(), "sample", "sample")
    except (ChangedAnswer, KeyError) as fault:
        return f"Its sample of a profile is not read: {fault}"
    if seen.state is not ProfileState.FOUND:
        return f"Its sample of a profile is read as {seen.state.value}."
    try:
        none = read(way, way.absent.encode(), "sample", "sample")
    except ChangedAnswer:
        return ""
    return "Its sample of no profile is read as one." if none.state is ProfileState.FOUND else ""
