"""What forms send: read whole and small, and taken only from our own pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from fraud.errors import Forbidden, InputError

LONGEST_TEXT = 4_000
"""Characters of one field; the API allows a reason as many."""
_MOST_FIELDS = 300
"""Fields of one form: a page of ticks, or all that one decision may cover."""
LARGEST_FILE = 32 * 1024 * 1024
"""Bytes of one uploaded file, as much as the API takes at once."""
LARGEST_FORM = 2 * 1024 * 1024
"""Bytes of a form from somebody who is not signed in: no page of ours sends a tenth of it without a file."""
LARGEST_UPLOAD = 2 * LARGEST_FILE + 1024 * 1024
"""Bytes of a form with files: clicks and conversions, and what stands around them."""


@dataclass(frozen=True)
class Sent:
    """The fields of a form, and the files that came with it."""

    fields: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    ticked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A field without the space around it, empty when it is missing; `InputError` when it is longer than anybody writes."""
        value = self.fields.get(name, "").strip()
        if len(value) > LONGEST_TEXT:
            raise InputError(f"{name}: {len(value):,} characters are too many; {LONGEST_TEXT:,} are allowed.")
        return value

    def all(self, name: str) -> tuple[str, ...]:
        """Every value that was ticked under a name."""
        return self.ticked.get(name, ())

    def days(self, name: str, most: int) -> float:
        """A number of days from a field, above 0 and at most `most`."""
        value = self.text(name)
        try:
            days = float(value)
        except ValueError:
            days = 0.0
        if not 0 < days <= most:
            raise InputError(f"{name}: {value[:20]!r} is no number of days; give one between 1 and {most}.")
        return days


async def _read(request: Request) -> Sent:
    async with request.form(max_files=4, max_fields=_MOST_FIELDS) as form:
        texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        files = {name: await _whole(value) for name, value in form.items() if isinstance(value, UploadFile) and value.filename}
    ticked = {name: tuple(value for other, value in texts if other == name) for name in dict.fromkeys(name for name, _ in texts)}
    return Sent(dict(texts), files, ticked)


async def _whole(upload: UploadFile) -> tuple[str, bytes]:
    content = await upload.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise InputError(f"The file {upload.filename!r} is larger than 32 MB. Use `fraud scan` or `fraud ingest`, which take any size.")
    return upload.filename or "file", content


Posted = Annotated[Sent, Depends(_read)]
"""The form that a handler receives."""


def require_own_form(request: Request) -> None:
    """Lets a form through only when the browser says that one of our own pages sent it; `Forbidden` otherwise.

    Browsers say it in `Sec-Fetch-Site`, older ones in `Origin`; a client that sends neither is no browser and holds no cookie of others.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    same_host = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if site not in {None, "same-origin", "none"} or (site is None and not same_host):
        raise Forbidden("This form was sent from another site. Open the page here and try again.")
