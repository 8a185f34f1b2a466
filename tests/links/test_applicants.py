"""Applicants who are somebody already: found by what they state, however it is spelled."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fraud.domain.graph_view import KnownMatch
from fraud.domain.programs import Application
from fraud.events.personal import hash_values
from fraud.links.applicants import applicant_edges, known_matches, site_name
from fraud.links.edges import COLUMNS, account_edges
from tests.features.programs import lake_of

PEPPER = b"p" * 32


def hashed(kind: str, value: str) -> str:
    return hash_values(PEPPER, kind, [value])[value].hash


def accounts(tmp_path: Path) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            "affiliate_id": "banned",
            "payout_account": hashed("payout_account", "DE89 3704 0044"),
            "phone": hashed("phone", "+49 30 1234567"),
        },
        {"affiliate_id": "other", "email": hashed("email", "jane.doe@gmail.com"), "websites": ["https://www.blog.example/"]},
    ]
    with closing(lake_of(tmp_path, affiliates=rows).connect("p")) as events:
        return account_edges(events)


def matches(tmp_path: Path, application: Application, **standing: str) -> tuple[KnownMatch, ...]:
    return known_matches(application, accounts(tmp_path), standing, PEPPER)


def test_a_payout_account_of_a_banned_affiliate_is_recognised_in_another_spelling(tmp_path: Path) -> None:
    application = Application(application_id="new", payout_account="de8937040044", phone="0049 30 1234567")
    (match,) = matches(tmp_path, application, banned="confirmed bad")
    assert (match.other, match.role, match.tier, match.standing) == ("banned", "affiliate", "identity", "confirmed bad")
    assert match.shared == {"payout_account": 1, "phone": 1}
    assert "payout account" in match.text
    assert match.also_explained_by


@pytest.mark.parametrize(
    ("application", "kind"),
    [
        (Application(application_id="new", email="JaneDoe+x@googlemail.com"), "email"),
        (Application(application_id="new", websites=("blog.example",)), "website"),
    ],
)
def test_things_of_ones_own_are_a_milder_match(tmp_path: Path, application: Application, kind: str) -> None:
    (match,) = matches(tmp_path, application)
    assert (match.other, match.tier, match.shared) == ("other", "strong", {kind: 1})


def test_somebody_new_is_nobody_known(tmp_path: Path) -> None:
    assert matches(tmp_path, Application(application_id="new", email="x@y.example", tax_id="7")) == ()
    assert matches(tmp_path, Application(application_id="new")) == ()


def test_earlier_applicants_count_as_affiliates_do(tmp_path: Path) -> None:
    earlier = applicant_edges([Application(application_id="first", tax_id="DE 123")], PEPPER)
    again = Application(application_id="second", tax_id="de-123")
    (match,) = known_matches(again, earlier, {"applicant:first": "applied: reject"}, PEPPER)
    assert (match.other, match.role, match.standing) == ("first", "applicant", "applied: reject")
    assert known_matches(Application(application_id="first", tax_id="DE 123"), earlier, {}, PEPPER) == ()


def test_what_many_state_is_a_platform(tmp_path: Path) -> None:
    crowd = applicant_edges([Application(application_id=f"a{n}", websites=("linktr.ee",)) for n in range(9)], PEPPER)
    assert known_matches(Application(application_id="new", websites=("https://linktr.ee/",)), crowd, {}, PEPPER) == ()


def test_edges_of_an_applicant_keep_no_personal_value() -> None:
    application = Application(application_id="x", email="a@b.example", phone="123456", applied_at=datetime(2026, 1, 1, tzinfo=UTC))
    edges = applicant_edges([application], PEPPER)
    assert tuple(edges.columns) == COLUMNS
    assert not edges["entity"].str.contains("b.example|123456").any()
    assert set(edges["affiliate_id"]) == {"applicant:x"}


def test_sites_have_one_spelling() -> None:
    assert {site_name(one) for one in ("https://www.Blog.example/", "http://blog.example", " blog.example ")} == {"blog.example"}
