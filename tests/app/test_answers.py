"""Platforms and services are asked once in some days; what was no answer is asked again, and every answer says when it was given."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from crawlers.backlinks.facts import Authority
from crawlers.review_facts import Rating, ReviewPage
from crawlers.social.facts import ProfileFacts, ProfileState
from fraud.app.answers import Answers, authorities_once, profiles_once, review_pages_once
from fraud.storage.answers import AnswerFolder

NOW = datetime(2026, 3, 1, tzinfo=UTC)
STATED = "https://github.com/trail"


Said = TypeVar("Said")


def said_by(asking: Awaitable[Said]) -> Said:
    """The answer, waited for."""

    async def wait() -> Said:
        return await asking

    return asyncio.run(wait())


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def answers(tmp_path: Path, clock: Clock) -> Answers:
    return Answers(AnswerFolder(tmp_path, "default"), clock.now, 7.0)


class Platform:
    def __init__(self, state: ProfileState) -> None:
        self.state, self.asked = state, 0

    async def of(self, stated: str) -> ProfileFacts:
        self.asked += 1
        return ProfileFacts(stated=stated, platform="github", state=self.state, followers=7, asked_at=NOW)


@pytest.mark.parametrize(("state", "asked"), [(ProfileState.FOUND, 1), (ProfileState.ABSENT, 1), (ProfileState.UNKNOWN, 2)])
def test_a_profile_is_asked_for_once_unless_there_was_no_answer(answers: Answers, state: ProfileState, asked: int) -> None:
    platform = Platform(state)
    once = profiles_once(platform.of, answers)
    first, second = (said_by(once(STATED)) for _ in range(2))
    assert platform.asked == asked
    assert first == second
    assert second.asked_at == NOW


def test_an_old_answer_and_none_at_all_are_asked_for_again(answers: Answers, clock: Clock, tmp_path: Path) -> None:
    platform = Platform(ProfileState.FOUND)
    said_by(profiles_once(platform.of, answers)(STATED))
    clock.time += timedelta(days=8)
    said_by(profiles_once(platform.of, answers)(STATED))
    said_by(profiles_once(platform.of, Answers(answers.folder, clock.now, 0.0))(STATED))
    said_by(profiles_once(platform.of, Answers(AnswerFolder(tmp_path, "other"), clock.now, 7.0))(STATED))
    assert platform.asked == 4


class Service:
    name, charged = "somebody", False

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    async def of(self, domains: Iterable[str]) -> tuple[Authority, ...]:
        self.asked.append(tuple(domains))
        silent = {"c.example": "Silent."}
        return tuple(Authority(domain=one, provider=self.name, score=5, failure=silent.get(one, "")) for one in self.asked[-1])


def test_a_service_is_asked_for_what_it_has_not_spoken_of_only(answers: Answers) -> None:
    service = Service()
    once = authorities_once((service,), answers)
    said_by(once(("a.example", "c.example")))
    said = said_by(once(("a.example", "b.example", "c.example")))
    assert service.asked == [("a.example", "c.example"), ("b.example", "c.example")]
    assert [one.domain for one in said] == ["a.example", "b.example", "c.example"]


def test_a_review_page_is_read_once_when_it_could_be_read(answers: Answers) -> None:
    asked: list[str] = []

    async def read(page: ReviewPage) -> ReviewPage:
        asked.append(page.url)
        return ReviewPage(url=page.url, service="It", subject="a", ratings=(Rating(value=4),), failure="" if "good" in page.url else "No.")

    once = review_pages_once(read, answers)
    for url in ("https://good.example/", "https://bad.example/") * 2:
        said_by(once(ReviewPage(url=url, service="It", subject="a")))
    assert asked == ["https://good.example/", "https://bad.example/", "https://bad.example/"]


def test_a_file_that_is_no_answer_counts_as_none_and_old_ones_are_deleted(tmp_path: Path) -> None:
    folder = AnswerFolder(tmp_path, "default")
    folder.put("profile", STATED, b'{"a":1}', NOW)
    (path,) = tmp_path.glob("*/*/*.json")
    assert folder.get("profile", STATED, NOW - timedelta(days=1)) == b'{"a":1}'
    path.write_bytes(b"\xff not an answer")
    assert folder.get("profile", STATED, NOW - timedelta(days=1)) is None
    folder.forget(datetime.now(UTC) + timedelta(days=1))
    assert not path.exists()
