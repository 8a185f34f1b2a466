"""Business types as canonical JSON text, and the two ways of writing a row that SQLite and PostgreSQL share."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from fraud.domain.hashing import canonical_json
from fraud.errors import InputError, StorageError

Document = TypeVar("Document", bound=msgspec.Struct)


def encode(document: msgspec.Struct) -> str:
    """A document as canonical JSON. One that could not be read back (such as a score that is not a number) is an `InputError`."""
    text = encode_value(document)
    try:
        _decoder(type(document)).decode(text)
    except msgspec.DecodeError as error:
        raise InputError(
            f"This {type(document).__name__} cannot be kept, because it could not be read back ({error}); correct it."
        ) from error
    return text


def encode_value(value: Any) -> str:
    """Any JSON value as canonical JSON; text that is not valid Unicode is an `InputError`."""
    try:
        return canonical_json(value).decode()
    except UnicodeEncodeError as error:
        raise InputError(f"The text {error.object[:40]!r} is not valid Unicode at position {error.start}; correct it.") from None
    except RecursionError as error:
        raise InputError("The document is nested too deeply to be kept; flatten it.") from error


def decode(text: str, kind: type[Document]) -> Document:
    """The document a text holds; a `StorageError` when the text was altered or is of another version."""
    try:
        document: Document = _decoder(kind).decode(text)
    except msgspec.DecodeError as error:
        raise StorageError(f"A stored {kind.__name__} cannot be read ({error}); restore the database from a backup.") from error
    return document


def decode_value(text: str) -> Any:
    """The JSON value a text holds."""
    return msgspec.json.decode(text)


def digest(*parts: str) -> str:
    """The SHA-256 (hex) of texts, to index what may be longer than an index can hold."""
    whole = "\x1f".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(whole.encode(errors="surrogatepass")).hexdigest()


def insert_new(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Adds a row unless its key is there already; whether it was added."""
    statement = _insert(connection, table).values(row).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(statement).first() is not None


def upsert(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    """Adds a row, or replaces the one with the same primary key."""
    key = [column.name for column in table.primary_key]
    changed = {name: value for name, value in row.items() if name not in key}
    connection.execute(_insert(connection, table).values(row).on_conflict_do_update(index_elements=key, set_=changed))


def page_size(limit: int) -> int:
    """A limit for a list, or an `InputError` when it is below 1: databases disagree on what that would mean."""
    if limit < 1:
        raise InputError(f"The limit {limit} is too small; ask for 1 or more.")
    return min(limit, 2**31)


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


@cache
def _decoder(kind: type[Document]) -> msgspec.json.Decoder[Document]:
    return msgspec.json.Decoder(kind)
