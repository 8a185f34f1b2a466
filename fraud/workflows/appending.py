"""Events that came in as one body, into the lake: through the same strict reading as files."""

from __future__ import annotations

import tempfile
from pathlib import Path

from fraud.errors import InputError
from fraud.workflows.ingesting import EventLake, IngestOptions, IngestReport, ingest


def append_body(lake: EventLake, program_id: str, kind: str, body: bytes, options: IngestOptions) -> IngestReport:
    """Appends a body (a JSON array or NDJSON) of one kind of events to a program.

    `InputError` when there is not one usable row in it.
    """
    if not body.strip():
        raise InputError("The body is empty; send a JSON array or one JSON object a line.")
    with tempfile.TemporaryDirectory(prefix="fraud-events-") as folder:
        file = Path(folder) / "body.json"
        file.write_bytes(body)
        try:
            return ingest(lake, program_id, kind, [file], options)
        except InputError as fault:
            raise InputError(fault.message.replace(str(file), "The body")) from fault
