"""Every page has its place in the benchmark of pages (`make bench-pages`)."""

from __future__ import annotations

from fraud.web.own_report import own_report_pages
from fraud.web.pages import create_pages
from tests.benchmarks.pages import Made, pages, unmeasured
from tests.web.conftest import Shop

NAMES = Made("scn_1", "rng_1", "job_1", "job_2", "cas_1", "token")


def test_no_page_goes_unmeasured(empty: Shop) -> None:
    routers = (create_pages(empty.app, empty.signer), own_report_pages(empty.app))
    assert unmeasured(routers, pages(NAMES)) == []


def test_a_page_without_a_measure_would_be_noticed(empty: Shop) -> None:
    routers = (create_pages(empty.app, empty.signer),)
    some = [path for path in pages(NAMES) if not path.startswith("/models")]
    assert unmeasured(routers, some) == ["/models"]
