"""Every table of every page can be had as CSV: whole, with headers, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest

from fraud.web.downloads import TABLES
from tests.reports import samples
from tests.web.conftest import Browser, Shop


def rows(browser: Browser, path: str) -> list[dict[str, str]]:
    response = browser.get(path)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.text)))


PAGES = (
    "/alerts", "/cases", "/kept-back", "/applications?state=all", "/affiliates", "/scans", "/rings", "/policy",
    "/policy/checks/website.parked", "/models", "/settings/keys", "/settings/deliveries", "/settings/jobs", "/settings/audit",
    "/decisions/dec_00001", "/affiliates/nordic-deals", "/scans/scn_00000000night1",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_page_with_tables_offers_each_as_a_file(admin: Browser, path: str) -> None:
    admin.act("/next-case")
    page = admin.page(f"{path}{'&' if '?' in path else '?'}program=default")
    offered = [href for href in page.hrefs() if "/csv/" in href or ".csv" in href or href.startswith("/nights/")]
    tables = [one for one in page.all("table") if "proof" not in one.get("class", "")]
    assert len(set(offered)) >= min(len(tables), 1)
    for href in offered:
        assert admin.get(href).text.splitlines()[0].count(",") >= 2, href


def test_the_file_holds_the_whole_list_and_not_the_page(reviewer: Browser, shop: Shop) -> None:
    shop.alerts.record([samples.alert(f"aff-{number}", loss=float(number)) for number in range(60)])
    listed = rows(reviewer, "/csv/alerts?program=default")
    assert len(listed) == 2 + 60
    assert listed[0]["subject_id"] == "nordic-deals"
    assert listed[0]["reasons"]


def test_the_file_answers_the_question_of_the_page(reviewer: Browser) -> None:
    assert [one["application_id"] for one in rows(reviewer, "/csv/applications?q=mira")] == ["app_0001"]
    assert rows(reviewer, "/csv/applications?q=nobody") == []
    assert {one["state"] for one in rows(reviewer, "/csv/cases?state=taken")} <= {"taken"}


def test_names_that_a_spreadsheet_would_run_are_text(reviewer: Browser, shop: Shop) -> None:
    shop.alerts.record([samples.alert("=HYPERLINK(1)")])
    shop.applications.fill([msgspec.structs.replace(samples.application("app_x"), name="@SUM(A1)")])
    assert "'=HYPERLINK(1)" in {one["subject_id"] for one in rows(reviewer, "/csv/alerts")}
    assert "'@SUM(A1)" in {one["name"] for one in rows(reviewer, "/csv/applications?state=all")}


def test_no_file_crosses_programs_or_roles(reviewer: Browser) -> None:
    assert reviewer.get("/csv/alerts?program=other").status_code == 403
    assert reviewer.get("/csv/keys").status_code == 403
    assert reviewer.get("/csv/nothing").status_code == 404
    assert reviewer.get("/csv/ring-edges/none").status_code == 404


def test_a_new_program_has_empty_files_with_headers(newcomer: Browser) -> None:
    keyed = {
        "changes",
        "conversions",
        "drift",
        "shape",
        "edges",
        "links",
        "peers",
        "ring-edges",
        "ring-members",
        "rings",
        "reviews",
        "signals",
        "sub-ids",
        "keys",
    }
    for name in sorted(TABLES.keys() - keyed):
        response = newcomer.get(f"/csv/{name}")
        assert response.status_code == 200, name
        assert response.text.splitlines()[0].count(",") >= 2, name
