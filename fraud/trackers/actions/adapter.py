"""What all adapters share: an action becomes planned calls, a planned call becomes a request, an answer is judged."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import msgspec

from fraud.domain.tracker_actions import ActionKind, PlannedCall, TrackerAction
from fraud.errors import InputError, TrackerError, Unsupported
from fraud.trackers.http import Ask, TrackerClient, read_json

T = TypeVar("T")
Planner = Callable[[TrackerAction], list[PlannedCall]]


class Adapter:
    """One account's adapter; it fulfils `TrackerActions`. Subclasses give `planners` by kind of action and judge answers."""

    tracker: ClassVar[str]
    cannot: ClassVar[Mapping[ActionKind, str]] = {}
    """Why the tracker's API cannot do a kind of action, and what to do instead."""

    def __init__(self, client: TrackerClient) -> None:
        self.client = client

    def planners(self) -> Mapping[ActionKind, Planner]:
        """What plans each kind of action that this tracker has calls for."""
        raise NotImplementedError

    def plan(self, action: TrackerAction) -> list[PlannedCall]:
        """The calls that would carry the action out."""
        planner = self.planners().get(action.kind)
        if planner is None:
            raise Unsupported(f"{self.client.account.feed}: {self.cannot[action.kind]}")
        return planner(action)

    def send(self, call: PlannedCall) -> Any:
        """Sends one planned call; what the tracker answered."""
        answer = self._answer(self._ask(call))
        self.judge(answer)
        return self.scrubbed(answer)

    def scrubbed(self, answer: Any) -> Any:
        """An answer without any of the account's secrets, wherever a tracker repeats them."""
        match answer:
            case dict():
                return {name: self.scrubbed(value) for name, value in answer.items()}
            case list():
                return [self.scrubbed(value) for value in answer]
            case str():
                return self.client.hidden(answer)
        return answer

    def judge(self, answer: Any) -> None:
        """`TrackerError` when an answer with a good status says that the call failed."""

    def read(self, path: str, kind: type[T], query: tuple[tuple[str, str], ...] = ()) -> T:
        """Reads something from the tracker, to plan by; `TrackerError` when it is not of the kind that is documented."""
        answer = self._answer(Ask(method="GET", path=path, query=query))
        self.judge(answer)
        try:
            return msgspec.convert(answer, kind)
        except msgspec.ValidationError as fault:
            raise self.refuse(f"the answer is not as documented ({fault})") from fault

    def refuse(self, why: object) -> TrackerError:
        """The error for an answer that says no."""
        return TrackerError(f"{self.client.account.feed}: {self.client.host} refused: {self.client.clean(str(why))}.")

    def lacking(self, action: TrackerAction, *names: str) -> None:
        """`InputError` when the action does not have what the call needs."""
        missing = [name for name in names if getattr(action, name) in ("", None, ())]
        if missing:
            raise InputError(f"The action {action.action_id} ({action.kind.value}) for {self.tracker} needs {', '.join(missing)}.")

    def number(self, action: TrackerAction, name: str) -> int:
        """A field that this tracker keeps as a number; `InputError` when it is none."""
        text = str(getattr(action, name))
        if not text.isdecimal():
            raise InputError(f"The action {action.action_id}: {name} is {text!r}, but {self.tracker} numbers them.")
        return int(text)

    def _ask(self, call: PlannedCall) -> Ask:
        if call.form:
            return Ask(method=call.method, path=call.path, form=tuple(form_fields(call.body)), repeated=call.harmless_twice)
        return Ask(method=call.method, path=call.path, json=call.body or None, repeated=call.harmless_twice)

    def _answer(self, ask: Ask) -> Any:
        with tempfile.TemporaryDirectory(prefix="fraud-tracker-") as folder:
            return self.client.save(ask, Path(folder) / "answer.json", _any)


def form_fields(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A body as fields of a form; lists become `name[0]`, `name[1]`, …"""
    fields = []
    for name, value in body.items():
        if isinstance(value, list | tuple):
            fields += [(f"{name}[{number}]", str(one)) for number, one in enumerate(value)]
        else:
            fields.append((name, str(value)))
    return fields


def _any(path: Path) -> Any:
    """An answer of any shape, its numbers as they are; an empty one is nothing."""
    return None if path.stat().st_size == 0 else read_json(path, cast("type[Any]", Any))
