"""Applications and profiles that people wrote: read strictly, refused with one sentence that says what to change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.domain.programs import Application
from fraud.errors import ProfileError
from fraud.workflows.applications import (
    application_from_json,
    application_from_url,
    applications_from_csv,
    read_profile,
    verified,
    website_url,
)


def as_json(folder: Path, value: Any) -> Path:
    path = folder / "application.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def as_csv(folder: Path, text: str) -> Path:
    path = folder / "batch.csv"
    path.write_text(text, encoding="utf-8")
    return path


def as_yaml(folder: Path, text: str) -> Path:
    path = folder / "program.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "website"),
    [
        ("https://blog.example/", "https://blog.example/"),
        (" blog.example ", "blog.example"),
        ("blog.example:8080/start", "blog.example:8080/start"),
        ("bücher.example", "bücher.example"),
        ("http://169.254.169.254/", "http://169.254.169.254/"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
        ("blog.example/?next=https://other.example", "https://blog.example/?next=https://other.example"),
    ],
)
def test_a_url_or_a_bare_domain_is_a_website(text: str, website: str) -> None:
    assert application_from_url(text).websites == (website,)


NONSENSE = (
    *("", "not a url", "blog", "http://", "https:///path", "ftp://blog.example", "javascript:alert(1)", "mailto:me@blog.example"),
    *("http://blog .example", "http://[::1", "http://blog.example:port/", "https://-.example", "https://b%20g.example/"),
    *("a" * 64 + ".example", "x" * 300, "x." * 150 + "example"),
)


@pytest.mark.parametrize("text", NONSENSE)
def test_nonsense_is_refused_with_a_way_out(text: str) -> None:
    with pytest.raises(ProfileError, match=r"is not a website; write it as https://example\.com"):
        application_from_url(text)


@given(st.text(max_size=60))
def test_any_text_is_a_website_or_a_clear_error(text: str) -> None:
    said = ""
    try:
        said = website_url(text, "the field websites")
    except ProfileError as refused:
        said = refused.message
    assert said == text.strip() or said == f"https://{text.strip()}" or said.startswith("the field websites has ")


def test_an_application_without_an_id_gets_the_same_one_every_time() -> None:
    first, second = application_from_url("blog.example"), application_from_url("blog.example")
    assert first.application_id == second.application_id
    assert first.application_id != application_from_url("other.example").application_id


def test_personal_values_have_no_part_in_the_id(tmp_path: Path) -> None:
    given_mail = application_from_json(as_json(tmp_path, {"websites": ["blog.example"], "email": "me@blog.example", "phone": "1"}))
    assert given_mail.application_id == application_from_url("blog.example").application_id


def test_an_application_from_json(tmp_path: Path) -> None:
    path = as_json(
        tmp_path, {"application_id": "a1", "websites": ["blog.example"], "country": "de", "email": None, "claimed_monthly_visits": 900}
    )
    read = application_from_json(path)
    assert (read.application_id, read.country, read.email, read.claimed_monthly_visits) == ("a1", "DE", "", 900)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"websites": "blog.example"}, "the field websites cannot be read"),
        ({"websites": ["blog.example"], "mail": "x"}, "there is no field 'mail'"),
        ({"websites": ["blog.example"], "email": "nobody"}, "the field email is not an e-mail address"),
        ({"websites": ["blog.example"], "country": "Germany"}, "the field country has 'Germany'"),
        ({"websites": ["blog.example"], "claimed_monthly_visits": "many"}, "the field claimed_monthly_visits cannot be read"),
        ({"websites": ["blog.example"], "claimed_monthly_visits": -1}, "is negative"),
        ({"websites": ["no site"]}, "the field websites has 'no site'"),
        ({"social_profiles": ["my page"]}, "the field social_profiles has 'my page'"),
        ({"websites": [f"b{number}.example" for number in range(26)]}, "more than 25 entries"),
        ({"name": "Kim"}, "neither websites nor social_profiles"),
        ([], "expected one object with the fields of an application, but found a list"),
        ("{\n 'websites': 1}", "line 2: this is not valid JSON"),
        ("", "this is not valid JSON"),
        ("[" * 100_000, "application.json"),
    ],
)
def test_a_faulty_application_names_file_and_field(tmp_path: Path, value: Any, says: str) -> None:
    with pytest.raises(ProfileError) as caught:
        application_from_json(as_json(tmp_path, value))
    assert says in caught.value.message
    assert "application.json" in caught.value.message
    assert "nobody" not in caught.value.message


def test_a_missing_or_binary_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be opened"):
        application_from_json(tmp_path / "nowhere.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProfileError, match="not UTF-8"):
        application_from_json(tmp_path / "binary.json")


def test_a_batch_has_an_application_a_row_and_lists_by_semicolons(tmp_path: Path) -> None:
    rows = "application_id,websites,email,claimed_monthly_visits\na1,blog.example; https://two.example/,,1200\n\n,three.example,me@three.example,\n"
    first, second = applications_from_csv(as_csv(tmp_path, "\ufeff" + rows))
    assert first.websites == ("blog.example", "https://two.example/")
    assert (first.email, first.claimed_monthly_visits) == ("", 1200)
    assert second.application_id.startswith("app_")
    assert second.claimed_monthly_visits is None


def test_two_alike_rows_are_two_applications(tmp_path: Path) -> None:
    first, second = applications_from_csv(as_csv(tmp_path, "websites\nblog.example\nblog.example\n"))
    assert first.application_id != second.application_id


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("websites,country\nblog.example,DE\ntwo.example,Germany\n", "line 3: the field country has 'Germany'"),
        ("websites,claimed_monthly_visits\nblog.example,many\n", "line 2: the field claimed_monthly_visits is 'many'"),
        ("website\nblog.example\n", "line 1: there is no column 'website'"),
        ("websites;email\nblog.example;\n", "separate columns by commas"),
        ("websites,websites\na.example,b.example\n", "a column is named twice"),
        ("name\nKim\n", "neither a column websites nor social_profiles"),
        ("websites\na.example,b.example\n", "line 2: 2 cells stand under 1 columns"),
        ('websites\n"a.example\n', "this is not valid CSV"),
        ("application_id,websites\na1,a.example\na1,b.example\n", "line 3: the field application_id repeats 'a1'"),
        ("websites\n", "no row under its header"),
        ("", "neither a column websites"),
        ("websites\nno site\n", "line 2: the field websites has 'no site'"),
    ],
)
def test_a_faulty_batch_names_the_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ProfileError) as caught:
        applications_from_csv(as_csv(tmp_path, text))
    assert says in caught.value.message
    assert "batch.csv" in caught.value.message


def test_a_profile_from_yaml_in_one_spelling(tmp_path: Path) -> None:
    hosts, places = "tracking_hosts: [https://Go.Acme.com/]", "countries: [de, 'NO']\nlanguages: [EN]"
    read = read_profile(as_yaml(tmp_path, f"name: Acme\n{hosts}\n{places}\nrequires_disclosure: true\nallows_email:\n"))
    assert (read.tracking_hosts, read.countries, read.languages) == (("go.acme.com",), ("DE", "NO"), ("en",))
    assert (read.requires_disclosure, read.allows_email) == (True, None)


def test_a_profile_from_json(tmp_path: Path) -> None:
    assert read_profile(as_json(tmp_path, {"name": "Acme", "keywords": ["tents"]})).keywords == ("tents",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("keywords: [tents]\n", "missing required field `name`"),
        ("name: ''\n", "the field name is empty"),
        ("name: Acme\nkeyword: [tents]\n", "there is no field 'keyword' in a program's profile"),
        ("name: Acme\nkeywords: tents\n", "the field keywords cannot be read"),
        ("name: Acme\ncountries: [NO]\n", "put such words in quotes"),
        ("name: Acme\nrequires_disclosure: maybe\n", "the field requires_disclosure cannot be read"),
        ("name: Acme\ntracking_hosts: [go.acme.com/path]\n", "the field tracking_hosts has 'go.acme.com/path'"),
        ("name: Acme\ndomains: ['a b']\n", "the field domains has 'a b'"),
        ("name: Acme\nminimum_domain_age_days: -3\n", "minimum_domain_age_days is negative"),
        ("name: Acme\n  keywords: [\n", "line 2: this is not valid YAML"),
        ("name: 2026-13-45\n", "this is not valid YAML"),
        ("!!python/object/apply:os.system ['true']\n", "this is not valid YAML"),
        ("- Acme\n", "found a list"),
        ("", "found nothing"),
        ("[" * 20_000, "program.yaml"),
    ],
)
def test_a_faulty_profile_names_field_or_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ProfileError) as caught:
        read_profile(as_yaml(tmp_path, text))
    assert says in caught.value.message
    assert "program.yaml" in caught.value.message


@pytest.mark.parametrize("name", ["../../etc/x", "/tmp/x", ".hidden", "a/b", "a b", "x" * 201])
def test_an_application_id_can_never_leave_its_folder(name: str) -> None:
    with pytest.raises(ProfileError, match="application_id"):
        verified(Application(application_id=name, websites=("blog.example",)), "here")


def test_a_pack_named_beside_the_profile_is_found_from_anywhere(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("name: P\npolicy: mine.yaml\n")
    assert read_profile(tmp_path / "p.yaml").policy == str((tmp_path / "mine.yaml").resolve())
    (tmp_path / "q.yaml").write_text("name: P\npolicy: default\n")
    assert read_profile(tmp_path / "q.yaml").policy == "default"
