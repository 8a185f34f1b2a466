"""Reading bodies: up to a size, and straight into types with msgspec, so that a fault says which field and what is expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec
from fastapi import Request, Response

from fraud.api.problems import BodyTooLarge, FieldFault, InvalidFields
from fraud.errors import InputError

_T = TypeVar("_T")
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
"""How gzip and Zstandard begin."""
_MARKED = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
"""Byte order marks."""
_PLACE = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]+)`")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>[^`]+)`")


async def read_body(request: Request, limit: int) -> bytes:
    """The body, or `BodyTooLarge` as soon as it is known to have more than `limit` bytes."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def decoded(body: bytes, decode: Callable[[bytes], _T]) -> _T:
    """What `decode` makes of the body; its faults become `InvalidFields` or, for what is no JSON at all, `InputError`."""
    if not body.strip():
        raise InputError("The body is empty; send JSON.")
    try:
        if not body.isascii():
            body.decode()  # msgspec does not look at what it skips
        return decode(body)
    except msgspec.ValidationError as fault:
        raise invalid(str(fault)) from fault
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise InputError(_why_no_json(body, fault)) from fault
    except RecursionError as fault:
        raise InputError("The body is nested too deeply; send the fields themselves.") from fault


def _why_no_json(body: bytes, fault: Exception) -> str:
    if body.startswith(_COMPRESSED):
        return "The body is compressed; send the JSON as it is."
    if body.startswith(_MARKED) or b"\0" in body[:4]:
        return "The body is not plain UTF-8; send it so, without a byte order mark."
    return f"The body is not valid JSON: {fault}."


def invalid(message: str) -> InvalidFields:
    """msgspec's message as a fault that names the field."""
    place = _PLACE.search(message)
    path = place["path"] if place else ""
    what = _PLACE.sub("", message)
    for pattern, replacement in ((_MISSING, "This field is required"), (_UNKNOWN, "There is no such field")):
        if named := pattern.match(what):
            path, what = f"{path}.{named['name']}".lstrip("."), replacement
    return InvalidFields(f"{path or 'The body'}: {what}.", (FieldFault(path, what),))


def answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A value as a JSON response."""
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json", headers=headers)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit:,} bytes; send less at once.")
