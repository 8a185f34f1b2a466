"""Services that rank domains, against answers in their documented shape; a refusal or a changed answer is a reason, never a low score."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from crawlers.backlinks.facts import Authority
from crawlers.backlinks.providers import OpenPageRank, SemrushOverview, parsed, plugged_in
from crawlers.errors import LookupFailed, SourceUnavailable
from crawlers.fetch import Fetcher
from tests.crawlers.servers import Answer, local_settings, run, site

PATH = "/v1/?key=secret&type=backlinks_overview&target={}&target_type=root_domain&export_columns=ascore,domains_num"


def semrush(pages: Mapping[str, Answer], *domains: str) -> tuple[tuple[Authority, ...], list[str]]:
    with site(pages) as server:

        async def work() -> tuple[Authority, ...]:
            async with Fetcher(local_settings(server.port)) as fetcher:
                return await SemrushOverview(fetcher, "secret", f"http://127.0.0.1:{server.port}/v1/").of(domains)

        return run(work()), server.paths


def test_semrush_is_read() -> None:
    (found,), _ = semrush({PATH.format("a.com"): Answer(b"ascore;domains_num\r\n41;1204\r\n")}, "a.com")
    assert (found.score, found.referring_domains, found.failure) == (41, 1204, "")


@pytest.mark.parametrize("answer", [Answer(b"ERROR 50 :: NOTHING FOUND"), Answer(b"x", 500), Answer(b"ascore;domains_num\na;b")])
def test_a_changed_answer_is_a_reason(answer: Answer) -> None:
    (found,), _ = semrush({PATH.format("a.com"): answer}, "a.com")
    assert found.score is None
    assert "documented" in found.failure


def test_after_a_limit_nothing_more_is_asked() -> None:
    found, paths = semrush({PATH.format("a.com"): Answer(b"", 429)}, "a.com", "b.com")
    assert [bool(one.failure) for one in found] == [True, True]
    assert len(paths) == 1


def ranked(answer: Any, *domains: str) -> tuple[Authority, ...]:
    async def get(url: str, headers: Mapping[str, str]) -> Any:
        assert headers == {"API-OPR": "secret"}
        if isinstance(answer, Exception):
            raise answer
        return answer

    return run(OpenPageRank(get, "secret").of(domains))


def test_openpagerank_is_read_and_what_it_leaves_out_is_unknown() -> None:
    row = {"status_code": 200, "page_rank_integer": 5, "page_rank_decimal": 4.62, "rank": "90811", "domain": "a.com"}
    none = {"status_code": 404, "page_rank_decimal": 0, "rank": None, "domain": "b.com"}
    first, second, third = ranked({"status_code": 200, "response": [row, none]}, "a.com", "b.com", "c.com")
    assert (first.score, first.scale, first.rank) == (4.62, 10.0, 90811)
    assert second.score is None
    assert third.score is None
    assert second.failure
    assert third.failure


@pytest.mark.parametrize(
    "answer", [[], {"response": None}, SourceUnavailable("x", "Refused (429)."), LookupFailed("x", "timeout", "Silent.")]
)
def test_openpagerank_that_fails_is_a_reason(answer: Any) -> None:
    (found,) = ranked(answer, "a.com")
    assert found.failure


def test_json_is_parsed_or_refused() -> None:
    assert parsed(json.dumps([1]).encode(), "x") == [1]
    with pytest.raises(LookupFailed):
        parsed(b"<html>", "x")


def test_plug_ins_are_listed() -> None:
    assert plugged_in() == {}
