"""What the pages show is what the product reads and writes."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from fraud.api.applications import ApplicationState
from fraud.api.clicks import click_of, read_click
from fraud.api.main import create_api, openapi_document
from fraud.api.problems import Problem
from fraud.api.services import ApiServices
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.errors import InputError
from fraud.events.formats import formats, parse_format
from fraud.policy.pack import Pack
from fraud.workflows.applications import application_from_json, read_profile
from fraud.workflows.scoring import ClickAnswer
from tests.docs.pages import PAGES, ROOT, blocks, name_of, text_of

SCORING = ROOT / "docs" / "scoring.md"
VETTING = ROOT / "docs" / "vetting.md"
FORMATS = ROOT / "docs" / "formats.md"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_json_and_python_block_can_be_read(page: Path) -> None:
    for block in blocks(page, "json"):
        msgspec.json.decode(block)
    for block in blocks(page, "python"):
        ast.parse(block)


def test_the_scoring_page_shows_a_request_an_answer_a_state_and_a_problem() -> None:
    request, answer, in_shadow, state, problem = blocks(SCORING, "json")
    click = click_of(read_click(request.encode()), DEFAULT_PROGRAM)
    told = msgspec.json.decode(in_shadow)
    assert set(told) <= set(ClickAnswer.__struct_fields__)
    assert (told["decision"], told["live"]) == ("allow", "block")
    assert click.click_id == _whole(answer, ClickAnswer, but=("live",)).click_id  # only keys in shadow are told so
    assert _whole(problem, Problem).errors
    assert msgspec.json.decode(state, type=ApplicationState).poll


def test_the_scoring_page_names_every_route_and_no_other() -> None:
    nothing: Any = None
    services = ApiServices(**{name: nothing for name in ApiServices.__dataclass_fields__ if name not in {"probes", "gauges"}})
    paths = cast("dict[str, Any]", openapi_document(create_api(services))["paths"])
    routes = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations} | {"GET /openapi.json"}
    named = {code for code in text_of(SCORING).split("`") if code.startswith(("GET /", "POST /")) and not code.endswith("ID")}
    assert named == routes


def test_the_vetting_page_shows_a_profile_and_an_application(tmp_path: Path) -> None:
    profile, application = tmp_path / "program.yaml", tmp_path / "application.json"
    profile.write_text(blocks(VETTING, "yaml")[0], encoding="utf-8")
    application.write_text(blocks(VETTING, "json")[0], encoding="utf-8")
    assert read_profile(profile).brand_terms
    assert application_from_json(application).websites


def test_the_formats_page_shows_a_format_that_loads_and_lists_all_that_ship() -> None:
    (example,) = blocks(FORMATS, "yaml")
    assert {mapping.kind for mapping in parse_format(example).mappings} == {"clicks", "conversions"}
    with pytest.raises(InputError, match="required and not fed"):
        parse_format(example.replace("      affiliate_id: partner\n", ""))
    assert all(f"| `{name}` |" in text_of(FORMATS) for name in formats())


def test_the_policy_page_explains_every_part_of_a_pack() -> None:
    page = text_of(ROOT / "docs" / "policy.md")
    assert [name for name in Pack.__struct_fields__ if f"`{name}`" not in page] == []


def _whole(block: str, kind: type[Any], but: tuple[str, ...] = ()) -> Any:
    """The block as this type, with all of its fields, `but` for these, and no others."""
    assert set(msgspec.json.decode(block)) == set(kind.__struct_fields__) - set(but)
    return msgspec.json.decode(block, type=kind)
