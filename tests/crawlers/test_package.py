"""What the package promises to those who import it."""

from __future__ import annotations

import subprocess
import sys

import crawlers
from crawlers import errors


def test_importing_it_brings_in_neither_the_product_nor_the_data_libraries() -> None:
    code = "import crawlers, sys; print([name for name in ('fraud', 'models', 'pandas', 'sklearn', 'scipy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_everything_it_names_is_there_and_documented() -> None:
    for name in crawlers.__all__:
        assert getattr(crawlers, name).__doc__, name


def test_the_tree_of_errors_is_the_one_that_is_printed() -> None:
    for name in ("CrawlError", "LookupFailed", "RefusedAddress", "SourceUnavailable", "SettingsError"):
        assert name in (errors.__doc__ or "")
        assert issubclass(getattr(errors, name), errors.CrawlError)
    assert issubclass(errors.RefusedAddress, errors.LookupFailed)


def test_a_failed_look_up_is_a_fact() -> None:
    failure = errors.LookupFailed("http://shop.test/", "dns", "Not found.").failure()
    assert (failure.url, failure.kind, failure.message) == ("http://shop.test/", "dns", "Not found.")
