"""The queue narrowed: by severity, kind, typology, age, holder and name; the address keeps it, and the file is of what is shown."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from fraud.domain.alerts import AlertScope, AlertState
from fraud.domain.decisions import SubjectKind
from fraud.domain.facets import Facet, FacetKind
from fraud.domain.signals import Severity
from fraud.web.queueing import Tally
from tests.reports import samples
from tests.web.conftest import NOW, Browser, Shop


@pytest.fixture
def queue(empty: Shop) -> Shop:
    """Four alerts that wait and one that was resolved."""
    alert = samples.alert("alpha")
    varied: list[dict[str, Any]] = [
        {"subject_id": "alpha-deals", "severity": Severity.CRITICAL, "typologies": ("click_flooding",)},
        {"subject_id": "beta-blog", "severity": Severity.LOW, "typologies": ("geo_mismatch",)},
        {"subject_id": "gamma-mail", "severity": Severity.LOW, "opened_at": NOW - timedelta(days=40)},
        {"subject_id": "rng_delta", "subject_kind": SubjectKind.RING, "severity": Severity.LOW, "typologies": ("collusion_ring",)},
        {"subject_id": "epsilon", "state": AlertState.RESOLVED},
    ]
    base = msgspec.structs.replace(alert, typologies=(), opened_at=NOW - timedelta(hours=2))
    empty.alerts.record([msgspec.structs.replace(base, **{"alert_id": f"alr_{at}", **one}) for at, one in enumerate(varied)])
    empty.programs.only([samples.profile()])
    boots = Facet(affiliate_id="alpha-deals", kind=FacetKind.OFFER, value="boots")
    empty.app.stores.facets.keep("default", [boots], {"alpha-deals": ["alr_0", "alr_3"]})
    return empty


@pytest.fixture
def rosa(queue: Shop, newcomer: Browser) -> Browser:
    return newcomer


def subjects(rosa: Browser, asked: str) -> set[str]:
    rows = csv.DictReader(io.StringIO(rosa.get(f"/csv/alerts?program=default&{asked}").text))
    return {row["subject_id"] for row in rows}


WAITING = {"alpha-deals", "beta-blog", "gamma-mail", "rng_delta"}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", WAITING),
        ("severity=critical", {"alpha-deals"}),
        ("severity=low&kind=affiliate", {"beta-blog", "gamma-mail"}),
        ("kind=ring", {"rng_delta"}),
        ("typology=geo_mismatch", {"beta-blog"}),
        ("q=BLOG", {"beta-blog"}),
        ("age=day", WAITING - {"gamma-mail"}),
        ("age=month", {"gamma-mail"}),
        ("offer=boots", {"alpha-deals", "rng_delta"}),
        ("offer=boots&severity=low", {"rng_delta"}),
        ("offer=nobody%27s", set()),
        ("held=free", WAITING),
        ("held=mine", set()),
        ("scope=resolved", {"epsilon"}),
        ("scope=all", WAITING | {"epsilon"}),
        ("severity=nonsense&kind=&typology=%27&age=never&held=x&scope=y", WAITING),
    ],
)
def test_the_list_and_its_file_are_what_the_address_asks_for(rosa: Browser, asked: str, found: set[str]) -> None:
    assert subjects(rosa, asked) == found
    text = rosa.page(f"/alerts?program=default&{asked}").text
    assert {name for name in WAITING | {"epsilon"} if name in text} == found


def test_every_choice_says_how_many_it_leads_to(rosa: Browser) -> None:
    text = rosa.page("/alerts").text
    assert "Critical (1)" in text
    assert "Low (3)" in text
    assert "Ring (1)" in text
    assert "boots (1)" in text
    assert "High (" not in text


def test_what_is_in_hand_is_found_by_who_holds_it(rosa: Browser) -> None:
    rosa.act("/alerts/alr_1/take")
    assert subjects(rosa, "held=mine") == {"beta-blog"}
    assert subjects(rosa, "held=taken") == {"beta-blog"}
    assert subjects(rosa, "held=free") == WAITING - {"beta-blog"}


def test_paging_keeps_the_filters(rosa: Browser, queue: Shop) -> None:
    base = msgspec.structs.replace(samples.alert("many"), severity=Severity.MEDIUM)
    queue.alerts.record([msgspec.structs.replace(base, alert_id=f"alr_m{at}", subject_id=f"many-{at}") for at in range(30)])
    hrefs = rosa.page("/alerts?severity=medium&q=many").hrefs()
    assert "/alerts?program=default&q=many&severity=medium&page=2" in hrefs
    assert "/csv/alerts?program=default&q=many&severity=medium" in hrefs


def test_a_search_that_finds_nothing_says_what_to_do(rosa: Browser) -> None:
    text = rosa.page("/alerts?q=nobody").text
    assert "No alert matches" in text
    assert "Clear the filters" in text


def test_choices_are_counted_again_when_the_clock_was_put_back(queue: Shop) -> None:
    tally = Tally()
    before = tally.of(queue.app, "default", AlertScope.WAITING).severities
    (changed,) = queue.alerts.named("default", ["alr_1"])
    assert changed.severity is Severity.LOW
    queue.alerts.change("default", "alr_1", lambda alert: msgspec.structs.replace(alert, severity=Severity.HIGH))
    assert tally.of(queue.app, "default", AlertScope.WAITING).severities == before, "not before a minute is over"
    queue.clock.move_to(NOW - timedelta(hours=1))
    assert tally.of(queue.app, "default", AlertScope.WAITING).severities[Severity.HIGH] == 1


def test_what_was_typed_is_shown_as_text(rosa: Browser) -> None:
    assert "<script>" not in rosa.get("/alerts?q=%3Cscript%3Ealert(1)%3C/script%3E").text
    assert rosa.get("/alerts?q=%00%F0%9F").status_code == 200


def test_the_list_of_affiliates_is_narrowed_by_what_they_have(reviewer: Browser, shop: Shop) -> None:
    facets = [
        Facet(affiliate_id="nordic-deals", kind=FacetKind.OFFER, value="boots"),
        Facet(affiliate_id="nordic-deals", kind=FacetKind.TYPE, value="coupon"),
        Facet(affiliate_id="coupon-harbour", kind=FacetKind.TYPE, value="coupon"),
    ]
    shop.app.stores.facets.keep("default", facets, {})
    assert "coupon (2)" in reviewer.page("/affiliates").text
    for asked, found in (("type=coupon", 2), ("type=coupon&offer=boots", 1), ("outcome=held", 1), ("offer=hats", 0)):
        table = csv.DictReader(io.StringIO(reviewer.get(f"/affiliates.csv?program=default&{asked}").text))
        names = {row["affiliate_id"] for row in table}
        assert len(names) == found, asked
        text = reviewer.page(f"/affiliates?program=default&{asked}").text
        assert "No affiliate matches" in text if not names else all(name in text for name in names)
