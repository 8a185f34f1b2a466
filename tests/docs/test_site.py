"""The documentation builds into a site without a warning, and the site loads nothing from another host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fraud.domain.catalogue import CHECKS
from tests.docs.pages import ROOT, text_of

_LOADED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"?((?:https?:)?//[^\s\">]+)|<link\b[^>]*\bhref=\"?((?:https?:)?//[^\s\">]+)"
)
_NO_LOAD = re.compile(r"rel=\"?(?:canonical|prev|next)")
OPENAPI = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it; a warning fails the build."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (pip install '.[dev]')")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, env=quiet)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = [page.relative_to(ROOT / "docs").with_suffix(".html") for page in (ROOT / "docs").rglob("*.md")]
    named = [page.with_name("index.html") if page.name == "README.html" else page for page in pages]
    assert [page for page in named if not (site / page).is_file()] == []


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    assert [(page.name, found) for page in site.rglob("*.html") for found in loads(page.read_text("utf-8"))] == []
    styles = "".join(page.read_text("utf-8") for page in site.rglob("*.css"))
    assert re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//[^)'\"\s]+", styles) == []


def test_a_foreign_script_would_be_noticed() -> None:
    assert loads('<script src="https://cdn.example/x.js"></script>') == ["https://cdn.example/x.js"]
    assert loads('<link rel=stylesheet href=//fonts.example/a.css><a href="https://x.example">x</a>') == ["//fonts.example/a.css"]


def loads(html: str) -> list[str]:
    """What a page makes a browser fetch from elsewhere."""
    return [found[1] or found[2] for found in _LOADED.finditer(html) if not _NO_LOAD.search(found[0])]


@pytest.mark.parametrize("path", OPENAPI["paths"])
def test_every_endpoint_has_its_entry(path: str) -> None:
    page = text_of(ROOT / "docs" / "reference" / "endpoints.md")
    for method, call in OPENAPI["paths"][path].items():
        assert f"`{method.upper()} {path}`" in page
        assert (call.get("description") or "").strip(), f"{method} {path} does not say what it does"


def test_every_reason_code_has_its_entry() -> None:
    page = text_of(ROOT / "docs" / "reference" / "checks.md")
    assert [spec.reason_code for spec in CHECKS.values() if f"`{spec.reason_code}`" not in page] == []
