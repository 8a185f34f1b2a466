"""Where benchmarks write what they measured: `docs/benchmarks.md`, one section a benchmark, replaced by its title."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"

HEAD = """# Benchmarks

What the `make bench-*` commands measured, and on what. Ratios are formed within one run on one machine, so they say more than seconds do;
figures are medians unless a line says otherwise. Every section is written anew by its command.
"""


def section(title: str, lines: Iterable[str], page: Path = PAGE) -> None:
    """Replaces the section with this title (or appends it) by these lines, and says where and when it was measured."""
    text = page.read_text() if page.exists() else HEAD
    body = "\n".join(lines).strip()
    written = f"## {title}\n\n{body}\n\nMeasured {datetime.now(UTC):%Y-%m-%d} on {machine()}.\n"
    pattern = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    text = pattern.sub(lambda _: f"{written}\n", text) if pattern.search(text) else f"{text.rstrip()}\n\n{written}"
    page.write_text(f"{text.rstrip()}\n")


def machine(packages: Sequence[str] = ("duckdb", "numba", "pandas")) -> str:
    """This machine in a few words: processors, memory, versions; never its name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    python = platform.python_version()
    return f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB of memory, {platform.system()}, Python {python}, {versions}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def peak_mib() -> float:
    """The most memory that this process had so far: not `ru_maxrss`, with which a child begins where its parent is."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
