"""Answers already given, by program and event id: the same event again gets the same answer, and its decision is recorded once."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from fraud.domain.clicks import EventKey
from fraud.domain.newest import Newest

_Answer = TypeVar("_Answer")
_Record = TypeVar("_Record")


class Together(ABC, Generic[_Answer]):
    """The answers to events that were answered together: the book holds them as one."""

    @abstractmethod
    def to(self, key: EventKey) -> _Answer:
        """The answer to one of them."""


class AnswerBook(Generic[_Answer]):
    """The newest `most` answers. May be used from any number of threads."""

    def __init__(self, most: int) -> None:
        self._answers: Newest[EventKey, _Answer | Together[_Answer]] = Newest(most)
        self._lock = threading.Lock()

    def known(self, key: EventKey) -> _Answer | None:
        """The answer given before, if it is still kept here."""
        kept = self._answers.get(key)
        return kept.to(key) if isinstance(kept, Together) else kept

    def knows_none(self, keys: Sequence[EventKey]) -> bool:
        """Whether no answer is kept to any of these."""
        return self._answers.keys().isdisjoint(keys)

    def keep(self, key: EventKey, answer: _Answer) -> _Answer:
        """The answer that stands for this event: this one, unless there was one already."""
        with self._lock:
            kept = self.known(key)
            if kept is None:
                self._answers.add((key,), answer)
            return answer if kept is None else kept

    def settle(self, key: EventKey, answer: _Answer, record: Callable[[_Record], None], what: _Record) -> tuple[_Answer, _Record | None]:
        """Records what was decided, unless another thread has answered the same event meanwhile; then that answer stands, without a record.

        Raises `StorageError` when it cannot be recorded; the event then counts as not answered.
        """
        kept = self.keep(key, answer)
        if kept is not answer:
            return kept, None
        self._recorded((key,), lambda: record(what))
        return kept, what

    def settle_many(
        self, keys: Sequence[EventKey], answers: Sequence[_Answer], record: Callable[[Sequence[int]], None]
    ) -> Sequence[_Answer]:
        """`settle` of many events, recorded in one step, all of them or none; `record` is told the places of those to be recorded."""
        if self._all_are_new(keys, answers):
            self._recorded(keys, lambda: record(range(len(keys))))
            return answers
        kept = [self.keep(key, answer) for key, answer in zip(keys, answers, strict=True)]
        own = [place for place, answer in enumerate(answers) if kept[place] is answer]
        self._recorded([keys[place] for place in own], lambda: record(own))
        return kept

    def _all_are_new(self, keys: Sequence[EventKey], answers: Sequence[_Answer]) -> bool:
        """Keeps the answers to events that differ and of which none was known; else false, and nothing is kept."""
        with self._lock:
            if len(set(keys)) < len(keys) or not self.knows_none(keys):
                return False
            self._answers.add_each(keys, answers)
            return True

    def settle_together(self, keys: Sequence[EventKey], answers: Together[_Answer], record: Callable[[], None]) -> bool:
        """`settle_many` where no other thread was quicker with any of them; false, and nothing is done, where one was."""
        with self._lock:
            if not self.knows_none(keys):
                return False
            self._answers.add(keys, answers)
        self._recorded(keys, record)
        return True

    def _recorded(self, keys: Sequence[EventKey], record: Callable[[], None]) -> None:
        """Records, or forgets the answers again."""
        try:
            record()
        except BaseException:
            with self._lock:
                self._answers.drop(keys)
            raise
