"""The linking pages that are looked at are drawn from every level of authority in proportion, and always the same."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from crawlers.backlinks.drawing import MOST_PAGES, STRATA, allotted, drawn, stratum_of
from crawlers.backlinks.facts import LinkingPage

LEVELS = st.dictionaries(st.sampled_from(STRATA), st.integers(1, 5_000), min_size=1)


def pages(**levels: int) -> list[LinkingPage]:
    return [
        LinkingPage(url=f"https://{level}{n}.example/", domain=f"{level}{n}.example", stratum=level.replace("_", " "))
        for level, count in levels.items()
        for n in range(count)
    ]


@given(LEVELS, st.integers(len(STRATA), 100))
def test_all_places_are_given_and_every_level_has_one(sizes: dict[str, int], most: int) -> None:
    given_out = allotted(sizes, most)
    assert sum(given_out.values()) == min(most, sum(sizes.values()))
    assert all(1 <= given_out[level] <= size for level, size in sizes.items())


def test_levels_are_drawn_in_proportion_and_a_rare_one_is_not_forgotten() -> None:
    found = drawn(pages(under_20=900, unknown=90, **{"60_to_80": 4}))
    counts = Counter(page.stratum for page in found)
    assert len(found) == MOST_PAGES
    assert counts["60 to 80"] == 1
    assert counts["under 20"] > 5 * counts["unknown"]


def test_the_draw_does_not_depend_on_the_order_of_the_export() -> None:
    listed = pages(unknown=200)
    assert drawn(listed) == drawn(reversed(listed))


def test_levels_of_authority() -> None:
    assert [stratum_of(value) for value in (None, 0, 19.9, 20, 79, 100, 400)] == [
        "unknown", "under 20", "under 20", "20 to 40", "60 to 80", "80 and more", "80 and more",
    ]  # fmt: skip
