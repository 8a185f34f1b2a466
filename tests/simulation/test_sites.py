"""The three applicants' sites say what they are meant to say, over loopback."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator

import pytest

from fraud.simulation.sites.applications import APPLICATIONS, FORCED, HONEST, PARKED, PROFILE, find_page, serve_sites


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, int]]:
    with serve_sites() as address:
        yield address


def get(server: tuple[str, int], host: str, path: str = "/", method: str = "GET") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection(*server, timeout=5)
    try:
        connection.request(method, path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read().decode()
    finally:
        connection.close()


def words(html: str) -> int:
    return len(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", " ", html, flags=re.S)).split())


def test_the_server_is_on_loopback_and_serves_by_host(server: tuple[str, int]) -> None:
    assert server[0] == "127.0.0.1"
    assert get(server, "trailnotes.example")[0] == 200
    assert get(server, f"www.trailnotes.example:{server[1]}")[0] == 200
    assert get(server, "elsewhere.example")[0] == 404
    status, kind, body = get(server, "trailnotes.example", "/style.css", "HEAD")
    assert (status, kind, body) == (200, "text/css; charset=utf-8", "")


def test_the_honest_blog_has_pages_articles_disclosures_and_marked_links(server: tuple[str, int]) -> None:
    _, _, home = get(server, "trailnotes.example")
    articles = re.findall(r'<h3><a href="(/[a-z0-9-]+\.html)">', home)
    assert len(articles) == 3
    for path in articles:
        status, _, html = get(server, "trailnotes.example", path)
        assert status == 200
        assert words(html) > 400
        assert "earns a commission" in html
        links = re.findall(r'<a href="https://go\.northtrail\.example/[^>]*>', html)
        assert links
        assert all("sponsored" in link for link in links)
    for path in ("/about.html", "/contact.html", "/privacy.html", "/imprint.html", "/robots.txt", "/sitemap.xml"):
        assert get(server, "trailnotes.example", path)[0] == 200
    assert get(server, "trailnotes.example", "/no-such-page")[0] == 404


def test_the_links_inside_the_blog_lead_somewhere(server: tuple[str, int]) -> None:
    _, _, home = get(server, "trailnotes.example")
    for path in set(re.findall(r'(?:href|src)="(/[^"]*)"', home)):
        assert get(server, "trailnotes.example", path)[0] == 200


def test_the_parked_domain_answers_every_path_alike(server: tuple[str, int]) -> None:
    home, other = get(server, "maplecrossing.example"), get(server, "maplecrossing.example", "/some/article")
    assert home == other
    assert words(home[2]) < 150
    assert "may be for sale" in home[2]
    assert get(server, "maplecrossing.example", "/robots.txt")[0] == 404


def test_the_coupon_page_hides_the_programs_link_and_discloses_nothing(server: tuple[str, int]) -> None:
    _, _, html = get(server, "northtrail-coupons.example")
    assert re.search(r'<iframe src="https://go\.northtrail\.example/[^"]*" width="1" height="1"', html)
    assert "window.location.href" in html
    assert not re.search(r"commission|sponsored|disclosure", html, re.I)


def test_the_applications_fit_the_profile() -> None:
    assert APPLICATIONS == (HONEST, PARKED, FORCED)
    assert {find_page(site.split("/")[2], "/") is not None for one in APPLICATIONS for site in one.websites} == {True}
    assert PROFILE.tracking_hosts == ("go.northtrail.example",)
    assert any(term in FORCED.websites[0] for term in PROFILE.brand_terms)


@pytest.mark.parametrize("target", ["/../applications.py", "/%2e%2e/applications.py", "/..%2f__init__.py", "//etc/passwd", "/style.css/.."])
def test_nothing_outside_a_sites_folder_is_served(target: str) -> None:
    assert find_page("trailnotes.example", target) is None


@pytest.mark.parametrize("host", ["", "..", "sites", "trailnotes.example/../maplecrossing.example", "__pycache__"])
def test_an_odd_host_finds_nothing(host: str) -> None:
    assert find_page(host, "/") is None
