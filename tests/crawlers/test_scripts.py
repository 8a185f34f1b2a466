"""Which moves a page makes by itself, and which wait for the visitor."""

from __future__ import annotations

import pytest

from crawlers.facts import AutoNavigation
from crawlers.page import read_page
from crawlers.reading.flow import MOST_BLOCKS, MOST_NAMES, Flow

THERE = "https://there.example/"
URL = "https://shop.example/"


def moves(html: str) -> list[tuple[str, str, float | None]]:
    """Return kind, address and delay of a page's own moves."""
    return [(move.kind, move.url, move.delay_seconds) for move in read_page(html, URL).auto_navigations]


@pytest.mark.parametrize(
    ("script", "delay"),
    [
        (f'window.location = "{THERE}"', 0.0),
        (f"location.href='{THERE}';", 0.0),
        (f"top.location.href = `{THERE}`", 0.0),
        (f"document.location.replace('{THERE}')", 0.0),
        (f"window.top.location.assign( '{THERE}' )", 0.0),
        ("location.href='https:\\/\\/there.example\\/'", 0.0),
        ("location.href='\\x68ttps://\\u0074here.example/'", 0.0),
        (f"var u = '{THERE}'; location = u;", 0.0),
        ("location = atob('aHR0cHM6Ly90aGVyZS5leGFtcGxlLw==')", 0.0),
        ("const t = atob('aHR0cHM6Ly90aGVyZS5leGFtcGxlLw=='); window.location.href = t", 0.0),
        (f"(function(){{ location.href='{THERE}' }})();", 0.0),
        (f"!function(){{ location.href='{THERE}' }}();", 0.0),
        (f"(() => {{ location.href='{THERE}' }})();", 0.0),
        (f"if (document.referrer) {{ location.href='{THERE}' }}", 0.0),
        (f"setTimeout(function(){{ location.href='{THERE}' }}, 1500);", 1.5),
        (f"setTimeout(() => {{ location.href='{THERE}' }}, 500)", 0.5),
        (f"setTimeout(\"location.href='{THERE}'\", 2000)", 2.0),
        (f"window.onload = function() {{ location.href='{THERE}' }}", 0.0),
        (f"window.addEventListener('load', function() {{ location.href='{THERE}' }})", 0.0),
        (f"document.addEventListener('DOMContentLoaded', () => {{ location.href='{THERE}' }})", 0.0),
        (f"$(document).ready(function() {{ location.href='{THERE}' }})", 0.0),
        (f"$(function() {{ location.href='{THERE}' }})", 0.0),
        (f"function go() {{ location.href='{THERE}' }} go();", 0.0),
        (f"var go = function() {{ location.href='{THERE}' }}; window.onload = go;", 0.0),
        (f"function go() {{ location.href='{THERE}' }} setTimeout(go, 100);", 0.0),
        (f"function a() {{ b() }} function b() {{ location.href='{THERE}' }} a();", 0.0),
        (f"window['location'] = '{THERE}'", 0.0),
        (f'window.location["href"] = "{THERE}"', 0.0),
        (f"window?.location.replace('{THERE}')", 0.0),
        (f"frames.location = '{THERE}'", 0.0),
        (f"navigation.navigate('{THERE}')", 0.0),
        ("location.href = 'https://there.' + \"example/\"", 0.0),
        ("location.assign(decodeURIComponent('https%3A%2F%2Fthere.example%2F'))", 0.0),
        (f"queueMicrotask(() => {{ location.href='{THERE}' }})", 0.0),
    ],
)
def test_scripts_that_leave_by_themselves(script: str, delay: float) -> None:
    assert moves(f"<script>{script}</script>") == [("script_location", THERE, delay)]


@pytest.mark.parametrize(
    "script",
    [
        f"button.onclick = function() {{ location.href='{THERE}' }}",
        f"document.getElementById('b').addEventListener('click', function() {{ location.href='{THERE}' }})",
        f"$('#b').click(function() {{ location.href='{THERE}' }})",
        f"$('#b').on('click', () => {{ window.open('{THERE}') }})",
        f"$(document).ready(function() {{ b.addEventListener('click', function() {{ location.href='{THERE}' }}) }})",
        f"function go() {{ location.href='{THERE}' }}",
        f"function go() {{ location.href='{THERE}'; go() }}",
        f"function a() {{ b() }} function b() {{ location.href='{THERE}' }}",
        f"if (location.href == '{THERE}') {{ x() }}",
        f"if (window.location === '{THERE}') {{ x() }}",
        f"settings.location = '{THERE}'",
        f"mylocation = '{THERE}'",
        "location.href = '#top'",
        "location.href = 'javascript:void(0)'",
        "location.href = compute()",
        "location.reload()",
        f"dialog.open('{THERE}')",
        f"xhr.open('GET', '{THERE}')",
        f"return {{ go() {{ location.href='{THERE}' }} }}",
    ],
)
def test_scripts_that_wait_for_the_visitor_or_do_nothing(script: str) -> None:
    assert moves(f"<script>{script}</script>") == []


