"""Every command line on a page is one that the product understands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import typer

from fraud.cli.main import app
from tests.docs.pages import PAGES, blocks, inline_code, name_of

GROUP: Any = typer.main.get_command(app)
USAGE_ERROR = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""What a wrong command line raises, missing arguments among others."""


def whole_commands(page: Path) -> list[tuple[str, ...]]:
    """The words after `fraud` of every command line in a page's blocks."""
    lines = [line for block in blocks(page, "") for line in block.replace("\\\n", " ").splitlines()]
    return [words for line in lines for words in _of_line(line)]


def mentions(page: Path) -> list[tuple[str, ...]]:
    """The same of the running text, where a command may stand without its arguments."""
    return [words for code in inline_code(page) for words in _of_line(code)]


def _of_line(line: str) -> Iterator[tuple[str, ...]]:
    for part in re.split(r"&&|\|\||;", line):
        words = shlex.split(part, comments=True) if re.match(r"\s*(\w+=\S+ )*fraud\b", part) else []
        while words and "=" in words[0]:
            words.pop(0)
        if words and words[0] == "fraud" and all(re.fullmatch(r"[^─▶◀┐]+", word) for word in words):
            yield tuple(words[1:])


def parse(words: tuple[str, ...]) -> None:
    """Parses a command line without running it."""
    command, path, left = GROUP, "fraud", list(words)
    while left and not left[0].startswith("-") and getattr(command, "commands", None):
        path, command = f"{path} {left[0]}", command.commands[left[0]]
        left.pop(0)
    command.make_context(path, left)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_line_in_a_block_is_understood(page: Path) -> None:
    for words in whole_commands(page):
        parse(words)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_mentioned_exists_with_its_options(page: Path) -> None:
    wrong = [words for words in mentions(page) if _fault_of(words) not in {"", "MissingParameter", "NoArgsIsHelpError"}]
    assert not wrong


def _fault_of(words: tuple[str, ...]) -> str:
    """The kind of what is wrong with a command line; '' when it is understood."""
    try:
        parse(words)
    except (USAGE_ERROR, KeyError) as fault:
        return type(fault).__name__
    return ""


def test_the_pages_quote_commands_at_all() -> None:
    assert sum(len(whole_commands(page)) for page in PAGES) > 20
    assert sum(len(mentions(page)) for page in PAGES) > 30


@pytest.mark.parametrize(
    "words", [("scan", "--no-such-option"), ("ingest", "nothing", "a.csv"), ("replay", "dec_1", "dec_2"), ("replay",), ("no-such-command",)]
)
def test_a_wrong_command_line_is_noticed(words: tuple[str, ...]) -> None:
    with pytest.raises((USAGE_ERROR, KeyError)):
        parse(words)
