"""Reviews in microdata, on the pages of review services, and in files."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlers import Fetcher, Robots
from crawlers.facts import Link, PageFacts, SiteFacts, Snapshot, VisitedPage
from crawlers.page import read_page
from crawlers.review_facts import ReviewPage
from crawlers.review_files import MOST_KEPT, read_reviews
from crawlers.review_pages import ReviewMeans, linked_pages, read_review_page
from tests.workflows.sites import Answer, served

SITE = "https://trailnotes.example/"
MICRODATA = """
<div itemscope itemtype="https://schema.org/Product"><span itemprop="name">Ridge tent</span>
 <div itemprop="aggregateRating" itemscope itemtype="https://schema.org/AggregateRating">
  <span itemprop="ratingValue">4,4</span> of <span itemprop="bestRating">5</span> from <span itemprop="reviewCount">89</span> reviews</div>
 <article itemprop="review" itemscope itemtype="http://schema.org/Review">
  <span itemprop="author" itemscope itemtype="https://schema.org/Person"><b itemprop="name">Ada Example</b></span>
  <meta itemprop="datePublished" content="2024-05-06"><div itemprop="reviewRating" itemscope itemtype="https://schema.org/Rating">
  <meta itemprop="ratingValue" content="2"></div>
  <p itemprop="reviewBody">It kept the rain out for three nights and then a seam gave way beside the door.</p></article>
</div>"""


def test_microdata_is_read_as_json_ld_is() -> None:
    found = read_page(f"<html><body>{MICRODATA}</body></html>", SITE)
    (rating,), (review,) = found.ratings, found.reviews
    assert (rating.value, rating.best, rating.reviews) == (4.4, 5.0, 89)
    assert (review.rating, review.at and review.at.isoformat()[:10]) == (0.25, "2024-05-06")
    assert review.author
    assert review.sketch
    assert "Ada" not in str(found.reviews)


@pytest.mark.parametrize(
    "html",
    [
        '<div itemscope itemtype="https://schema.org/Review"></div>' * 2_000,
        '<div itemscope itemtype="https://schema.org/Review">' * 200,
        '<div itemscope itemtype="https://schema.org/Review"><p itemprop="review" itemscope></p>' + "<i>x</i>" * 5_000,
        '<div itemtype="https://schema.org/AggregateRating"><b itemprop="ratingValue">many</b>',
    ],
)
def test_hostile_microdata_is_bounded(html: str) -> None:
    assert len(read_page(html, SITE).reviews) <= 200


def visited(*links: str) -> SiteFacts:
    facts = PageFacts(links=tuple(Link(url=url, host=url.split("/")[2]) for url in links))
    return SiteFacts(requested_url=SITE, final_url=SITE, pages=(VisitedPage(snapshot=Snapshot(url=SITE), facts=facts),))


def test_only_the_sites_own_review_pages_are_taken() -> None:
    found = linked_pages(
        visited(
            "https://www.trustpilot.com/review/trailnotes.example",
            "https://www.trustpilot.com/review/trailnotes.example?page=2",
            "https://www.trustpilot.com/review/other.example",
            "https://www.reviews.io/company-reviews/store/trail-notes",
            "https://www.trustpilot.com/categories/travel",
        )
    )
    assert [(page.service, page.subject) for page in found] == [("Trustpilot", "trailnotes.example"), ("REVIEWS.io", "trail-notes")]


PAGE = json.dumps({"@type": "LocalBusiness", "aggregateRating": {"@type": "AggregateRating", "ratingValue": "3.1", "reviewCount": "412"}})
WEB = {
    "open.example/review": Answer(
        f'<script type="application/ld+json">{PAGE}</script><a href="https://trailnotes.example/">Visit</a>'.encode()
    ),
    "empty.example/review": Answer(b"<p>Please enable JavaScript.</p>"),
    "closed.example/robots.txt": Answer(b"User-agent: *\nDisallow: /review"),
    "closed.example/review": Answer(b"<p>Never read</p>"),
}


def read(host: str) -> ReviewPage:
    async def work() -> ReviewPage:
        async with Fetcher(crawl) as fetcher:
            page = ReviewPage(url=f"http://{host}/review", service="Somebody", subject="trailnotes.example", website=SITE)
            return await read_review_page(page, ReviewMeans(fetcher, Robots(fetcher)))

    with served(WEB) as crawl:
        return asyncio.run(work())


def test_a_services_page_is_read_as_it_states_it() -> None:
    found = read("open.example")
    assert (found.ratings[0].value, found.ratings[0].reviews, found.links_back, found.failure) == (3.1, 412, True, "")
    assert found.sha256


@pytest.mark.parametrize(("host", "why"), [("closed.example", "robots.txt"), ("empty.example", "no rating"), ("absent.example", "404")])
def test_a_page_that_may_not_or_cannot_be_read_says_why(host: str, why: str) -> None:
    found = read(host)
    assert why in found.failure
    assert not found.ratings


CSV = (
    "Review ID;Stars;Reviewer name;Review text;Date\n"
    "1;★★★★★;Ada;Dry and light and it went up in no time at all;2024-05-06\n"
    "2;2/5;Bo;;2024-05-07\n3;;;;\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_of_reviews_is_read_whatever_its_columns_are_called(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text(CSV, encoding=encoding)
    found = read_reviews(path)
    assert (found.count, found.unreadable, [one.rating for one in found.reviews]) == (2, 1, [1.0, 0.25])
    assert found.average == 0.625
    assert found.sha256


@pytest.mark.parametrize("wrap", [False, True])
def test_json_reviews_are_read(tmp_path: Path, wrap: bool) -> None:
    listed = [
        {
            "rating": {"ratingValue": 8},
            "bestRating": 10,
            "author": {"name": "Ada"},
            "reviewBody": "Good " * 10,
            "createdAt": "2024-05-06T10:00:00Z",
        },
        7,
    ]
    path = tmp_path / "reviews.json"
    path.write_text(json.dumps({"reviews": listed} if wrap else listed))
    found = read_reviews(path)
    assert found.count == 1
    assert found.reviews[0].rating == pytest.approx(7 / 9)
    assert found.reviews[0].author


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "no column"), (b"a;b\n1;2\n", "columns: a, b"), (b'{"a":', "no JSON"), (b"stars\nnone\n", "no usable review")],
)
def test_a_file_that_is_none_says_so(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "reviews.csv"
    path.write_bytes(content)
    assert why in read_reviews(path).failure
    assert "cannot be read" in read_reviews(tmp_path / "absent.csv").failure


def test_of_very_many_reviews_a_sample_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text("rating,name\n" + "".join(f"{1 + n % 5},Name {n}\n" for n in range(3_000)))
    found = read_reviews(path)
    assert (found.count, len(found.reviews)) == (3_000, MOST_KEPT)
    assert found.average == pytest.approx(0.5)


@given(st.binary(max_size=400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_file_breaks_the_reading(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "reviews"
    path.write_bytes(b"rating,text\n" + content)
    found = read_reviews(path)
    assert found.failure or found.count
