"""Every page has its place in the benchmark of pages (`make bench-pages`)."""

from __future__ import annotations

import msgspec
import pytest

from fraud.app.trying import TRY
from fraud.domain.actors import SYSTEM
from fraud.web.own_report import own_report_pages
from fraud.web.pages import create_pages
from fraud.web.rendering import page
from fraud.web.visits import Visit
from tests.benchmarks.pages import Made, pages, unmeasured
from tests.web.conftest import NOW, Browser, Shop

NAMES = Made("scn_1", "rng_1", "job_1", "job_2", "cas_1", "token")


def test_no_page_goes_unmeasured(empty: Shop) -> None:
    routers = (create_pages(empty.app, empty.signer), own_report_pages(empty.app))
    assert unmeasured(routers, pages(NAMES)) == []


def test_a_page_without_a_measure_would_be_noticed(empty: Shop) -> None:
    routers = (create_pages(empty.app, empty.signer),)
    some = [path for path in pages(NAMES) if not path.startswith("/models")]
    assert unmeasured(routers, some) == ["/models"]


@pytest.mark.parametrize("result", [None, {"progress": "Reading clicks"}, {"result": "abc", "rejected": 0}])
def test_a_first_scan_says_how_far_it_is_whatever_stands_there(reviewer: Browser, shop: Shop, result: dict[str, object] | None) -> None:
    job = shop.app.stores.jobs.enqueue("default", TRY, {"paths": {}}, SYSTEM, NOW)
    visit = Visit(SYSTEM, "default", (), "tries", now=NOW)
    shown = page("progress.html", visit, {"title": "Being scanned", "job": msgspec.structs.replace(job, result=result), "what": "Reading"})
    assert ("Reading clicks" in bytes(shown.body).decode()) == (result is not None and "progress" in result)
    assert reviewer.get(f"/tries/{job.job_id}").status_code == 200
