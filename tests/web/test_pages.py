from __future__ import annotations

import csv
import io
from urllib.parse import quote

import msgspec
import pytest

from fraud.domain.actors import Role
from fraud.errors import StorageError
from tests.reports import samples
from tests.reports.markup import read
from tests.web.conftest import NOW, REVIEW_KEY, Browser, Shop, browser_of

SCAN = "scn_00000000night1"


def test_today_shows_the_latest_scan_the_open_alerts_and_the_newest_applicants(reviewer: Browser) -> None:
    page = reviewer.page("/")
    assert "2 affiliates and 1 further alert need a person" in page.text
    assert "Commission at risk 3,880.00 EUR" in page.text
    assert "1,940.00 EUR at risk" in page.text
    assert "Mira Lindqvist Needs review 0.83" in page.text
    assert f"/scans/{SCAN}?program=default" in page.hrefs()
    assert "/affiliates/nordic-deals?program=default" in page.hrefs()


def test_alerts_come_by_expected_loss(reviewer: Browser, shop: Shop) -> None:
    shop.alerts.record([samples.alert("small-one", loss=10.0), samples.alert("no-estimate", loss=0.0)])
    text = reviewer.page("/alerts").text
    assert text.index("nordic-deals") < text.index("small-one") < text.index("no-estimate")
    assert "4 open alerts" in text
    assert text.count(" EUR at risk") == 3  # the alert without an estimate claims none


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("/", "fraud scan"),
        ("/alerts", "Nothing waits for you."),
        ("/scans", "fraud ingest"),
        ("/applications", "POST /v1/applications"),
    ],
)
def test_an_empty_page_says_what_to_do(newcomer: Browser, path: str, advice: str) -> None:
    assert advice in newcomer.page(path).text


def test_a_scan_is_the_report_with_links_to_affiliates_and_decisions(reviewer: Browser) -> None:
    page = reviewer.page(f"/scans/{SCAN}")
    assert "What needs a person" in page.text
    assert "/affiliates/nordic-deals?program=default" in page.hrefs()
    assert "/decisions/dec_00001?program=default" in page.hrefs()
    assert f"/scans/{SCAN}.csv?program=default" in page.hrefs()


