"""Questions to platforms and services, each asked once in some days: the answer that is kept says itself when it was asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from crawlers.backlinks.facts import Authority
from crawlers.backlinks.providers import Provider
from crawlers.review_facts import ReviewPage
from crawlers.social.facts import ProfileFacts, ProfileState
from fraud.storage.answers import AnswerFolder

Answer = TypeVar("Answer", bound=msgspec.Struct)
ProfileAsker = Callable[[str], Awaitable[ProfileFacts]]
PageAsker = Callable[[ReviewPage], Awaitable[ReviewPage]]
_SETTLED = frozenset({ProfileState.FOUND, ProfileState.ABSENT})


@dataclass(frozen=True)
class Answers:
    """The kept answers of a run: where they lie, what time it is, and for how many days they serve (0: none does)."""

    folder: AnswerFolder
    now: Callable[[], datetime]
    days: float

    def get(self, kind: str, question: str, shape: type[Answer]) -> Answer | None:
        """A kept answer that is young enough, None otherwise."""
        found = self.folder.get(kind, question, self.now() - timedelta(days=self.days)) if self.days else None
        try:
            return msgspec.json.decode(found, type=shape) if found is not None else None
        except msgspec.MsgspecError:
            return None

    def keep(self, kind: str, question: str, answer: msgspec.Struct) -> None:
        """Keeps an answer."""
        if self.days:
            self.folder.put(kind, question, msgspec.json.encode(answer), self.now())


def profiles_once(ask: ProfileAsker, answers: Answers) -> ProfileAsker:
    """The same question about a profile, asked again only when the kept answer is old. What was no answer is not kept."""

    async def of(stated: str) -> ProfileFacts:
        kept = answers.get("profile", stated, ProfileFacts)
        if kept is not None:
            return kept
        seen = await ask(stated)
        if seen.state in _SETTLED:
            answers.keep("profile", stated, seen)
        return seen

    return of


def review_pages_once(
    ask: Callable[[ReviewPage], Awaitable[ReviewPage]], answers: Answers
) -> Callable[[ReviewPage], Awaitable[ReviewPage]]:
    """The same for the page of a review service."""

    async def of(page: ReviewPage) -> ReviewPage:
        question = f"{page.url} {page.website}"
        kept = answers.get("reviews", question, ReviewPage)
        if kept is not None:
            return kept
        seen = await ask(page)
        if not seen.failure:
            answers.keep("reviews", question, seen)
        return seen

    return of


def authorities_once(providers: tuple[Provider, ...], answers: Answers) -> Callable[[tuple[str, ...]], Awaitable[tuple[Authority, ...]]]:
    """What services say of domains, one after the other; each is asked only for the domains it has not lately spoken of."""

    async def of(domains: tuple[str, ...]) -> tuple[Authority, ...]:
        said: list[Authority] = []
        for provider in providers:
            kept = {domain: answers.get(f"authority-{provider.name}", domain, Authority) for domain in domains}
            missing = tuple(domain for domain, one in kept.items() if one is None)
            for one in await provider.of(missing) if missing else ():
                kept[one.domain] = one
                if not one.failure:
                    answers.keep(f"authority-{provider.name}", one.domain, one)
            said += [one for one in kept.values() if one is not None]
        return tuple(said)

    return of
