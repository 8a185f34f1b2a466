"""The reference pages say what the code says, and every part of the code that people meet is described."""

from __future__ import annotations

import pytest

from fraud.cli import main, reference
from fraud.domain.catalogue import CHECKS
from fraud.domain.tables import TABLES
from fraud.features.catalogue import FEATURES
from fraud.features.realtime import CLICK_FEATURES
from fraud.settings import Settings
from tests.docs.pages import ROOT, text_of

FOLDER = ROOT / "docs" / "reference"
GENERATED = reference.pages(main.app)


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_a_reference_page_is_what_the_generator_writes(name: str) -> None:
    page = FOLDER / name
    assert page.is_file(), f"{page.relative_to(ROOT)} is missing: run `fraud reference`."
    assert page.read_text("utf-8") == GENERATED[name], f"{page.relative_to(ROOT)} is out of date: run `fraud reference`."


def test_no_reference_page_is_left_over() -> None:
    assert {page.name for page in FOLDER.iterdir()} == set(GENERATED)


def test_every_setting_is_described() -> None:
    undescribed = [name for name, field in Settings.model_fields.items() if not (field.description or "").strip()]
    assert not undescribed
    listed = text_of(FOLDER / "settings.md")
    assert all(f"`FRAUD_{name.upper()}`" in listed for name in Settings.model_fields)


@pytest.mark.parametrize("check_id", CHECKS)
def test_every_check_has_a_section_and_all_its_texts(check_id: str) -> None:
    spec = CHECKS[check_id]
    assert f"\n### `{check_id}`: {spec.title}\n" in GENERATED["checks.md"]
    for text in (spec.title, spec.looks_for, spec.also_explained_by, spec.public_text, spec.source, spec.reason_code):
        assert text.strip()
    assert all(parameter.meaning.strip() and parameter.unit.strip() for parameter in spec.parameters)


def test_every_feature_has_its_texts() -> None:
    assert all(feature.title.strip() and feature.doc.strip() and feature.support_of.strip() for feature in FEATURES)
    assert all(feature.doc.strip() and feature.unit.strip() for feature in CLICK_FEATURES)


def test_every_column_says_what_it_holds() -> None:
    assert [column.name for table in TABLES.values() for column in table.columns if not column.doc.strip()] == []
