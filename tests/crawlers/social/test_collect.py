"""Platforms are asked politely; one that refuses, changes or fails leaves a profile unknown, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from crawlers.fetch import Fetcher
from crawlers.social.catalogue import ways
from crawlers.social.collect import ProfileCollector, SocialMeans, platform_and_handle
from crawlers.social.facts import ProfileFacts, ProfileState
from tests.crawlers.servers import Answer, Site, local_settings, run, site

HOSTS = (
    "sample.substack.com",
    "soundcloud.com",
    "vimeo.com",
    "api.github.com",
    "public.api.bsky.app",
    "mastodon.social",
    "www.googleapis.com",
    "t.me",
    "www.reddit.com",
)
JSON = {"Content-Type": "application/json"}
GITHUB = "https://github.com/trailnotes"


def asked(
    pages: Mapping[str, Answer], *stated: str, keys: Mapping[str, str] | None = None, **means: object
) -> tuple[list[ProfileFacts], Site]:
    async def work(server: Site) -> list[ProfileFacts]:
        hosts = dict.fromkeys(HOSTS, f"http://127.0.0.1:{server.port}")
        async with Fetcher(local_settings(server.port)) as fetcher:
            collector = ProfileCollector(SocialMeans(fetcher, keys=keys or {}, hosts=hosts, **means))  # type: ignore[arg-type]  # as given
            return [await collector.of(one) for one in stated]

    with site(pages) as server:
        return run(work(server)), server


def answer(platform: str) -> Answer:
    return Answer(ways()[platform].found.encode(), headers=JSON)


def test_each_platform_with_an_interface_is_read() -> None:
    pages = {
        "/users/trailnotes": answer("github"),
        "/xrpc/app.bsky.actor.getProfile?actor=trailnotes.example": answer("bluesky"),
        "/api/v1/accounts/lookup?acct=trail": answer("mastodon"),
        "/youtube/v3/channels?part=snippet,statistics&forHandle=trailnotes&key=secret": answer("youtube"),
        "/s/trailnotes": Answer(ways()["telegram"].found.encode()),
    }
    stated = [GITHUB, "https://bsky.app/profile/trailnotes.example", "https://mastodon.social/@trail", "https://www.youtube.com/@trailnotes",
              "https://t.me/trailnotes"]  # fmt: skip
    found, server = asked(pages, *stated, keys={"youtube": "secret"})
    assert [one.state for one in found] == [ProfileState.FOUND] * 5
    assert [one.followers for one in found] == [3, 3, 3, 3, 1200]
    assert all(one.asked_at and one.sha256 for one in found)
    assert "/api/v1/accounts/1/statuses?limit=30&exclude_replies=true&exclude_reblogs=true" in server.paths


def test_a_platform_that_limits_us_is_not_asked_again() -> None:
    pages = {"/users/a": Answer(b"{}", 429, {"Retry-After": "3600"}), "/users/b": answer("github")}
    found, server = asked(pages, "https://github.com/a", "https://github.com/b")
    assert [one.state for one in found] == [ProfileState.UNKNOWN] * 2
    assert "429" in found[1].reason
    assert "3600" in found[1].reason
    assert server.paths == ["/users/a"]


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (Answer(b'{"message":"Not Found"}', 404, JSON), ProfileState.ABSENT),
        (Answer(b'{"error":"InvalidRequest","message":"Profile not found"}', 400, JSON), ProfileState.ABSENT),
        (Answer(b"<html>Just a moment...</html>"), ProfileState.UNKNOWN),
        (Answer(b'{"login":"a","id":1}', headers=JSON), ProfileState.UNKNOWN),
        (Answer(b"oops", 500), ProfileState.UNKNOWN),
        (Answer(b"{}", 403), ProfileState.UNKNOWN),
    ],
)
def test_absent_is_not_unknown(given: Answer, state: ProfileState) -> None:
    (found,), _ = asked({"/users/trailnotes": given}, GITHUB)
    assert found.state is state
    assert found.reason


def test_platforms_that_may_not_be_read_are_unverified_and_not_asked() -> None:
    (found,), server = asked({}, "https://www.instagram.com/trail.notes/")
    assert (found.state, server.paths) == (ProfileState.UNVERIFIED, [])


def test_feeds_and_public_pages_tell_that_a_profile_exists_and_what_it_names() -> None:
    feed = ways()["substack"].found.replace("<link>https://sample.substack.com</link>", "<link>https://letters.example/</link>")
    pages = {
        "/feed": Answer(feed.encode()),
        "/oembed?format=json&url=https%3A%2F%2Fsoundcloud.com%2Fsample": Answer(ways()["soundcloud"].found.encode(), headers=JSON),
        "/sample": Answer(ways()["vimeo"].found.encode()),
    }
    stated = ("https://sample.substack.com/", "https://soundcloud.com/sample", "https://vimeo.com/sample")
    found, _ = asked(pages, *stated)
    assert [(one.state, one.followers) for one in found] == [(ProfileState.FOUND, None)] * 3
    assert found[0].links == ("https://letters.example/",)
    assert found[0].last_post_at is not None


def test_a_page_that_is_about_somebody_else_is_no_profile() -> None:
    (found,), _ = asked({"/sample": Answer(ways()["vimeo"].absent.encode())}, "https://vimeo.com/sample")
    assert found.state is ProfileState.UNKNOWN
    assert "no public profile of sample" in found.reason


def test_without_a_key_nothing_is_sent() -> None:
    (found,), server = asked({}, "https://www.youtube.com/@trailnotes")
    assert (found.state, server.paths) == (ProfileState.UNVERIFIED, [])
    assert "key" in found.reason


def test_one_profile_is_asked_for_once() -> None:
    _, server = asked({"/users/trailnotes": answer("github")}, GITHUB, f"{GITHUB}/")
    assert server.paths == ["/users/trailnotes"]


@pytest.mark.parametrize(
    ("stated", "known"),
    [
        ("github.com/a", ("github", "a")),
        ("https://social.example/@me", ("mastodon", "me@social.example")),
        ("https://example.com/about", None),
        ("not a url", None),
        ("https://[broken", None),
    ],
)
def test_addresses_are_told_apart(stated: str, known: tuple[str, str] | None) -> None:
    assert platform_and_handle(stated) == known
