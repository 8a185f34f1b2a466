"""The log of a lake in an object store: which objects are the lake's, said by commits in a row, each written once.

`_log/00000000000000000001.json` and so on. A commit says what it adds and what that replaces; it is put only where none is, so of two
writers one gets the place and the other reads on and tries the next. What no commit names does not count, and so nothing needs renaming.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec

from fraud.errors import StorageError
from fraud.storage.files import write_whole
from fraud.storage.lake_files import Overtaken
from fraud.storage.objects import Objects

FOLDER = "_log"
CHECKPOINT = f"{FOLDER}/checkpoint.json"
CHECKPOINT_EVERY = 100
"""Commits after which one who comes anew need not read those before one by one."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A file of the lake: its bytes and its rows."""

    size: int
    rows: int


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A change: files that are added, those that no longer count, and those of them that have been deleted at last."""

    id: str
    add: dict[str, Entry] = {}
    remove: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The lake after a commit (its number and id): the files that count, and those that do not any more, with the commit that removed
    them."""

    number: int = 0
    last: str = ""
    live: dict[str, Entry] = {}
    gone: dict[str, int] = {}


class CommitLog:
    """The log below a store's URL, with what is known of it kept in a file on this machine. The caller holds the lake's lock."""

    def __init__(self, objects: Objects, kept: Path) -> None:
        self._objects = objects
        self._kept = kept
        self._added: dict[str, int] = {}
        self.state = State()

    def refresh(self) -> None:
        """Reads what was committed since; one request when nothing was."""
        if not self.state.number:
            self.state = self._remembered()
        before = self.state.number
        while (data := self._objects.get(_name(self.state.number + 1))) is not None:
            self._apply(self._decoded(data))
        if self.state.number != before:
            write_whole(self._kept, msgspec.json.encode(self.state))

    def commit(self, change: Commit, still: Callable[[State], bool]) -> None:
        """Makes a change count, if what it rests on `still` holds then; `Overtaken` otherwise."""
        data = msgspec.json.encode(change)
        while True:
            if not still(self.state):
                raise Overtaken
            name = _name(self.state.number + 1)
            if self._objects.create(name, data) or self._is_ours(name, change):
                break
            self.refresh()
        self.refresh()
        if self.state.number % CHECKPOINT_EVERY == 0:
            self._objects.put(CHECKPOINT, msgspec.json.encode(self.state))

    def added_since(self, folder: str, number: int) -> bool:
        """Whether a commit that was read after this one has added files to a folder (a table's of a program)."""
        return self._added.get(folder, 0) > number

    def removed_at(self, number: int) -> str:
        """The name of the object of a commit."""
        return _name(number)

    def _is_ours(self, name: str, change: Commit) -> bool:
        """Whether the commit in our place is this one after all: its answer was lost on the way."""
        data = self._objects.get(name)
        return data is not None and self._decoded(data).id == change.id

    def _apply(self, change: Commit) -> None:
        old, number = self.state, self.state.number + 1
        removed, deleted = frozenset(change.remove), frozenset(change.deleted)
        live = {name: entry for name, entry in old.live.items() if name not in removed} | change.add
        gone = {name: at for name, at in old.gone.items() if name not in deleted} | dict.fromkeys(change.remove, number)
        self._added |= dict.fromkeys((folder_of(name) for name in change.add), number)
        self.state = State(number=number, last=change.id, live=live, gone=gone)

    def _remembered(self) -> State:
        """What this machine knows, else the newest checkpoint, else the beginning."""
        for data in (self._kept.read_bytes() if self._kept.exists() else None, self._objects.get(CHECKPOINT)):
            try:
                state = msgspec.json.decode(data, type=State) if data else State()
            except msgspec.MsgspecError:
                continue  # damaged: commits are never deleted, so nothing is lost but the time to read them all again
            if state.number and self._is_there(state):
                return state
        return State()

    def _is_there(self, state: State) -> bool:
        """Whether the store has the commit that something remembered ends with: it may have been emptied, or set back, since."""
        data = self._objects.get(_name(state.number))
        return data is not None and self._decoded(data).id == state.last

    def _decoded(self, data: bytes) -> Commit:
        try:
            return msgspec.json.decode(data, type=Commit)
        except msgspec.MsgspecError as fault:
            raise StorageError(
                f"The commit {self.state.number + 1} of the lake at {self._objects.url} cannot be read ({fault}). "
                f"Restore its object in {FOLDER}/."
            ) from fault


def new_commit(add: dict[str, Entry] | None = None, remove: tuple[str, ...] = (), deleted: tuple[str, ...] = ()) -> Commit:
    """A change with a name of its own."""
    return Commit(id=uuid.uuid4().hex, add=add or {}, remove=remove, deleted=deleted)


def folder_of(name: str) -> str:
    """The table's and program's folder that a file stands in."""
    return "/".join(name.split("/")[:2])


def _name(number: int) -> str:
    return f"{FOLDER}/{number:020d}.json"
