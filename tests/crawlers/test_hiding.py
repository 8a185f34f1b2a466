"""How certain it is that a visitor cannot see something: what hides it, and what else the page's rules say."""

from __future__ import annotations

import pytest

from crawlers.facts import Embed
from crawlers.page import read_page
from crawlers.reading.embeds import MOST_FRAMES
from crawlers.reading.sheets import MOST_RULES
from crawlers.reading.walk import MOST_SCRIPT_ELEMENTS

URL = "https://shop.example/"
FRAME = '<iframe class="s on" id=q src="/x"></iframe>'


def only(html: str) -> Embed:
    (found,) = [one for one in read_page(html, URL).embeds if one.tag not in {"link", "css"}]
    return found


@pytest.mark.parametrize(
    "html",
    [
        '<iframe src="/x" style="display:/**/none"></iframe>',
        '<iframe src="/x" style="d\\69splay:none"></iframe>',
        '<iframe src="/x" style="position:absolute;left:-200vw"></iframe>',
        '<iframe src="/x" style="position:absolute;left:9999px"></iframe>',
        '<iframe src="/x" style="position:fixed;inset:-9999px auto auto -9999px"></iframe>',
        '<iframe src="/x" style="translate:-9999px 0"></iframe>',
        '<iframe src="/x" style="transform:translate(0, -3000px)"></iframe>',
        '<iframe src="/x" style="scale:0"></iframe>',
        '<iframe src="/x" style="zoom:0"></iframe>',
        '<iframe src="/x" style="clip-path:circle(0)"></iframe>',
        '<iframe src="/x" style="opacity:.02"></iframe>',
        '<iframe src="/x" style="width:calc(1px)"></iframe>',
        '<iframe src="/x" width=2 height=2></iframe>',
        f"<style>#q{{display:none}}</style>{FRAME}",
        f"<style>.s{{opacity:0}} p.s{{opacity:1}}</style>{FRAME}",
        f"<style>@media screen{{.s{{display:none}}}}</style>{FRAME}",
        f"<style>@layer x{{.s{{display:none}}}}</style>{FRAME}",
        f"<style>.on{{left:-9999px}} .s{{position:absolute}}</style>{FRAME}",
        '<div style="position:absolute;left:-9999px"><iframe src="/x"></iframe></div>',
        '<div hidden><iframe src="/x" width=1></iframe></div>',
    ],
)
def test_hidden_for_certain(html: str) -> None:
    found = only(html)
    assert (found.hidden, found.doubt) == (True, "")


@pytest.mark.parametrize(
    "html",
    [
        f"<style>.s{{display:none}} @media(max-width:600px){{.s{{display:block}}}}</style>{FRAME}",
        f"<style>.s{{display:none}} .s.open{{display:block}}</style>{FRAME}",
        f"<style>.s{{opacity:0}} .s:hover{{opacity:1}}</style>{FRAME}",
        f"<style>.w .s{{display:none}}</style><div class=w>{FRAME}</div>",
        f"<style>.w > *{{display:none}}</style><div class=w>{FRAME}</div>",
        f"<style>iframe[src^='/']{{display:none}}</style>{FRAME}",
        '<div style="display:none"><a href=/y><iframe src="/x"></iframe></a></div>',
        '<style>.tab{display:none}</style><div class=tab><iframe src="/x"></iframe></div>',
        '<dialog><iframe src="/x"></iframe></dialog>',
        '<details><summary>More</summary><iframe src="/x"></iframe></details>',
    ],
)
def test_hidden_but_not_for_certain(html: str) -> None:
    found = only(html)
    assert found.hidden
    assert found.doubt


@pytest.mark.parametrize(
    "html",
    [
        f"<style>.s{{opacity:0}} .s.on{{opacity:1}}</style>{FRAME}",
        f"<style>.s{{display:none}} iframe.s{{display:block !important}}</style>{FRAME}",
        f"<style>.s{{display:block !important}} #q{{display:none}}</style>{FRAME}",
        f"<style>.s{{display:none}} .s{{display:block}}</style>{FRAME}",
        f"<style>.w .s{{display:none}}</style>{FRAME}",
        f"<style>@media print{{.s{{display:none}}}} @keyframes k{{from{{opacity:0}}}}</style>{FRAME}",
        '<dialog open><iframe src="/x"></iframe></dialog>',
        '<iframe src="/x" style="transform:translate(-50%,-50%)"></iframe>',
        '<iframe src="/x" style="position:absolute;left:-100%"></iframe>',
        '<iframe src="/x" style="opacity:.5;scale:0.5;zoom:1"></iframe>',
        '<iframe src="/x" width=2 height=200></iframe>',
    ],
)
def test_seen(html: str) -> None:
    found = only(html)
    assert (found.hidden, found.doubt) == (False, "")


