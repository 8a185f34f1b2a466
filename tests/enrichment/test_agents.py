from __future__ import annotations

import json
import re
from pathlib import Path

import crawleruseragents
import pytest

from fraud.enrichment import agents
from fraud.enrichment.agents import read_agent, read_agents

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile Safari/604.1"
PIXEL = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
TABLET = "Mozilla/5.0 (Linux; Android 13; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
IPAD = "Mozilla/5.0 (iPad; CPU OS 14_8 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.1 Mobile/15E148 Safari/604.1"
BSD = "Mozilla/5.0 (X11; FreeBSD amd64; rv:125.0) Gecko/20100101 Firefox/125.0"
SOLARIS = "Mozilla/5.0 (X11; SunOS sun4u; rv:45.0) Gecko/20100101 Firefox/45.0"
TELEVISION = (
    "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/2.2 Chrome/76.0 TV Safari/537.36"
)
CUBOT = "Mozilla/5.0 (Linux; Android 10; CUBOT_X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"
DALVIK = "Dalvik/2.1.0 (Linux; U; Android 8.0.0; PRA-LA1 Build/HONORPRA-LA1)"


@pytest.mark.parametrize(
    ("text", "browser", "system", "device"),
    [
        (CHROME, "Chrome", "Windows", "desktop"),
        (IPHONE, "Mobile Safari", "iOS", "phone"),
        (PIXEL, "Chrome Mobile", "Android", "phone"),
        (TABLET, "Chrome", "Android", "tablet"),
        (IPAD, "Mobile Safari", "iOS", "tablet"),
        (BSD, "Firefox", "FreeBSD", "desktop"),
        (SOLARIS, "Firefox", "Solaris", "desktop"),
        (TELEVISION, "Samsung Internet", "Tizen", "television"),
        (CUBOT, "Chrome Mobile", "Android", "phone"),
        (DALVIK, "Android", "Android", None),
    ],
)
def test_peoples_browsers(text: str, browser: str, system: str, device: str) -> None:
    agent = read_agent(text)
    assert (agent.declared_bot, agent.browser, agent.system, agent.device) == (False, browser, system, device)


@pytest.mark.parametrize(
    "text",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "facebookexternalhit/1.1",
        CHROME.replace("Chrome/", "HeadlessChrome/"),
        "curl/8.4.0",
        "python-requests/2.32",
        "okhttp/4.12.0",
        "Go-http-client/2.0",
        "Mozilla/5.0 (compatible; NeverHeardOfBot; )",
        "Mozilla/5.0 (compatible; some-spider/0.1)",
        "AcmePageFetcher/2.0",
        "PriceWatch 1.0 (+https://prices.example/about)",
        "-",
        "  ",
    ],
)
def test_declared_automation(text: str) -> None:
    agent = read_agent(text)
    assert agent.declared_bot
    assert agent.why
    assert agent.device is None


@pytest.mark.parametrize(
    "text",
    [
        "device 1 os 13",
        "Gotham Browser 1.0",
        "Nodeworthy/1.0",
        "Robotics Weekly/2",
        "Abbott Labs/3",
        "CUBOT",
        "\x00\u202e" * 50,
        "(" * 5000,
    ],
)
def test_a_strange_text_is_no_declaration(text: str) -> None:
    assert not read_agent(text).declared_bot


def test_each_distinct_text_is_read_once() -> None:
    assert list(read_agents([CHROME, CHROME])) == [CHROME]


def test_texts_longer_than_any_browsers_are_read_and_not_remembered() -> None:
    agents._remembered.cache_clear()
    long = "Mozilla/5.0 (compatible; Googlebot/2.1) " + "x" * agents.LONGEST_REMEMBERED
    assert read_agent(long).declared_bot
    assert agents._remembered.cache_info().currsize == 0
    assert read_agent("curl/8.5.0") is read_agent("curl/8.5.0")


@pytest.mark.data
def test_every_known_crawler_is_one_and_new_ones_are_mostly_known_by_their_names(test_data: Path) -> None:
    """The list of crawlers is the one that is installed, so only names that it may not know yet are news: those of AI robots."""
    listed = json.loads((test_data / "lists/crawler-user-agents/crawler-user-agents.json").read_text())
    instances = [instance for crawler in listed for instance in crawler.get("instances", [])]
    assert len(instances) > 2000
    assert sum(read_agent(text).declared_bot for text in instances) / len(instances) > 0.99
    names = json.loads((test_data / "lists/ai-robots/robots.json").read_text())
    new = [read_agent(f"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; {name}/1.0)").declared_bot for name in names]
    assert sum(new) / len(new) > 0.8


@pytest.mark.data
def test_visitors_of_a_shop_are_not_taken_for_robots_by_their_names(test_data: Path) -> None:
    """Ten thousand requests to a shop: whoever the rule about names calls a robot is one by the list as well."""
    lines = (test_data / "weblogs/zanbil/access_10000.log").read_text(errors="replace").splitlines()
    texts = {quoted[2] for line in lines if len(quoted := re.findall(r'"([^"]*)"', line)) > 2}
    assert len(texts) > 200
    assert [text for text in texts if re.search(f"(?i:{agents._NAMED})", text) and not agents._crawlers().search(text)] == []


def test_many_agents_are_told_as_one_by_one() -> None:
    said = [instance for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA for instance in entry.get("instances", [])]
    texts = [
        *said,
        *map(str.upper, said),
        *map(str.lower, said),
        CHROME,
        CUBOT,
        "",
        " - ",
        "  Python 3",
        "möbot",
        "MyBoT/1.0",
        "ab",
        "é+HTTP://x",
    ]
    told = agents.declaring_automation(texts)
    assert told.tolist() == [agents.declares_automation(text) for text in texts]
    assert 0 < told.sum() < len(texts)


def test_of_no_agents_nothing_is_told() -> None:
    assert agents.declaring_automation([]).tolist() == []
