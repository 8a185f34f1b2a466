"""Social profiles a page points to, and mail addresses it gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import unquote

from crawlers.catalogue import SocialPlatform, ignoring_case, social_platforms
from crawlers.facts import Link, ProfileSource, SocialProfile
from crawlers.reading.urls import host_of, path_of
from crawlers.reading.walk import Walked

MOST_EMAILS = 50
MOST_PROFILES = 100
EMAIL = re.compile(
    r"(?<![\w.+-])([A-Za-z0-9][\w.+-]{0,63})@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}[A-Za-z]{2,24})(?![\w@])"
)
LONGEST_NAME, LONGEST_HOST = 65, 420
"""Characters before and after an `@` that can belong to an address (as `EMAIL` has them)."""
FILE_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".css", ".js")
FEDIVERSE_PATH = re.compile(r"/(?:@|users/)(\w{1,60})/?\Z")
STRENGTH: tuple[ProfileSource, ...] = ("rel-me", "sameAs", "link")


def profile_of(url: str) -> tuple[str, str] | None:
    """Return platform and handle when the address is a profile on a known platform. Share buttons and single posts are none."""
    host = host_of(url)
    path = unquote(path_of(url)).rstrip("/")
    for platform in _by_domain(host):
        handle = _subdomain(platform, host, path) if platform.subdomains else _handle(platform, path)
        if handle:
            return platform.id, handle
    return None


def social_profiles(links: tuple[Link, ...], rel_me: list[str], same_as: list[str]) -> tuple[SocialProfile, ...]:
    """Return the profiles, one per platform and handle, each found the strongest way; rel-me also finds unknown Mastodon servers."""
    ways: tuple[tuple[ProfileSource, list[str]], ...] = (
        ("rel-me", rel_me + [link.url for link in links if "me" in link.rel]),
        ("sameAs", same_as),
        ("link", [link.url for link in links]),
    )
    kept: dict[tuple[str, str], SocialProfile] = {}
    for found_by, urls in ways:
        for url in urls:
            profile = profile_of(url) or (_fediverse(url) if found_by == "rel-me" else None)
            if profile:
                platform, handle = profile
                kept.setdefault((platform, handle.lower()), SocialProfile(platform=platform, handle=handle, url=url, found_by=found_by))
    return tuple(kept.values())[:MOST_PROFILES]


def emails(found: Walked, links: tuple[Link, ...], text: str) -> tuple[str, ...]:
    """Return the mail addresses in links, in the visible text and behind Cloudflare's obfuscation; lower case, at most 50."""
    places = [unquote(link.url[7:].partition("?")[0]) for link in links if link.url.lower().startswith("mailto:")]
    places += [uncovered(code) for code in found.obscured_emails[:MOST_EMAILS]]
    places.append(text)
    kept = (f"{name}@{host}".lower() for place in places for name, host in _addresses(place))
    return tuple(dict.fromkeys(address for address in kept if not address.endswith(FILE_ENDINGS)))[:MOST_EMAILS]


def _addresses(place: str) -> Iterator[tuple[str, str]]:
    """Yield the names and hosts of addresses; only what stands around an `@` is searched, which is hardly any of a text."""
    at, after = place.find("@"), 0
    while at >= 0:
        start = max(after, at - LONGEST_NAME)
        match = EMAIL.search(place, start, at + LONGEST_HOST)
        if match:
            yield match.group(1), match.group(2)
        after = match.end() if match else at
        at = place.find("@", max(after, at + 1))


def uncovered(code: str) -> str:
    """Return the address behind Cloudflare's `data-cfemail`: hex bytes, each xor-ed with the first; '' when it is none."""
    try:
        key, *rest = bytes.fromhex(code[:400])
    except ValueError:
        return ""
    return bytes(byte ^ key for byte in rest).decode("utf-8", errors="replace")


def _handle(platform: SocialPlatform, path: str) -> str:
    for pattern in platform.paths:
        match = ignoring_case(pattern).fullmatch(path)
        if match and match.group("handle").lower() not in {name.lower() for name in platform.reserved}:
            return match.group("handle")
    return ""


def _subdomain(platform: SocialPlatform, host: str, path: str) -> str:
    label = host.removesuffix("." + platform.hosts[0])
    is_home = path in {"", "/about", "/archive"}
    return label if is_home and "." not in label and label not in platform.reserved else ""


def _by_domain(host: str) -> list[SocialPlatform]:
    labels = host.split(".")
    known = [platform for start in range(len(labels)) for platform in _platforms_at().get(".".join(labels[start:]), ())]
    return [platform for platform in known if not _is_tool(host, platform)]


@cache
def _platforms_at() -> dict[str, tuple[SocialPlatform, ...]]:
    found: dict[str, tuple[SocialPlatform, ...]] = {}
    for platform in social_platforms():
        for host in platform.hosts:
            found[host] = (*found.get(host, ()), platform)
    return found


def _is_tool(host: str, platform: SocialPlatform) -> bool:
    """Say whether the host is a machine of the platform's (api, widgets, gist) and holds no profiles; languages have two letters."""
    label = next((host.removesuffix("." + domain) for domain in platform.hosts if host.endswith("." + domain)), "")
    is_language = re.fullmatch(r"[a-z]{2}(?:-[a-z]{2})?", label) is not None
    return not platform.subdomains and label not in {"", "www", "m", "mobile", "web", "old", "new"} and not is_language


def _fediverse(url: str) -> tuple[str, str] | None:
    host, match = host_of(url), FEDIVERSE_PATH.search(path_of(url))
    return ("mastodon", f"{match.group(1)}@{host}") if match and host else None
