"""The one HTTP client towards trackers. Unlike the crawler's its addresses are the operator's own choice, so that private ones are fine;
like the crawler's it has budgets. Credentials go to the feed's own origin and nowhere else, and into no message."""

from __future__ import annotations

import contextlib
import mmap
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from fraud.domain.clock import Clock, as_utc
from fraud.errors import InputError, StorageError, TrackerError

T = TypeVar("T")

BUSY = frozenset({429, 503})
"""Statuses by which a server says that it did not do what was asked, and to come again."""

FAILING = frozenset({408, 500, 502, 504, 520, 521, 522, 524})
"""Statuses after which it is unknown whether it did."""

SHOWN_CHARACTERS = 200
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CHUNK = 1 << 16
_HIDDEN = "***"


class Unreadable(Exception):
    """An answer that is cut off or is not what it should be; asking again may help."""


class NotDone(Unreadable):
    """An answer that says that nothing was done and to ask again, whatever its status."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often to ask and how long to wait: the first pause doubles with each attempt, up to the ceiling, and a random half is
    taken off; a server's own Retry-After is obeyed up to `longest_wait_seconds`. A server may be silent for `read_seconds`, and an answer
    may take `whole_seconds`."""

    attempts: int = 8
    first_seconds: float = 1.0
    ceiling_seconds: float = 60.0
    longest_wait_seconds: float = 900.0
    connect_seconds: float = 10.0
    read_seconds: float = 120.0
    whole_seconds: float = 3600.0

    def pause(self, attempt: int, chance: float) -> float:
        """Seconds to wait after the attempt of that number (from 0), given a number within 0..1."""
        return min(self.ceiling_seconds, self.first_seconds * 2.0**attempt) * (0.5 + 0.5 * chance)


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request. `path` is below the base URL or, for an address the tracker gave, on its origin. A request that changes something
    says whether it may be `repeated` when it is unknown whether the first one arrived."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] = ()
    json: Any = None
    repeated: bool = True


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who asks whom: the feed's name, its base URL, how its requests prove who they are (headers, or hidden form fields), the secrets
    that must never be shown, and the environment variables they came from."""

    feed: str
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)
    hidden_form: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    variables: tuple[str, ...] = ()

    @property
    def user(self) -> str:
        """The name in Basic authentication, empty where another kind is used."""
        return self.auth[0] if self.auth else ""


class TrackerClient:
    """Asks one account of one tracker. `pause` waits that many seconds; `largest_bytes` bounds every answer."""

    def __init__(
        self,
        account: Account,
        clock: Clock,
        patience: Patience | None = None,
        pause: Callable[[float], None] = time.sleep,
        largest_bytes: int = 8 << 30,
    ) -> None:
        self.account, self._clock, self._patience, self._pause = account, clock, patience or Patience(), pause
        self._largest = largest_bytes
        self._chance = random.Random()  # noqa: S311 - jitter, no secret
        self._base = checked_base(account.feed, account.base_url)
        timeout = httpx.Timeout(self._patience.read_seconds, connect=self._patience.connect_seconds)
        self._client = httpx.Client(timeout=timeout, follow_redirects=False, headers={"Accept": "application/json"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def host(self) -> str:
        """The tracker's host, for messages."""
        return urlsplit(self._base).netloc

    def pause(self, seconds: float) -> None:
        """Waits, as between two looks at a job."""
        self._pause(seconds)

    def url(self, path: str) -> str:
        """The address of a path below the base URL, or of a whole address that the tracker gave.

        `TrackerError` when that lies elsewhere: credentials stay with their origin."""
        whole = path if "://" in path else self._base + path.lstrip("/")
        if _origin(whole) != _origin(self._base):
            raise TrackerError(
                f"{self.account.feed}: {self.host} sent us on to {urlsplit(whole).netloc}, another host, where its credentials must not go."
            )
        return whole

    def json(self, ask: Ask, kind: type[T], room: Path) -> T:
        """The answer as a type of msgspec's; it passes through a file in `room`, so that a large one does not fill the memory.

        `TrackerError` when the tracker refuses, keeps failing, or keeps answering something else."""
        target = room / "answer.json"
        return self.save(ask, target, lambda path: read_json(path, kind))

    def save(self, ask: Ask, target: Path, read: Callable[[Path], T]) -> T:
        """Streams the answer into `target` and returns what `read` makes of it; `read` raises `Unreadable` to have it asked again."""
        why = ""
        for attempt in range(self._patience.attempts):
            if attempt:
                self._pause(self._wait)
            self._wait = self._patience.pause(attempt, self._chance.random())
            try:
                why = self._once(ask, target)
                if not why:
                    return read(target)
            except Unreadable as fault:
                why = f"answered what cannot be read: {self.clean(str(fault))}"
                if not (ask.repeated or isinstance(fault, NotDone)):
                    break
            except (httpx.TransportError, httpx.DecodingError) as fault:
                why = f"did not answer ({type(fault).__name__}: {self.clean(str(fault))})"
                if not (ask.repeated or isinstance(fault, _NOT_SENT)):
                    break
            except httpx.InvalidURL as fault:
                raise TrackerError(f"{self.account.feed}: the address cannot be used: {self.clean(str(fault))}.") from fault
        raise TrackerError(f"{self.account.feed}: {self.host} {why}. What was fetched before is kept; pull again later.")

    def _once(self, ask: Ask, target: Path) -> str:
        """One attempt: empty when the answer stands in `target`, else why to try again. `TrackerError` when that is no use."""
        with self._client.stream(**self._request(ask)) as response:
            self._obey(response)
            if response.is_success:
                self._write(response, target)
                return ""
            start = self._start_of(response)
            again = response.status_code in BUSY or (response.status_code in FAILING and ask.repeated)
            if again:
                return f"answered {response.status_code} {response.reason_phrase}: {start}".rstrip(": ")
            raise TrackerError(self._refusal(response, start))

    def _request(self, ask: Ask) -> dict[str, Any]:
        form: list[tuple[str, str | int | float | bool | None]] = [*self.account.hidden_form, *ask.form]
        sent: dict[str, Any] = {"method": ask.method, "url": self.url(ask.path), "headers": dict(self.account.headers)}
        if ask.query:
            sent["params"] = list(ask.query)
        if self.account.auth:
            sent["auth"] = self.account.auth
        if form:
            sent["content"] = str(httpx.QueryParams(form)).encode()
            sent["headers"]["Content-Type"] = "application/x-www-form-urlencoded"
        elif ask.json is not None:
            sent["content"] = msgspec.json.encode(ask.json)
            sent["headers"]["Content-Type"] = "application/json"
        return sent

    def _write(self, response: httpx.Response, target: Path) -> None:
        target.unlink(missing_ok=True)  # rows of the answer before may still be mapped
        try:
            with target.open("wb") as file:
                self._copy(response, file)
        except OSError as fault:
            raise StorageError(
                f"The answer of {self.host} cannot be written to {target.parent} ({fault.strerror}); make room there."
            ) from fault

    def _copy(self, response: httpx.Response, file: BinaryIO) -> None:
        size, end = 0, self._clock.now() + timedelta(seconds=self._patience.whole_seconds)
        for chunk in response.iter_bytes(_CHUNK):
            if self._clock.now() > end:
                raise Unreadable("the answer does not come to an end")
            size += len(chunk)
            if size > self._largest:
                raise TrackerError(
                    f"{self.account.feed}: {self.host} sends more than {self._largest:,} bytes at once. Make the feed's window smaller."
                )
            file.write(chunk)

    def _obey(self, response: httpx.Response) -> None:
        """Notes how long the server wants us to wait: after a 429 or 503, and before the next request when the quota is used up."""
        asked = self._asked(response)
        if response.status_code in BUSY:
            if asked is not None:
                self._wait = min(max(asked, self._wait), self._patience.longest_wait_seconds)
        elif response.headers.get("x-ratelimit-remaining") == "0" and asked:
            self._pause(min(asked, self._patience.longest_wait_seconds))

    def _asked(self, response: httpx.Response) -> float | None:
        """Seconds the server asks for: Retry-After (seconds or a date), or those to the quota's reset; `None` when it does not say."""
        after = response.headers.get("retry-after", "").strip()
        with contextlib.suppress(ValueError):
            return max(0.0, float(after))
        if after:
            with contextlib.suppress(ValueError, TypeError):
                return max(0.0, (as_utc(parsedate_to_datetime(after)) - self._clock.now()).total_seconds())
        with contextlib.suppress(ValueError):
            return max(0.0, float(response.headers.get("x-ratelimit-reset", "")))
        return None

    def _start_of(self, response: httpx.Response) -> str:
        start = b""
        for chunk in response.iter_bytes(_CHUNK):
            start += chunk
            if len(start) >= SHOWN_CHARACTERS:
                break
        return self.clean(start[:SHOWN_CHARACTERS].decode("utf-8", "replace"))

    def _refusal(self, response: httpx.Response, start: str) -> str:
        status = f"{response.status_code} {response.reason_phrase}".strip()
        if response.status_code in {401, 403}:
            return self.refused(f"{status}: {start}")
        if response.is_redirect:
            return f"{self.account.feed}: {self.host} redirects, which is not followed with credentials. Correct base_url in the feed."
        return f"{self.account.feed}: {self.host} answered {status}: {start or 'nothing'}. Compare the feed with its documentation."

    def refused(self, why: str) -> str:
        """The sentence about credentials that were not accepted; it names the environment variables and never what is in them."""
        names = " and ".join(self.account.variables) or "the feed's environment variables"
        said = self.clean(why).rstrip(": ")
        return f"{self.account.feed}: {self.host} did not accept the credentials in {names} ({said}). Put valid ones there."

    def clean(self, text: str) -> str:
        """The start of a text, on one line, without any of the account's secrets."""
        text = self.hidden(text)
        return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:SHOWN_CHARACTERS]

    def hidden(self, text: str) -> str:
        """A text without any of the account's secrets."""
        for secret in sorted(filter(None, self.account.secrets), key=len, reverse=True):
            text = text.replace(secret, _HIDDEN)
        return text

    _wait: float = 0.0


def checked_base(feed: str, base_url: str) -> str:
    """The base URL with a `/` at its end; `InputError` unless it is https (http only on this machine) and holds no password."""
    parts = urlsplit(base_url)
    try:
        known = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        known = False
    if not known or parts.username or parts.password or parts.query or parts.fragment:
        raise InputError(f"The feed {feed}: base_url is not an address such as https://api.example.com; credentials never stand in it.")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise InputError(f"The feed {feed}: base_url must begin with https://, since credentials are sent there.")
    return base_url.rstrip("/") + "/"


def read_json(path: Path, kind: type[T]) -> T:
    """A file of JSON as a type of msgspec's; rows asked for as `msgspec.Raw` stay in the file until they are used. Raises `Unreadable`."""
    with mapped(path) as data:
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            start = bytes(data[:SHOWN_CHARACTERS]).decode("utf-8", "replace")
            raise Unreadable(f"{fault}; it begins {start!r}" if start else "an empty body") from fault


@contextlib.contextmanager
def mapped(path: Path) -> Iterator[memoryview | bytes]:
    """The bytes of a file without reading them all into memory."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            yield b""
            return
        # Views of it may outlive this block (msgspec.Raw); it is closed when the last one is gone.
        yield memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
