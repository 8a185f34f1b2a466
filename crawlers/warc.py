"""What was seen, as a WARC file (ISO 28500:2017): one `resource` record per page, each its own gzip member.

The bodies are those that were read, inflated and as far as they were read, so they are resources and not the servers' own messages.
"""

from __future__ import annotations

import base64
import gzip
import uuid
from collections.abc import Iterable, Iterator

from crawlers.facts import Snapshot

VERSION = b"WARC/1.1"
SOFTWARE = "affiliate-fraud"
NAMESPACE = uuid.UUID("6d5b3a5e-3c1d-4c43-9c0f-5d1d5a0f7f11")


def warc(pages: Iterable[tuple[Snapshot, bytes]]) -> Iterator[bytes]:
    """Yield the file in pieces: a `warcinfo` record, then each page. The same pages always give the same bytes."""
    info = f"software: {SOFTWARE}\r\nformat: WARC File Format 1.1\r\n".encode()
    yield _member({"WARC-Type": "warcinfo", "Content-Type": "application/warc-fields"}, info, "1970-01-01T00:00:00Z", "info")
    for seen, body in pages:
        fields = {
            "WARC-Type": "resource",
            "WARC-Target-URI": seen.url.replace("\r", "").replace("\n", ""),
            "WARC-Payload-Digest": f"sha256:{_base32(seen.sha256)}",
            "Content-Type": seen.content_type.replace("\r", "").replace("\n", "") or "application/octet-stream",
            **({"WARC-Truncated": "length"} if seen.truncated else {}),
        }
        moment = seen.fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        yield _member(fields, body, moment, f"{seen.url} {moment} {seen.sha256}")


def _member(fields: dict[str, str], body: bytes, moment: str, name: str) -> bytes:
    named = {"WARC-Record-ID": f"<urn:uuid:{uuid.uuid5(NAMESPACE, name)}>", "WARC-Date": moment, **fields, "Content-Length": str(len(body))}
    head = b"\r\n".join([VERSION, *(f"{key}: {value}".encode() for key, value in named.items())])
    return gzip.compress(head + b"\r\n\r\n" + body + b"\r\n\r\n", mtime=0)


def _base32(sha256: str) -> str:
    return base64.b32encode(bytes.fromhex(sha256)).decode().rstrip("=")