def test_a_scans_table_is_a_file(reviewer: Browser) -> None:
    response = reviewer.get(f"/scans/{SCAN}.csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == f'attachment; filename="{SCAN}.csv"'
    assert len(list(csv.DictReader(io.StringIO(response.text)))) == 60


def test_the_list_of_scans_is_newest_first(reviewer: Browser) -> None:
    text = reviewer.page("/scans").text
    assert text.index("4 Mar 2026") < text.index("3 Mar 2026, 00:00 UTC")


def test_an_affiliate_shows_its_place_reasons_peers_and_nights(reviewer: Browser) -> None:
    page = reviewer.page("/affiliates/nordic-deals")
    assert "Place 1 of 60 by risk in the scan of 4 Mar 2026, 00:00 UTC" in page.text
    assert "Seen 61% Usual 4% Rests on 212" in page.text
    assert "Recent nights" in page.text
    assert page.all("svg")
    assert "/decisions/dec_00001?program=default" in page.hrefs()
    assert "/scans/scn_earlier?program=default" in page.hrefs()


def test_an_affiliate_without_traffic_lately_still_has_its_last_decision(reviewer: Browser, shop: Shop) -> None:
    shop.scans.only([samples.quiet_scan()])
    page = reviewer.page("/affiliates/nordic-deals")
    assert "no traffic in the newest scan; it was last judged on 4 Mar 2026, 00:04 UTC: Hold commission" in page.text


def test_an_affiliate_links_to_the_dossier_of_its_own_application(reviewer: Browser, shop: Shop) -> None:
    shop.applications.fill([samples.application("nordic-deals")])
    assert "/applications/nordic-deals?program=default" in reviewer.page("/affiliates/nordic-deals").hrefs()


def test_an_application_shows_its_dossier(reviewer: Browser) -> None:
    page = reviewer.page("/applications/app_0001")
    assert "Mira Lindqvist" in page.text
    assert "What would settle it" in page.text
    assert "/decisions/dec_vet01?program=default" in page.hrefs()
    assert "app_0002 Approve" in reviewer.page("/applications/app_0002").text


def test_an_application_without_dossier_is_still_being_checked(reviewer: Browser) -> None:
    assert "Still being checked" in reviewer.page("/applications/app_0003").text


def test_a_decision_is_shown_as_it_was_made_and_how_to_replay_it(reviewer: Browser) -> None:
    text = reviewer.page("/decisions/dec_00001").text
    assert "Affiliate nordic-deals Hold commission" in text
    assert "The policy lets only a person suspend an affiliate" in text
    for fact in (samples.POLICY.hash, samples.FOREST.hash, "c3" * 32, "9c" * 32, "fraud replay dec_00001", '"late_share": 0.61'):
        assert fact in text
    assert "No declared robots In order" in text


@pytest.mark.parametrize("path", ["/scans/none", "/scans/none.csv", "/affiliates/none", "/applications/none", "/decisions/none"])
def test_what_is_not_there_is_a_page_that_says_what_to_do(reviewer: Browser, path: str) -> None:
    page = reviewer.page(path, status=404)
    assert "Check the address, or look in another of your programs" in page.text
    assert "/" in page.hrefs()


@pytest.mark.parametrize("path", ["/scans/scn_elsewhere", "/scans/scn_elsewhere.csv", "/applications/app_other", "/decisions/dec_other"])
def test_nothing_crosses_from_one_program_to_another(reviewer: Browser, admin: Browser, path: str) -> None:
    assert reviewer.get(path).status_code == 404
    assert reviewer.get(f"{path}?program=other").status_code == 403
    assert admin.get(f"{path}?program=default").status_code == 404
    assert admin.get(f"{path}?program=other").status_code == 200


def test_lists_show_only_their_program(reviewer: Browser, admin: Browser) -> None:
    assert "secret-partner" not in reviewer.page("/alerts").text
    other = admin.page("/alerts?program=other")
    assert "secret-partner" in other.text
    assert "nordic-deals" not in other.text
    assert all("program=other" in href for href in other.hrefs() if href.startswith("/"))


@pytest.mark.parametrize("program", ["other", "no-such-program"])
def test_a_program_that_is_not_yours_is_forbidden_whether_or_not_it_exists(reviewer: Browser, program: str) -> None:
    page = reviewer.page(f"/?program={program}", status=403)
    assert "Your key does not open this program." in page.text
    assert "Other Program" not in page.text


def test_the_switcher_offers_only_ones_own_programs(reviewer: Browser, admin: Browser) -> None:
    assert not reviewer.page("/").all("select")
    offered = [option["value"] for option in admin.page("/?program=other").all("option")]
    assert offered == ["default", "other"]
    assert next(option for option in admin.page("/?program=other").all("option") if "selected" in option)["value"] == "other"


def test_a_program_without_a_profile_can_be_entered_by_its_own_people(shop: Shop) -> None:
    shop.actors.accept_key("key-of-a-new-program", "Nora", Role.REVIEW, ("brand-new",), NOW)
    page = browser_of(shop).sign_in("key-of-a-new-program").page("/")
    assert "brand-new" in page.text
    assert "No scan yet" in page.text


@pytest.mark.parametrize("name", [samples.HOSTILE, samples.RIGHT_TO_LEFT, samples.LONG, "a/b?c=d#e", "späti & söhne", "100%25"])
def test_any_affiliate_has_a_page_whatever_its_name(reviewer: Browser, shop: Shop, name: str) -> None:
    result = samples.scan_result()
    shop.scans.only([msgspec.structs.replace(result, affiliates=(msgspec.structs.replace(result.affiliates[0], affiliate_id=name),))])
    address = f"/affiliates/{quote(name, safe='')}?program=default"
    assert "Place 1 of 1" in reviewer.page(address).text
    assert address in reviewer.page(f"/scans/{SCAN}").hrefs()


def test_hostile_content_is_text_on_every_page(reviewer: Browser, shop: Shop) -> None:
    night = samples.hostile_scan()
    shop.scans.only([night])
    shop.alerts.record([one for one in night.alerts if "\0" not in one.subject_id])  # such a subject is refused by the store
    shop.programs.only([samples.profile(name=samples.HOSTILE)])
    shop.applications.fill([msgspec.structs.replace(samples.application(), name=samples.HOSTILE, websites=("javascript:alert(1)",))])
    shop.decisions.none()
    hostile = msgspec.structs.replace(samples.decision(), subject_id=samples.HOSTILE, inputs={samples.HOSTILE: "</pre><script>x</script>"})
    shop.decisions.add([hostile])
    for path in ("/", "/alerts", "/scans", f"/scans/{SCAN}", "/applications", "/applications/app_0001", "/decisions/dec_00001"):
        assert samples.HOSTILE in reviewer.page(path).text, path


def test_a_store_that_fails_is_said_and_never_looks_like_a_quiet_night(
    reviewer: Browser, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(program_id: str, *_: object) -> None:
        raise StorageError(f"The database of {program_id} does not answer.")

    monkeypatch.setattr(shop.alerts, "open_page", fail)
    page = reviewer.page("/", status=503)
    assert "The database of default does not answer." in page.text
    assert "fraud doctor" in page.text


def test_a_failure_nobody_expected_is_not_hidden(reviewer: Browser, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop.app.stores.nights, "nights", None)
    with pytest.raises(TypeError):
        reviewer.get("/scans")


def test_every_section_is_linked_and_the_current_one_is_marked(reviewer: Browser) -> None:
    page = reviewer.page("/applications")
    assert {"/?program=default", "/alerts?program=default", "/applications?program=default", "/scans?program=default"} <= set(page.hrefs())
    assert [link["href"] for link in page.all("a") if link.get("aria-current") == "page"] == ["/applications?program=default"]


def test_nobody_is_called_a_fraudster(reviewer: Browser) -> None:
    for path in ("/", "/alerts", f"/scans/{SCAN}", "/affiliates/nordic-deals", "/applications/app_0001"):
        assert "fraudster" not in reviewer.get(path).text.lower()


def test_pages_are_no_part_of_the_described_api(shop: Shop) -> None:
    assert browser_of(shop).app.openapi()["paths"] == {}


def test_the_reviewer_of_several_programs_lands_in_the_first(shop: Shop) -> None:
    shop.actors.by_secret[REVIEW_KEY] = msgspec.structs.replace(shop.actors.by_secret[REVIEW_KEY], programs=("other",))
    page = read(browser_of(shop).sign_in(REVIEW_KEY).get("/").text)
    assert "Other Program" in page.text
