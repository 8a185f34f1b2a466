from __future__ import annotations

import pytest

from fraud.enrichment import agents
from fraud.enrichment.agents import read_agent, read_agents

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile Safari/604.1"
PIXEL = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
TABLET = "Mozilla/5.0 (Linux; Android 13; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("text", "browser", "system", "device"),
    [
        (CHROME, "Chrome", "Windows", "desktop"),
        (IPHONE, "Mobile Safari", "iOS", "phone"),
        (PIXEL, "Chrome Mobile", "Android", "phone"),
        (TABLET, "Chrome", "Android", "tablet"),
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
        "-",
        "  ",
    ],
)
def test_declared_automation(text: str) -> None:
    agent = read_agent(text)
    assert agent.declared_bot
    assert agent.why
    assert agent.device is None


@pytest.mark.parametrize("text", ["device 1 os 13", "Gotham Browser 1.0", "Nodeworthy/1.0", "\x00\u202e" * 50, "(" * 5000])
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
