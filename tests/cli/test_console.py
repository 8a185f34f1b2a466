"""What the command line prints is what it was given: ids and words of strangers are no markup, and changes are said in words."""

from __future__ import annotations

import pytest
from rich.console import Console
from rich.table import Table

from fraud.cli.console import add_plain_row
from fraud.cli.deciding import _in_words
from fraud.domain.signals import Family, Reason, Severity


@pytest.mark.parametrize("name", ["[/b]", "[bold]x[/bold]", "[link=http://127.0.0.1]y"])
def test_an_id_that_looks_like_markup_is_shown_as_it_is(name: str) -> None:
    table = Table(show_header=False)
    add_plain_row(table, name, "riskiest")
    console = Console(width=120, record=True, quiet=True)
    console.print(table)
    assert name in "".join(segment.text for segment in console.render(table))


def reason(code: str, text: str = "") -> Reason:
    return Reason(code=code, family=Family.TIMING, severity=Severity.LOW, text=text)


def test_a_change_of_reasons_is_told_by_what_went_and_what_came() -> None:
    then, now = (reason("timing.fast"), reason("timing.late")), (reason("timing.late"), reason("volume.burst"))
    assert _in_words("reasons", then, now) == "without timing.fast, with volume.burst"
    assert _in_words("reasons", (reason("a.b", "1"),), (reason("a.b", "2"),)) == "the same ones, with other figures"
    assert _in_words("score", 0.2, 0.3) == "0.2 -> 0.3"
