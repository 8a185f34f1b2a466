"""Links lead somewhere, and so do the sections, checks and settings that pages and code name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraud.domain.catalogue import CHECKS
from fraud.domain.outbox import EventKind
from fraud.settings import Settings
from tests.docs.pages import PAGES, ROOT, anchors, links, name_of, prose, repository_files, text_of

ENVIRONMENT_OF_TESTS = {"FRAUD_TEST_DATA", "FRAUD_TEST_REQUIRE"}
CITED = re.compile(r"\bdetection(?:\.md`?)? (\d+(?:\.\d+)*)|\b[Ss]ections? (\d+(?:\.\d+)*)")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_into_the_repository_resolves(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_a_link_to_nowhere_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A title\n\nSee [there](gone.md#x) and [here](#a-title).\n\n```\n[no](link.md)\n```\n", encoding="utf-8")
    assert links(page) == ["gone.md#x", "#a-title"]
    assert anchors(page) == {"a-title"}


def test_every_page_can_be_reached_from_the_documentations_first_page() -> None:
    first = ROOT / "docs" / "README.md"
    linked = {(first.parent / link.partition("#")[0]).resolve() for link in links(first)}
    lost = [page for page in (ROOT / "docs").rglob("*.md") if page != first and page not in linked and page.parent not in linked]
    assert not lost


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_checks_and_settings_named_on_pages_exist(page: Path) -> None:
    named = set(re.findall(r"`((?:website|application|traffic|click)\.(?!py`)[a-z_]+)`", prose(page)))
    assert named - {kind.value for kind in EventKind} <= set(CHECKS)
    settings = {f"FRAUD_{name.upper()}" for name in Settings.model_fields} | ENVIRONMENT_OF_TESTS
    assert set(re.findall(r"\bFRAUD_[A-Z_]*[A-Z]\b", text_of(page))) <= settings


def test_sections_that_the_code_cites_are_there() -> None:
    sections = set(_sections(ROOT / "docs" / "detection.md")) | set(_sections(ROOT / "docs" / "vetting.md"))
    cited = {
        (number, name_of(file))
        for file in repository_files()
        if file.suffix in {".py", ".yaml"} and file.parts[len(ROOT.parts)] in {"fraud", "models"}
        for found in CITED.finditer(file.read_text("utf-8"))
        if (number := found[1] or found[2])
    }
    assert cited
    assert sorted(citation for citation in cited if citation[0] not in sections) == []


def _sections(page: Path) -> Iterator[str]:
    """The numbers of headings, of a list's items under them (4.1.2), of numbered rows and of numbered paragraphs."""
    heading = ""
    for line in prose(page).splitlines():
        if found := re.match(r"#+ (\d+(?:\.\d+)*)\.? ", line):
            heading = found[1]
            yield heading
        elif found := re.match(r"(?:\| )?(\d+\.\d+) ", line):
            yield found[1]
        elif found := re.match(r"(\d)\. ", line):
            yield f"{heading}.{found[1]}"
