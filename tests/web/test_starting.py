"""A first look: the result of somebody's own file, page by page."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from fraud.app.trying import TRY
from fraud.domain.actors import SYSTEM
from tests.reports import samples
from tests.reports.markup import Page
from tests.web.conftest import NOW, Browser, Shop


@pytest.fixture
def tried(shop: Shop) -> str:
    """The address of a scan of a file of sixty affiliates that is done."""
    job = shop.app.stores.jobs.enqueue("default", TRY, {"paths": {}}, SYSTEM, NOW)
    shop.app.stores.jobs.lease([TRY], "test", NOW, timedelta(hours=1))
    result = shop.app.evidence.put(msgspec.json.encode(samples.scan_result(60)))
    shop.app.stores.jobs.finish(job.job_id, "test", {"result": result, "rejected": 0}, NOW)
    return f"/tries/{job.job_id}"


def shown(reviewer: Browser, address: str) -> Page:
    while "being put into words" in reviewer.get(address).text:
        pass
    return reviewer.page(address)


def test_a_long_result_comes_in_pages(reviewer: Browser, tried: str) -> None:
    first, last = shown(reviewer, tried), shown(reviewer, f"{tried}?page=3")
    assert "1 to 25 of 60" in first.text
    assert "51 to 60 of 60" in last.text
    assert "nordic-deals" in first.text[first.text.index("Everybody, riskiest first") :]
    assert "nordic-deals" not in last.text[last.text.index("Everybody, riskiest first") :]


def test_a_page_that_is_not_there_is_the_last(reviewer: Browser, tried: str) -> None:
    assert "51 to 60 of 60" in shown(reviewer, f"{tried}?page=900").text


def test_affiliates_of_a_file_lead_to_their_evidence_on_the_page_and_nowhere_else(reviewer: Browser, tried: str) -> None:
    page = shown(reviewer, tried)
    links = {one["href"] for one in page.all("a") if one.get("href")}
    assert not [link for link in links if link.startswith(("/affiliates/", "/rings/"))]
    anchors = {one.get("id") for _, one in page.elements}
    own = {link for link in links if link.startswith("#affiliate-")}
    assert own
    assert {link.removeprefix("#") for link in own} <= anchors
