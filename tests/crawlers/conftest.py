"""Fixtures of the crawlers' tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from crawlers.page import read_page
from tests.crawlers.servers import Authority, make_authority


@pytest.fixture(scope="session", autouse=True)
def warm_reader() -> None:
    """The first page pays for loading the language model and compiled code; no property test shall."""
    read_page("<p>" + "We went hiking along the ridge. " * 10, "https://warm.example/")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority of the test run's own."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program is not installed")
    return make_authority(tmp_path_factory.mktemp("authority"), openssl)


@pytest.fixture
def real_pages() -> Path:
    """The folder of real pages in the development data."""
    folder = Path(os.environ.get("FRAUD_TEST_DATA", "")) / "pages"
    if not os.environ.get("FRAUD_TEST_DATA") or not folder.is_dir():
        pytest.skip("FRAUD_TEST_DATA does not name a folder with pages")
    return folder
