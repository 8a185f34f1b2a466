"""What is done to pages as the site is built: folders in the navigation, and links that leave `docs/` lead to the repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_OUT = re.compile(r"\]\((\.\./[^)\s]+|decisions/|[^)\s]*\.(?:py|yaml))\)")
_DOCS = Path(__file__).parent


def on_config(config: Any) -> Any:
    """Puts every page of a folder in the place of `folder/*`; pages that the list does not name join *Do*, so that none is lost."""
    named = _named(config.nav)
    rest = sorted(page.name for page in _DOCS.glob("*.md") if page.name not in named)
    for section in config.nav:
        ((title, pages),) = section.items()
        section[title] = [one for page in pages for one in _spread(page)] + (rest if title == "Do" else [])
    return config


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Links to files of the repository that are no pages lead to the repository."""
    here = (_DOCS / page.file.src_uri).parent

    def moved(found: re.Match[str]) -> str:
        path, _, anchor = found[1].partition("#")
        target = (here / path).resolve()
        if target.is_relative_to(_DOCS) and target.is_file() and target.suffix == ".md":
            return found[0]
        kind = "tree" if target.is_dir() else "blob"
        told = f"{config.repo_url}{kind}/main/{target.relative_to(_DOCS.parent).as_posix()}"
        return f"]({told}{'#' + anchor if anchor else ''})"

    return _OUT.sub(moved, markdown)


def _named(nav: list[Any]) -> set[str]:
    pages = [page for section in nav for pages in section.values() for page in pages]
    return {path for page in pages for path in ([page] if isinstance(page, str) else page.values())}


def _spread(page: Any) -> list[Any]:
    if not isinstance(page, str) or not page.endswith("/*"):
        return [page]
    return sorted(one.relative_to(_DOCS).as_posix() for one in (_DOCS / page[:-2]).glob("*.md"))
