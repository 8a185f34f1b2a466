"""A visit to a site, from the home page to the path that cannot exist; every failure is a fact."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from crawlers.facts import SiteFacts
from crawlers.fetch import Fetcher
from crawlers.limits import CrawlSettings, Limits
from crawlers.resolve import Resolver
from crawlers.website import collect_site, home_addresses, probe_name
from tests.crawlers.servers import Answer, Authority, Site, html, names, redirect, run, settings_to, site

WORDS = " ".join(f"word{number}" for number in range(40))


def page(title: str, body: str = "") -> Answer:
    """Return a page with a title and its own words."""
    return html(f"<html lang=en><title>{title}</title><p>{title} {WORDS} {title}</p>{body}")


def links(*paths: str) -> str:
    """Return links to the paths."""
    return "".join(f'<a href="{path}">{path.strip("/") or "home"}</a> ' for path in paths)


HOME = page("Home", links("/about", "/impressum", "/blog/1", "/blog/2#part", "/blog/2", "/file.pdf", "https://elsewhere.test/x", "/"))
SHOP = {"/": HOME, "/about": page("About"), "/impressum": page("Impressum"), "/blog/1": page("One"), "/blog/2": page("Two")}


def visit(url: str, settings: CrawlSettings, **options: Any) -> SiteFacts:
    """Visit a site with a client of its own."""

    async def work() -> SiteFacts:
        async with Fetcher(settings, resolver=options.pop("resolver", None)) as fetcher:
            return await collect_site(url, fetcher, **options)

    return run(work())


def visit_pages(pages: Mapping[str, Answer], url: str = "http://shop.test/", **changes: Any) -> tuple[SiteFacts, Site]:
    """Run a site and visit it."""
    with site(pages) as running:
        return visit(url, settings_to(running.port, **changes)), running


def test_a_visit_sees_home_identity_pages_samples_and_a_path_that_cannot_exist() -> None:
    facts, server = visit_pages(SHOP)
    assert facts.reachable
    assert facts.failure is None
    assert (facts.final_url, facts.registrable_domain) == ("http://shop.test/", "shop.test")
    assert [visited.facts.title for visited in facts.pages] == ["Home", "About", "Impressum", "One", "Two"]
    assert facts.random_path_status == 404
    assert facts.random_path_same_as_home is False
    assert facts.failures == ()
    assert server.paths[:2] == ["/robots.txt", "/"]
    assert "/file.pdf" not in server.paths
    assert len(server.paths) == len(set(server.paths))


def test_every_page_comes_with_the_reference_to_its_evidence() -> None:
    kept: dict[str, bytes] = {}

    def keep(body: bytes) -> str:
        name = hashlib.sha256(body).hexdigest()
        kept[name] = body
        return name

    with site(SHOP) as running:
        facts = visit("http://shop.test/", settings_to(running.port), keep=keep)
    assert len(kept) == len(facts.pages) == 5
    for visited in facts.pages:
        assert kept[visited.snapshot.sha256] == SHOP[visited.snapshot.url.removeprefix("http://shop.test")].body
        assert visited.snapshot.size == len(kept[visited.snapshot.sha256])
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(facts)), SiteFacts) == facts


def test_without_a_keeper_the_hash_is_still_there() -> None:
    facts, _ = visit_pages(SHOP)
    assert facts.pages[0].snapshot.sha256 == hashlib.sha256(HOME.body).hexdigest()


def test_times_are_the_fetchers_clock() -> None:
    moment = datetime(2026, 3, 1, 10, tzinfo=UTC)

    async def work(settings: CrawlSettings) -> SiteFacts:
        async with Fetcher(settings, now=lambda: moment) as fetcher:
            return await collect_site("http://shop.test/", fetcher)

    with site(SHOP) as running:
        facts = run(work(settings_to(running.port)))
    assert {facts.started_at, facts.finished_at, facts.pages[0].snapshot.fetched_at} == {moment}


def test_a_bare_host_is_tried_over_https_first(authority: Authority) -> None:
    with site(SHOP, authority.server_context()) as running:
        facts = visit("shop.test", settings_to(https_port=running.port, ca_file=authority.ca_file))
    assert facts.final_url == "https://shop.test/"
    assert facts.certificate is not None
    assert facts.certificate.issuer == "Test Authority"


def test_a_bare_host_without_https_is_visited_over_http_and_says_so() -> None:
    with site(SHOP) as running, site(SHOP) as no_tls:
        facts = visit("shop.test", settings_to(running.port, no_tls.port))
    assert facts.reachable
    assert facts.final_url == "http://shop.test/"
    assert [(failure.url, failure.kind) for failure in facts.failures] == [("https://shop.test", "tls")]


def test_a_url_with_a_scheme_is_tried_only_so() -> None:
    assert home_addresses("https://shop.test/x") == ("https://shop.test/x",)
    assert home_addresses(" shop.test ") == ("https://shop.test", "http://shop.test")
    assert home_addresses("//shop.test/x") == ("https://shop.test/x", "http://shop.test/x")


def test_a_redirect_off_the_site_is_followed_and_the_new_domain_is_the_sites() -> None:
    facts, _ = visit_pages({"/": redirect("http://www.brand.test/home"), "/home": page("Brand", links("/about")), "/about": page("About")})
    assert facts.registrable_domain == "brand.test"
    assert [hop.status for hop in facts.hops] == [302, 200]
    assert facts.pages[1].snapshot.url == "http://www.brand.test/about"


def test_a_page_of_the_site_that_leads_off_it_is_left_out() -> None:
    facts, _ = visit_pages({"/": page("Home", links("/go")), "/go": redirect("http://other.test/x"), "/x": page("Other")})
    assert [visited.facts.title for visited in facts.pages] == ["Home"]


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (Answer(b"<h1>Error</h1>", 500), "http_status", "500"),
        (Answer(b"gone", 404), "http_status", "404"),
        (Answer(b"%PDF", headers={"Content-Type": "application/pdf"}), "not_html", "application/pdf"),
        (Answer(b"\x00\x01", headers={}), "not_html", "nothing readable"),
        (redirect("/"), "redirects", "circle"),
        (redirect("http://169.254.169.254/"), "refused", "169.254.169.254"),
    ],
)
def test_a_home_page_that_is_none(answer: Answer, kind: str, says: str) -> None:
    facts, _ = visit_pages({"/": answer})
    assert not facts.reachable
    assert facts.failure is not None
    assert facts.failure.kind == kind
    assert says in facts.failure.message
    assert facts.pages == ()
    assert facts.registrable_domain == "shop.test"
    assert facts.random_path_status is None


def test_a_page_without_a_type_is_a_page_when_it_looks_like_one() -> None:
    facts, _ = visit_pages({"/": Answer(b"\n <html><title>Old</title>", headers={})})
    assert facts.pages[0].facts.title == "Old"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://2130706433/", "file:///etc/passwd", "", "http://user:pw@shop.test/", "not a host", "[::1"]
)
def test_an_address_that_is_never_visited_is_a_fact_too(url: str) -> None:
    facts = visit(url, CrawlSettings(delay=0))
    assert facts.failure is not None
    assert facts.failure.kind == "refused"
    assert facts.requested_url == url


def test_a_name_that_does_not_exist_is_a_fact() -> None:
    settings = CrawlSettings(delay=0)
    facts = visit("gone.test", settings, resolver=Resolver(settings, names({})))
    assert facts.failure is not None
    assert facts.failure.kind == "dns"
    assert "gone.test" in facts.failure.message


def test_robots_are_obeyed() -> None:
    forbidding = Answer(b"User-agent: *\nDisallow: /", headers={"Content-Type": "text/plain"})
    facts, server = visit_pages({**SHOP, "/robots.txt": forbidding})
    assert facts.failure is not None
    assert facts.failure.kind == "robots"
    assert server.paths == ["/robots.txt"]


def test_robots_are_obeyed_page_by_page() -> None:
    partly = Answer(b"User-agent: *\nDisallow: /blog/", headers={"Content-Type": "text/plain"})
    facts, server = visit_pages({**SHOP, "/robots.txt": partly})
    assert [failure.kind for failure in facts.failures] == ["robots", "robots"]
    assert not [path for path in server.paths if path.startswith("/blog/")]


def test_robots_of_a_redirects_target_are_obeyed() -> None:
    partly = Answer(b"User-agent: *\nDisallow: /secret", headers={"Content-Type": "text/plain"})
    facts, server = visit_pages({"/": redirect("/secret"), "/secret": page("Secret"), "/robots.txt": partly})
    assert facts.failure is not None
    assert facts.failure.kind == "robots"
    assert "/secret" not in server.paths


def test_a_failed_page_does_not_end_the_visit() -> None:
    facts, _ = visit_pages({**SHOP, "/about": Answer(b"", 500), "/blog/1": redirect("http://127.0.0.1/")})
    assert [visited.facts.title for visited in facts.pages] == ["Home", "Impressum", "Two"]
    assert [failure.kind for failure in facts.failures] == ["http_status", "refused"]


class Wildcard(dict[str, Answer]):
    """A site that answers every path with the same page."""

    def get(self, path: str, default: Any = None) -> Answer:
        """Return the home page, with a counter in it, for anything but robots.txt."""
        return Answer(b"", 404) if path == "/robots.txt" else page("Everything", f"<p>{path}</p>" + links("/a"))


def test_a_soft_404_is_seen() -> None:
    with site({}) as running:
        running.pages = Wildcard()
        facts = visit("http://shop.test/", settings_to(running.port))
    assert facts.random_path_status == 200
    assert facts.random_path_same_as_home is True


def test_a_path_that_redirects_home_is_the_home_page() -> None:
    class Homing(dict[str, Answer]):
        def get(self, path: str, default: Any = None) -> Answer:
            return {"/": HOME, "/robots.txt": Answer(b"", 404)}.get(path, redirect("/"))

    with site({}) as running:
        running.pages = Homing()
        facts = visit("http://shop.test/", settings_to(running.port))
    assert (facts.random_path_status, facts.random_path_same_as_home) == (200, True)
    assert len(facts.pages) == 1


def test_the_random_path_is_new_for_every_visit() -> None:
    assert probe_name("http://shop.test/", "2026-03-01") != probe_name("http://shop.test/", "2026-03-02")
    assert probe_name("http://shop.test/", "2026-03-01") == probe_name("http://shop.test/", "2026-03-01")


def test_a_visit_ends_with_its_page_budget() -> None:
    many = {"/": page("Home", links(*(f"/p{number}" for number in range(30))))} | {
        f"/p{number}": page(f"P{number}") for number in range(30)
    }
    facts, server = visit_pages(many)
    assert len(facts.pages) == 1 + Limits().sample_pages
    facts, server = visit_pages(many, limits=Limits(site_pages=4))
    assert len([path for path in server.paths if path != "/robots.txt"]) == 4
    assert {failure.kind for failure in facts.failures} == {"budget"}


def test_samples_are_spread_over_the_links() -> None:
    many = {"/": page("Home", links(*(f"/p{number}" for number in range(60))))}
    _, server = visit_pages(many)
    asked = [int(path.removeprefix("/p")) for path in server.paths if path.startswith("/p") and path[2:].isdigit()]
    assert asked == [0, 10, 20, 30, 40, 50]


class Slow(dict[str, Answer]):
    """A site whose pages but the home page take their time."""

    def get(self, path: str, default: Any = None) -> Answer:
        """Return the answer, late."""
        if path not in {"/", "/robots.txt"}:
            time.sleep(1.0)
        return super().get(path, default) or Answer(b"", 404)


def test_a_visit_ends_with_its_time_budget_and_keeps_what_it_has() -> None:
    with site({}) as running:
        running.pages = Slow(SHOP)
        facts = visit("http://shop.test/", settings_to(running.port, limits=Limits(site_seconds=0.7)))
    assert facts.reachable
    assert [visited.facts.title for visited in facts.pages] == ["Home"]
    assert facts.failures[-1].kind == "budget"


def test_a_home_page_that_takes_too_long_is_out_of_budget() -> None:
    with site({}) as running:
        running.pages = Slow({"/slow": HOME})
        facts = visit("http://shop.test/slow", settings_to(running.port, limits=Limits(site_seconds=0.5)))
    assert facts.failure is not None
    assert facts.failure.kind == "budget"
    assert "0.5 seconds" in facts.failure.message


def test_a_page_that_is_cut_says_so() -> None:
    facts, _ = visit_pages({"/": page("Home", "x" * 5000)}, limits=Limits(page_bytes=2000))
    assert facts.pages[0].snapshot.truncated
    assert facts.pages[0].facts.title == "Home"
