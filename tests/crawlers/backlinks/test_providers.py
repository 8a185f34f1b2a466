"""Services that rank domains, against answers in their documented shape; a refusal or a changed answer is a reason, never a low score."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import EntryPoint

import pytest

from crawlers.backlinks import providers
from crawlers.backlinks.facts import Authority
from crawlers.backlinks.providers import OpenPageRank, SemrushOverview, known_providers, parsed, plugged_in
from crawlers.errors import LookupFailed
from crawlers.fetch import Fetcher
from crawlers.limits import Limits
from tests.crawlers.servers import Answer, Site, local_settings, redirect, run, site

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


API = "/getPageRank?domains%5B0%5D=a.com"


def ranked(answer: Answer, *domains: str, allowed: int = 80) -> tuple[tuple[Authority, ...], Site]:
    asked_for = "/getPageRank?" + "&".join(f"domains%5B{place}%5D={domain}" for place, domain in enumerate(domains))
    with site({asked_for: answer}) as server:

        async def work() -> tuple[Authority, ...]:
            async with Fetcher(local_settings(server.port, limits=Limits(ports=frozenset({server.port, allowed})))) as fetcher:
                return await OpenPageRank(fetcher, "secret", f"http://127.0.0.1:{server.port}/getPageRank").of(domains)

        return run(work()), server


def test_openpagerank_is_read_and_what_it_leaves_out_is_unknown() -> None:
    row = {"status_code": 200, "page_rank_integer": 5, "page_rank_decimal": 4.62, "rank": "90811", "domain": "a.com"}
    none = {"status_code": 404, "page_rank_decimal": 0, "rank": None, "domain": "b.com"}
    (first, second, third), server = ranked(Answer(json.dumps({"response": [row, none]}).encode()), "a.com", "b.com", "c.com")
    assert server.requests[0].headers["API-OPR"] == "secret"
    assert first.asked_at
    assert (first.score, first.scale, first.rank) == (4.62, 10.0, 90811)
    assert second.score is None
    assert third.score is None
    assert second.failure
    assert third.failure


@pytest.mark.parametrize("answer", [Answer(b"[]"), Answer(b'{"response": null}'), Answer(b"", 429), Answer(b"<html>busy</html>", 503)])
def test_openpagerank_that_fails_is_a_reason(answer: Answer) -> None:
    (found,), _ = ranked(answer, "a.com")
    assert found.failure
    assert found.score is None


def test_a_key_never_follows_a_redirect_to_another_origin() -> None:
    with site({API.replace("getPageRank", "stolen"): Answer(b"{}")}) as other:
        away = redirect(f"http://127.0.0.1:{other.port}{API.replace('getPageRank', 'stolen')}")
        ranked(away, "a.com", allowed=other.port)
        assert [request.headers.get("API-OPR") for request in other.requests] == [None]


def test_json_is_parsed_or_refused() -> None:
    assert parsed(json.dumps([1]).encode(), "x") == [1]
    with pytest.raises(LookupFailed):
        parsed(b"<html>", "x")


def test_plug_ins_are_listed_beside_the_shipped_providers_and_may_replace_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plugged_in() == {}
    point = EntryPoint("semrush", "crawlers.backlinks.providers:OpenPageRank", "crawlers.backlink_providers")
    monkeypatch.setattr(providers, "entry_points", lambda group: [point])
    assert known_providers() == {"openpagerank": OpenPageRank, "semrush": OpenPageRank}
