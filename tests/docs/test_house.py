"""What must never stand in the repository, and how long its front page may be."""

from __future__ import annotations

import re

from tests.docs.pages import PAGES, ROOT, name_of, repository_files, text_of

HOME_FOLDER = re.compile(r"(?<![\w.:/])/(?:home|Users|root|work)/[A-Za-z]|[A-Z]:\\\\?Users\\")
REGISTRY = re.compile(r"https?://|--(?:extra-)?index-url|--find-links|^\s*-[if]\s| @ ", re.MULTILINE)
ACCUSING = "fraud" + "ster"
READ_BY_PEOPLE = {"fraud", "crawlers", "models", "docs", "README.md", "CHANGELOG.md", "NOTICE"}


def test_the_front_page_is_short() -> None:
    assert len(text_of(ROOT / "README.md").splitlines()) < 120


def test_no_file_names_a_developers_machine() -> None:
    assert [name_of(file) for file in repository_files() if HOME_FOLDER.search(_text(file.read_bytes()))] == []


def test_a_developers_folder_would_be_noticed() -> None:
    assert HOME_FOLDER.search("see " + "/home" + "/ada/project")
    assert not HOME_FOLDER.search("https://example.org/home/ada")


def test_the_lock_files_name_no_registry() -> None:
    locks = sorted(ROOT.glob("requirements*.txt"))
    assert locks
    assert [lock.name for lock in locks if REGISTRY.search(lock.read_text("utf-8"))] == []


def test_nobody_is_accused_in_a_text() -> None:
    texts = [file for file in repository_files() if file.relative_to(ROOT).parts[0] in READ_BY_PEOPLE]
    assert set(PAGES) - {ROOT / "CONTRIBUTING.md"} <= set(texts)
    assert [name_of(file) for file in texts if ACCUSING in _text(file.read_bytes()).lower()] == []


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
