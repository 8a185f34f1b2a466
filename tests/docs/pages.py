"""The repository's pages as the tests read them: their fenced blocks, headings and links."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + list((ROOT / "docs").rglob("*.md")))
"""Every page for people."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language ('' when none is given) and its text."""

    language: str
    text: str


def name_of(page: Path) -> str:
    """A page's path in the repository, for the names of tests."""
    return page.relative_to(ROOT).as_posix()


@cache
def text_of(page: Path) -> str:
    """A page's text."""
    return page.read_text("utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return [block.text for block in (Block(*found) for found in _FENCE.findall(text_of(page))) if block.language == language]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text_of(page))


def inline_code(page: Path) -> list[str]:
    """What stands between backticks in the running text."""
    return _CODE.findall(prose(page))


def links(page: Path) -> list[str]:
    """The targets of a page's links that lead into the repository."""
    return [target for target in _LINK.findall(_CODE.sub("", prose(page))) if not re.match(r"[a-z]+:", target)]


@cache
def anchors(page: Path) -> frozenset[str]:
    """What a link may point at in a page: its headings as GitHub spells them, and anchors set by hand."""
    return frozenset({_slug(heading) for heading in _HEADING.findall(prose(page))} | set(_ANCHOR.findall(text_of(page))))


def _slug(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", _LINK.sub("", heading).strip().lower())
    return kept.replace(" ", "-")


@cache
def repository_files() -> tuple[Path, ...]:
    """Every file that is, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return tuple(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())
