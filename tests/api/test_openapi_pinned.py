"""The description of the API that stands in the repository is the one the API gives: a change of it is seen where it is reviewed.

To pin it anew: `python -m tests.api.test_openapi_pinned`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec

from fraud.api.main import openapi_document
from fraud.app.parts import open_app
from fraud.cli.service import create_service
from fraud.settings import load_settings
from tests.api.conftest import House

PINNED = Path(__file__).parents[2] / "docs" / "openapi.json"


def pinned_form(document: dict[str, Any]) -> bytes:
    """A document as it is kept: readable, in a fixed order, without the version, which every release changes."""
    plain = {**document, "info": {**document["info"], "version": "0"}}
    return msgspec.json.format(msgspec.json.encode(plain, order="sorted"), indent=1) + b"\n"


def test_the_pinned_document_is_current(house: House) -> None:
    made = pinned_form(openapi_document(house.app))
    assert PINNED.read_bytes() == made, "run python -m tests.api.test_openapi_pinned and look at what changed"


def main() -> None:
    """Writes the document of today."""
    with tempfile.TemporaryDirectory() as folder, open_app(load_settings(workspace=Path(folder))) as app:
        PINNED.write_bytes(pinned_form(openapi_document(create_service(app))))


if __name__ == "__main__":
    main()