def test_what_stands_in_an_attribute_waits_for_the_visitor() -> None:
    assert moves(f"<a onclick=\"location.href='{THERE}'\">x</a><button onclick=\"window.open('{THERE}')\">y</button>") == []


def test_the_bodys_onload_does_not_wait() -> None:
    assert moves(f"<body onload=\"location.replace('{THERE}')\">") == [("script_location", THERE, 0.0)]
    assert moves(f"<script>function go(){{ location.href='{THERE}' }}</script><body onload='go()'>") == [("script_location", THERE, 0.0)]


def test_windows_that_open_by_themselves() -> None:
    assert moves(f"<script>window.open('{THERE}', '_blank')</script>") == [("window_open", THERE, 0.0)]


def test_forms_that_are_sent_by_themselves() -> None:
    html = f'<form id="f" action="{THERE}"></form><script>document.getElementById("f").submit()</script>'
    assert moves(html) == [("form_submit", THERE, 0.0)]
    assert moves(f'<body onload="document.forms[0].submit()"><form action="{THERE}"></form>') == [("form_submit", THERE, 0.0)]
    assert moves(f'<form name="pay" action="{THERE}"></form><script>document.pay.submit();</script>') == [("form_submit", THERE, 0.0)]


def test_links_that_a_script_clicks() -> None:
    assert moves(f'<a id=l href="{THERE}">x</a><script>document.getElementById("l").click()</script>') == [("link_click", THERE, 0.0)]
    script = f'<script>var a = document.createElement("a"); a.href = "{THERE}"; a.click()</script>'
    assert moves(script) == [("link_click", THERE, 0.0)]
    assert moves(f'<a id=l href="{THERE}">x</a><script>document.getElementById("m").click(); b.click()</script>') == []


@pytest.mark.parametrize("html", ['<img src=x onerror="{}">', '<svg onload="{}">', '<body onpageshow="{}">'])
def test_handlers_that_run_by_themselves(html: str) -> None:
    assert moves(html.format(f"location.href='{THERE}'")) == [("script_location", THERE, 0.0)]


def test_code_after_more_functions_than_are_read_is_unknown_and_its_host_is_said() -> None:
    source = "function f() {}" * (MOST_BLOCKS + 1) + f"location.href = '{THERE}'"
    facts = read_page(f"<script>{source}</script>", URL)
    assert (facts.auto_navigations, facts.script_hosts) == ((), ("there.example",))
    assert moves(f"<script>{source[-2000:]}</script>") == [("script_location", THERE, 0.0)]


def test_every_functions_calls_are_found_in_one_pass() -> None:
    source = "".join(f"function f{number}() {{ location.href = '{THERE}{number}' }}" for number in range(MOST_NAMES + 50))
    flow = Flow(source + "f1();")
    assert [flow.is_automatic(source.index(f"'{THERE}{number}'")) for number in (0, 1, 2)] == [False, True, False]


def test_deeply_nested_functions_are_not_followed_for_ever() -> None:
    source = "function(){" * 1_500
    flow = Flow(source)
    assert not any(flow.is_automatic(len(source)) for _ in range(100))


@pytest.mark.parametrize(
    ("content", "url", "delay"),
    [
        (f"0; url={THERE}", THERE, 0.0),
        (f"5;URL='{THERE}'", THERE, 5.0),
        (f" 1.5 ; url = {THERE} ", THERE, 1.5),
        (f"0;{THERE}", THERE, 0.0),
        (f"; url={THERE}", THERE, None),
        ("0; url=/next", "https://shop.example/next", 0.0),
        ("300", URL, 300.0),
    ],
)
def test_meta_refresh(content: str, url: str, delay: float | None) -> None:
    assert moves(f'<meta http-equiv="Refresh" content="{content}">') == [("meta_refresh", url, delay)]


def test_a_refresh_for_visitors_without_scripts_is_none() -> None:
    assert moves(f'<noscript><meta http-equiv="refresh" content="0; url={THERE}"></noscript>') == []


def test_a_move_to_an_affiliate_network_names_it() -> None:
    html = '<script>location.href = "https://click.linksynergy.com/deeplink?id=a&mid=1"</script>'
    (move,) = read_page(html, URL).auto_navigations
    assert isinstance(move, AutoNavigation)
    assert move.network == "rakuten"
    assert "linksynergy" in move.excerpt
