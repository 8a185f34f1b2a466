"""Clicks as trackers send them (CONTRACT 1), and as the product knows them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Literal, TypeVar, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from fraud.api.bodies import decoded
from fraud.api.problems import BodyTooLarge, FieldFault, InvalidFields
from fraud.domain.clicks import COLUMNS, Clicks, Column, ColumnClicks, ListedClicks
from fraud.domain.clock import as_utc, microseconds
from fraud.domain.events import Click
from fraud.events.casting import EARLIEST, LATEST, MICROSECONDS_BELOW, MILLISECONDS_BELOW, SECONDS_BELOW
from fraud.features.identities import LONGEST_ADDRESS, address_of

MOST_CLICKS = 10_000
"""Clicks, or conversions, in one call (CONTRACT 4)."""

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_UNITS = ((SECONDS_BELOW, 1_000_000), (MILLISECONDS_BELOW, 1_000), (MICROSECONDS_BELOW, 1))
_FIRST, _LAST = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (EARLIEST, LATEST))
EXPECTED_TIME = f"Expected ISO 8601 (2026-03-01T10:00:00Z) or epoch seconds, milliseconds or microseconds, between {EARLIEST} and {LATEST}"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Text = Annotated[str, msgspec.Meta(max_length=16_000)]


class ClickIn(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A click as it comes in. An absent field, `null` and an empty text mean unknown; fields that are not listed are ignored."""

    click_id: Name
    clicked_at: Annotated[str | int | float, msgspec.Meta(description=EXPECTED_TIME)]
    affiliate_id: Name
    program_id: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    offer_id: Text | None = None
    sub_id: Text | None = None
    sub2: Text | None = None
    sub3: Text | None = None
    sub4: Text | None = None
    sub5: Text | None = None
    ip: Text | None = None
    user_agent: Text | None = None
    device_id: Text | None = None
    country: Annotated[str, msgspec.Meta(max_length=100, description="ISO 3166-1 alpha-2")] | None = None
    language: Text | None = None
    referrer: Text | None = None
    landing_url: Text | None = None
    dwell_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | Literal[""] | None = None
    js_executed: bool | Literal[""] | None = None
    viewport: Text | None = None


_ONE = msgspec.json.Decoder(ClickIn)
_MANY = msgspec.json.Decoder(list[ClickIn])
_TEXTS = tuple(name for name in ClickIn.__struct_fields__ if name not in {"clicked_at", "dwell_ms", "js_executed"})
_NO_TEXT = b"u0000"
"""How JSON writes the NUL character, which it does not allow as it is."""

_GET = {name: attrgetter(name) for name in COLUMNS}
_FIRST_AT, _LAST_AT = microseconds(_FIRST), microseconds(_LAST)


def read_click(body: bytes) -> ClickIn:
    """One click from JSON; `InvalidFields` names what is wrong with it."""
    return decoded(body, _ONE.decode)


def read_clicks(body: bytes) -> list[ClickIn]:
    """Up to 10,000 clicks from a JSON array or from NDJSON, told apart by their first character."""
    return read_many(body, _ONE, _MANY)


def read_many(body: bytes, one: msgspec.json.Decoder[_T], many: msgspec.json.Decoder[list[_T]]) -> list[_T]:
    """Up to 10,000 things from a JSON array or from NDJSON, told apart by the first character."""
    found = decoded(body, many.decode if body.lstrip()[:1] == b"[" else one.decode_lines)
    require_no_more(len(found))
    return found


def require_no_more(events: int) -> None:
    """Raises `BodyTooLarge` for more events than one call may bring."""
    if events > MOST_CLICKS:
        raise BodyTooLarge(f"{events:,} events are too many for one call; send at most {MOST_CLICKS:,}.")


def click_of(sent: ClickIn, program_id: str, place: str = "") -> Click:
    """The click in the product's own terms; `place` is where it stood in the body.

    Raises `InvalidFields` for a time that cannot be read and for text that cannot be kept.
    """
    require_text(sent, _TEXTS, place)
    return _plain_click_of(sent, program_id, required_moment(sent.clicked_at, f"{place}clicked_at"))


def click_of_body(body: bytes, sent: ClickIn, program_id: str) -> Click:
    """`click_of` for a click that is alone in its body: text that could not be kept needs an escape, and most bodies have none."""
    if _NO_TEXT in body:
        require_text(sent, _TEXTS, "")
    return _plain_click_of(sent, program_id, required_moment(sent.clicked_at, "clicked_at"))