def test_a_rule_under_a_condition_leaves_it_open() -> None:
    found = only(f"<style>@media(min-width:1px){{.s{{display:none}}}}</style>{FRAME}")
    assert not found.hidden
    assert "condition" in found.doubt


@pytest.mark.parametrize("html", ["<link rel=stylesheet href=/a.css>", "<style>@import '/b.css'</style>"])
def test_styles_elsewhere_are_said_to_be_unread(html: str) -> None:
    assert read_page(html, URL).outside_styles
    assert not read_page("<style>p{color:red}</style><link rel=icon href=/i.png>", URL).outside_styles


def test_rules_beyond_measure_are_unread_and_said_so() -> None:
    sheet = "".join(f".a{number}{{display:none}}" for number in range(MOST_RULES + 1))
    assert read_page(f"<style>{sheet}</style>", URL).outside_styles
    many = "".join(f".a.b{number}{{display:none}}" for number in range(1_000))
    elements = "".join(f'<p class="a c{number}">' for number in range(300))
    assert read_page(f"<style>{many}</style>{elements}", URL).outside_styles


CLICK = "https://go.brand.example/c/1"


@pytest.mark.parametrize(
    "html",
    [
        f"<iframe style='display:none' srcdoc=\"<script>new Image().src='{CLICK}'</script>\"></iframe>",
        f"<iframe style='display:none' srcdoc=\"<meta http-equiv=refresh content='0;url={CLICK}'>\"></iframe>",
        f"<iframe style='display:none' srcdoc='<iframe srcdoc=\"&lt;img src={CLICK}&gt;\"></iframe>'></iframe>",
        f"<iframe style='display:none' src='data:text/html,<img src={CLICK}>'></iframe>",
        f'<script>fetch("{CLICK}", {{mode: "no-cors", credentials: "include"}})</script>',
        f'<script>navigator.sendBeacon("{CLICK}")</script>',
        f'<script>var x = new XMLHttpRequest(); x.open("GET", "{CLICK}"); x.send()</script>',
        f'<script>var i = document.createElement("img"); i.setAttribute("src", "{CLICK}")</script>',
        f'<script>var f = document.createElement("iframe"); f.style.display = "none"; f.src = "{CLICK}"; document.body.append(f)</script>',
    ],
)
def test_what_carried_pages_and_scripts_load_is_hidden(html: str) -> None:
    found = [one for one in read_page(html, URL).embeds if one.url == CLICK]
    assert [(one.hidden, one.doubt) for one in found] == [(True, "")]


def test_what_a_script_loads_on_a_click_may_wait() -> None:
    (found,) = read_page(f'<script>b.onclick = function() {{ new Image().src = "{CLICK}" }}</script>', URL).embeds
    assert "visitor" in found.doubt


def test_an_image_that_a_script_puts_on_the_page_is_seen() -> None:
    assert not only(f'<script>var i = new Image(); i.src = "{CLICK}"; document.body.appendChild(i)</script>').hidden


@pytest.mark.parametrize(
    ("script", "hosts"),
    [
        (f'var parts = ["{CLICK}", id]; location.href = parts.join("")', ("go.brand.example",)),
        ('var host = "go." + "brand.example"; location.href = "https://" + host + path()', ("go.brand.example",)),
        (f'location.href = "{CLICK}"', ()),
        (f'var links = {{shop: "{CLICK}"}}', ()),
        (f'b.onclick = function() {{ location.href = pick("{CLICK}") }}', ()),
    ],
)
def test_hosts_in_scripts_that_could_not_be_read(script: str, hosts: tuple[str, ...]) -> None:
    assert read_page(f"<script>{script}</script>", URL).script_hosts == hosts


def test_only_so_many_scripts_and_carried_pages_are_read() -> None:
    scripts = "".join(f"<script>new Image().src = '/i{number}'</script>" for number in range(MOST_SCRIPT_ELEMENTS + 20))
    assert len(read_page(scripts, URL).embeds) == MOST_SCRIPT_ELEMENTS
    frames = "".join(f"<iframe srcdoc='<img src=/i{number}>'></iframe>" for number in range(MOST_FRAMES + 20))
    assert len(read_page(frames, URL).embeds) == MOST_FRAMES
