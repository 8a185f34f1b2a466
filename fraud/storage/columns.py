"""Column types that behave the same on SQLite and PostgreSQL, above all about what they refuse."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

from fraud.domain.clock import as_utc
from fraud.errors import InputError

MAX_NAME_BYTES = 1000
"""The longest indexed name, in bytes of UTF-8: two of them still fit PostgreSQL's largest index entry, 2704 bytes."""

Position = BigInteger().with_variant(Integer, "sqlite")
"""A row's place in the order of arrival; SQLite numbers rows by itself only when the type is plain `INTEGER`."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: stored in UTC, read back aware and in UTC on both databases. One given without a zone is UTC already."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC; SQLite keeps it as text that sorts, so without its zone."""
        if value is None:
            return None
        moment = as_utc(value)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment, aware and in UTC."""
        return None if value is None else as_utc(value).astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text of any length. NUL and lone surrogates are an `InputError`: one database would refuse them, the other would not."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text, if both databases can keep it."""
        return None if value is None else storable(value)


class Name(Words):
    """Text that is searched by, so no longer than an index can hold (`MAX_NAME_BYTES`)."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The name, if both databases can keep it and find it."""
        if value is not None and len(storable(value).encode()) > MAX_NAME_BYTES:
            raise InputError(f"The name {value[:40]!r}… is longer than {MAX_NAME_BYTES} bytes; use a shorter one.")
        return value


def storable(value: str) -> str:
    """The same text, or an `InputError` when it holds NUL or half of a surrogate pair."""
    if "\x00" in value:
        raise InputError(f"The text {value[:40]!r} contains a NUL character, which cannot be kept; remove it.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"The text {value[:40]!r} is not valid Unicode at position {error.start}; correct it.") from None
    return value


def legible(value: str) -> str:
    """The text with a replacement mark for everything `storable` would refuse."""
    return value.replace("\x00", "\ufffd").encode(errors="replace").decode()