def _plain_click_of(sent: ClickIn, program_id: str, moment: datetime) -> Click:
    dwell, executed, ip = sent.dwell_ms, sent.js_executed, sent.ip
    return Click(
        click_id=sent.click_id,
        clicked_at=moment,
        affiliate_id=sent.affiliate_id,
        program_id=program_id,
        offer_id=sent.offer_id or None,
        sub_id=sent.sub_id or None,
        sub2=sent.sub2 or None,
        sub3=sent.sub3 or None,
        sub4=sent.sub4 or None,
        sub5=sent.sub5 or None,
        ip=None if not ip else ip if len(ip) <= LONGEST_ADDRESS else address_of(ip),
        user_agent=sent.user_agent or None,
        device_id=sent.device_id or None,
        country=country_of(sent.country) if sent.country else None,
        language=sent.language or None,
        referrer=sent.referrer or None,
        landing_url=sent.landing_url or None,
        dwell_ms=None if dwell == "" else dwell,
        js_executed=None if executed == "" else executed,
        viewport=sent.viewport or None,
    )


def received_clicks(body: bytes, sent: Sequence[ClickIn], programs: Mapping[str | None, str]) -> Clicks:
    """The clicks of a body in order, by column where that can be; `programs` has the program of each name that stands in it.

    `InvalidFields` names the first that cannot be read.
    """
    if _NO_TEXT not in body and len(set(programs.values())) == 1:
        at = _microseconds_of([click.clicked_at for click in sent])
        if at is not None:
            return ColumnClicks(next(iter(programs.values())), at, _columns_of(sent))
    return ListedClicks([click_of(click, programs[click.program_id], f"[{place}].") for place, click in enumerate(sent)])


def _columns_of(sent: Sequence[ClickIn]) -> dict[str, Column]:
    """The columns that say something, as `_plain_click_of` has it."""
    columns: dict[str, Column] = {}
    for name, get in _GET.items():
        column = [*map(get, sent)]
        if all(column):
            columns[name] = column
        elif column.count(None) < len(column):
            columns[name] = [None if one == "" else one for one in column]
    if "country" in columns:
        of: dict[str | None, str | None] = {text: country_of(text) for text in set(columns["country"])}
        columns["country"] = [of[text] for text in columns["country"]]
    if "ip" in columns and max(map(len, filter(None, columns["ip"])), default=0) > LONGEST_ADDRESS:
        columns["ip"] = [kept_address(ip) for ip in columns["ip"]]
    return columns


def _microseconds_of(times: Sequence[str | int | float]) -> NDArray[np.int64] | None:
    """`moment_of` of each in microseconds since 1970 (clicks,); `None` when one of them is none."""
    numbers = cast("Sequence[int]", times) if set(map(type, times)) == {int} else ()
    if numbers and max(numbers) < MICROSECONDS_BELOW and min(numbers) > -MICROSECONDS_BELOW:
        said = np.array(numbers, np.int64)
        size = np.abs(said)
        at = np.where(size < SECONDS_BELOW, said * 1_000_000, np.where(size < MILLISECONDS_BELOW, said * 1_000, said))
        return at if at.min() >= _FIRST_AT and at.max() < _LAST_AT else None
    moments = [moment_of(time) for time in times]
    return None if None in moments else np.array([microseconds(moment) for moment in moments if moment is not None], np.int64)


def require_text(sent: msgspec.Struct, names: Sequence[str], place: str) -> None:
    """Raises `InvalidFields` for text that no store can keep."""
    for name in names:
        if "\x00" in (getattr(sent, name) or ""):
            raise field_fault(f"{place}{name}", "Expected text without NUL characters")


def required_moment(value: str | float, field: str) -> datetime:
    """A time of CONTRACT 1 in UTC; `InvalidFields` when it is none."""
    moment = moment_of(value)
    if moment is None:
        raise field_fault(field, EXPECTED_TIME)
    return moment


def kept_address(ip: str | None) -> str | None:
    """An address as it is kept: a longer text than any address has is opaque and stands as its hash."""
    return (ip or None) if len(ip or "") <= LONGEST_ADDRESS else address_of(ip)


def moment_of(value: str | float) -> datetime | None:
    """A time of CONTRACT 1 in UTC, or `None` when it is none: the same rule by which tables of events are read."""
    try:
        moment = _from_text(value.strip()) if isinstance(value, str) else _from_epoch(value)
    except (OverflowError, ValueError):
        return None
    return moment if moment is not None and _FIRST <= moment < _LAST else None


@lru_cache(maxsize=1024)
def country_of(text: str | None) -> str | None:
    """A country's two letters in capitals; anything else, such as a macro left unfilled, is unknown."""
    code = (text or "").strip().upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None


def _from_text(text: str) -> datetime | None:
    if _NUMBER.fullmatch(text):
        return _from_epoch(float(text) if "." in text else int(text))
    return as_utc(datetime.fromisoformat(text))


@lru_cache(maxsize=4096)
def _from_epoch(value: float) -> datetime | None:
    if isinstance(value, int) and abs(value) < SECONDS_BELOW:
        return datetime.fromtimestamp(value, UTC)
    factor = next((factor for bound, factor in _UNITS if abs(value) < bound), None)
    if factor is None:
        return None
    return _EPOCH + timedelta(microseconds=value * factor if isinstance(value, int) else round(value * factor))


def field_fault(field: str, message: str) -> InvalidFields:
    """A single field that cannot be used."""
    return InvalidFields(f"{field}: {message}.", (FieldFault(field, message),))
