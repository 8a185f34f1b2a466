"""What a page's HTML says, aspect by aspect."""

from __future__ import annotations

import msgspec
import pytest

from crawlers.facts import Embed, PageFacts
from crawlers.page import read_page

URL = "https://shop.example/blog/post"


def read(html: str, url: str = URL) -> PageFacts:
    """Read a page."""
    return read_page(html, url)


def embed(html: str) -> Embed:
    """Return the one thing that a page loads."""
    (only,) = read(html).embeds
    return only


def test_the_head_of_a_page() -> None:
    facts = read(
        '<html lang="de-DE"><head><title> Ein \n Laden </title><meta name="description" content="Alles  da">'
        '<meta name=generator content="WordPress 6">'
        '<link rel=canonical href="/kanon">'
        '<script type="application/ld+json">{"@type": ["Organization", "Store"], "founder": {"@type": "Person"}}</script>'
    )
    assert (facts.title, facts.description, facts.generator) == ("Ein Laden", "Alles da", "WordPress 6")
    assert facts.declared_language == "de-de"
    assert facts.canonical == "https://shop.example/kanon"
    assert facts.json_ld_types == ("Organization", "Store", "Person")


def test_the_main_text_is_what_visitors_read() -> None:
    words = " ".join(f"word{number}" for number in range(30))
    facts = read(
        f"<nav>Home Shop</nav><p>{words}<br>next <b>bo</b>ld</p><script>var x</script><style>p{{}}</style><noscript>off</noscript>"
        "<div style='display: none'>secret</div><p hidden>secret</p><template><p>later</p></template><!-- note --><footer>Imprint</footer>"
    )
    assert facts.text == f"{words}\nnext bold"
    assert facts.word_count == 32


def test_text_that_only_appears_with_an_animation_is_text() -> None:
    assert read("<body style='visibility:hidden'><p style='opacity:0'>Hello there").text == "Hello there"


def test_a_page_that_marks_everything_as_navigation_still_has_text() -> None:
    assert read("<nav>All there is</nav>").text == "All there is"


def test_text_is_kept_up_to_its_cap_and_counted_beyond() -> None:
    facts = read("<p>" + "word " * 10_000)
    assert len(facts.text) == 20_000
    assert facts.word_count == 10_000


def test_words_are_counted_in_scripts_without_spaces() -> None:
    assert read("<p>これは日本語の文章です。").word_count == 6


def test_language_is_guessed_from_twenty_words_on() -> None:
    sentence = (
        "Der schnelle braune Fuchs springt über den faulen Hund und läuft danach weit in den dunklen Wald hinein zu seinen Freunden. "
    )
    guessed = read(f"<html lang=en><p>{sentence}")
    assert guessed.detected_language == "de"
    assert guessed.language_confidence is not None
    assert guessed.language_confidence > 0.9
    assert read("<p>Der schnelle braune Fuchs").language_confidence is None


def test_links_are_absolute_and_carry_their_words() -> None:
    facts = read(
        '<base href="/shop/"><a href="item" rel="NoFollow sponsored">An <b>item</b></a>'
        '<a href="//CDN.example/x"><img alt="Logo" src=l.png></a>'
        '<a href="#top">Top</a><a href="javascript:go()">Go</a><a href="mailto:Info@Shop.example?subject=x">Mail</a><a>none</a>'
    )
    assert [(link.url, link.text, link.rel, link.host) for link in facts.links] == [
        ("https://shop.example/shop/item", "An item", ("nofollow", "sponsored"), "shop.example"),
        ("https://CDN.example/x", "Logo", (), "cdn.example"),
        ("mailto:Info@Shop.example?subject=x", "Mail", (), ""),
    ]
    assert facts.emails == ("info@shop.example",)


def test_mail_addresses_in_text_and_behind_obfuscation() -> None:
    covered = bytes([0x42] + [byte ^ 0x42 for byte in b"me@shop.example"]).hex()
    facts = read(
        f'<p>Write to Sales@Shop.example, not to logo@2x.png or a@b.<a class="__cf_email__" data-cfemail="{covered}">[protected]</a>'
    )
    assert facts.emails == ("me@shop.example", "sales@shop.example")


def test_affiliate_links_are_told_apart_from_others() -> None:
    facts = read(
        '<a href="https://www.awin1.com/cread.php?awinmid=1&awinaffid=2" rel="sponsored">Lamp</a><a href="https://amazon.de/dp/1">Book</a>'
    )
    (link,) = facts.affiliate_links
    assert (link.network, link.text, link.rel) == ("awin", "Lamp", ("sponsored",))
    assert link.excerpt.startswith('<a href="https://www.awin1.com/cread.php')


def test_disclosures_stand_where_they_are_said() -> None:
    facts = read("<p>Welcome.</p><p>This post contains affiliate   links.</p>")
    (disclosure,) = facts.disclosures
    assert (disclosure.phrase, disclosure.language, disclosure.offset) == ("contains affiliate links", "en", 19)
    assert "This post" in disclosure.excerpt


def test_a_disclosure_in_the_footer_counts() -> None:
    words = "word " * 40
    assert read(f"<p>{words}</p><footer>As an Amazon Associate I earn from qualifying purchases.</footer>").disclosures


def test_social_profiles_by_the_strongest_way() -> None:
    facts = read(
        '<a href="https://www.instagram.com/example/">i</a><a rel="me" href="https://social.example/@me">m</a>'
        '<a href="https://twitter.com/intent/tweet?text=x">share</a><a href="https://twitter.com/example">t</a>'
        '<script type="application/ld+json">{"sameAs": ["https://www.instagram.com/Example", "https://www.facebook.com/example.page"]}</script>'
    )
    assert [(profile.platform, profile.handle, profile.found_by) for profile in facts.social_profiles] == [
        ("mastodon", "me@social.example", "rel-me"),
        ("instagram", "Example", "sameAs"),
        ("facebook", "example.page", "sameAs"),
        ("x", "example", "link"),
    ]


def test_identity_pages_are_the_sites_own() -> None:
    facts = read(
        '<a href="/impressum">Impressum</a><a href="https://other.example/privacy">Privacy</a><a href="https://www.shop.example/p">Datenschutz</a>'
    )
    assert [(page.kind, page.url) for page in facts.identity_pages] == [
        ("imprint", "https://shop.example/impressum"),
        ("privacy", "https://www.shop.example/p"),
    ]


HIDDEN = [
    ('<img src="/x.gif" width="1" height="1">', "1px width"),
    ('<img src="/x.gif" height=0>', "0px height"),
    ('<iframe src="/x" style="width:0px;height:1px"></iframe>', "0px width"),
    ('<iframe src="/x" style="WIDTH: 1PX !important"></iframe>', "1px width"),
    ('<iframe src="/x" style="display : none"></iframe>', "display:none"),
    ('<iframe src="/x" style="visibility:hidden"></iframe>', "visibility:hidden"),
    ('<iframe src="/x" style="opacity:0.0"></iframe>', "opacity:0"),
    ('<iframe src="/x" style="filter: opacity( 0 )"></iframe>', "opacity:0"),
    ('<iframe src="/x" style="position:absolute;left:-9999px"></iframe>', "off-screen (left:-9999px)"),
    ('<iframe src="/x" style="position:fixed;top:-500em"></iframe>', "off-screen (top:-500em)"),
    ('<iframe src="/x" style="margin-left:-5000px"></iframe>', "off-screen (margin-left:-5000px)"),
    ('<iframe src="/x" style="transform:translateX(-2000px)"></iframe>', "off-screen (transform)"),
    ('<iframe src="/x" style="transform: scale(0)"></iframe>', "scaled to nothing"),
    ('<iframe src="/x" style="position:absolute;clip:rect(0,0,0,0)"></iframe>', "clipped to nothing"),
    ('<iframe src="/x" style="clip-path: inset(100%)"></iframe>', "clipped to nothing"),
    ('<iframe src="/x" hidden></iframe>', "hidden attribute"),
    ('<div style="display:none"><p><iframe src="/x"></iframe></p></div>', "hidden ancestor: display:none"),
    ('<div style="width:0;height:0;overflow:hidden"><iframe src="/x"></iframe></div>', "hidden ancestor: 0px width"),
    ('<div hidden><img src="/x.gif"></div>', "hidden ancestor: hidden attribute"),
    ('<style>.t{position:absolute;left:-999px}</style><iframe class="a t" src="/x"></iframe>', "off-screen (left:-999px)"),
    ('<style>a{color:red} #q, .z { display:none }</style><div id=q><iframe src="/x"></iframe></div>', "hidden ancestor: display:none"),
    ('<style>/* } */ iframe.t{opacity:0}</style><iframe class=t src="/x"></iframe>', "opacity:0"),
    ('<embed src="/x.swf" width="1">', "1px width"),
    ('<object data="/x" style="display:none"></object>', "display:none"),
]


@pytest.mark.parametrize(("html", "why"), HIDDEN)
def test_hidden_elements_and_why(html: str, why: str) -> None:
    found = embed(html)
    assert (found.hidden, found.why_hidden) == (True, why)
    assert found.url.startswith("https://shop.example/x")
    assert found.excerpt.startswith("<")
    assert len(found.excerpt) <= 300


@pytest.mark.parametrize(
    "html",
    [
        '<img src="/x.gif" width="100" height="50">',
        '<img src="/x.gif" width="100%" height="auto">',
        '<iframe src="/x" style="width:100%;height:0.5em"></iframe>',
        '<div style="height:0;padding-bottom:56.25%;overflow:hidden"><iframe src="/x"></iframe></div>',
        '<iframe src="/x" style="position:absolute;left:-5px"></iframe>',
        '<iframe src="/x" style="left:-9999px"></iframe>',
        '<iframe src="/x" style="opacity:0.5"></iframe>',
        '<style>@media print{iframe{display:none}}</style><iframe src="/x"></iframe>',
        '<style>.menu iframe{display:none}</style><iframe src="/x"></iframe>',
        '<style>/* iframe{display:none} */</style><iframe src="/x"></iframe>',
        '<body style="opacity:0"><iframe src="/x"></iframe>',
        '<link rel="prefetch" href="/x">',
        '<script src="/x"></script>',
    ],
)
def test_what_can_be_seen_or_has_nothing_to_be_seen_is_not_hidden(html: str) -> None:
    assert embed(html).hidden is False


def test_everything_a_browser_loads() -> None:
    facts = read(
        '<link rel="dns-prefetch" href="/no"><link rel="stylesheet" href="/a.css"><link rel="prerender" href="/b">'
        '<style>@import "/i.css"; p{background:url(/c.png)}</style>'
        '<script src="/d.js"></script><img src="data:image/png;base64,x"><img srcset="/e.png 2x">'
        '<p style="background:url(\'/f.png\')"></p><embed src="/g">'
        '<object data="/h"></object><input type=image src="/j"><frameset><frame src="/k"></frameset><video src="/l"></video><img src="">'
    )
    assert [(found.tag, found.url.removeprefix("https://shop.example")) for found in facts.embeds] == [
        ("script", "/d.js"),
        ("img", "/e.png"),
        ("embed", "/g"),
        ("object", "/h"),
        ("input", "/j"),
        ("video", "/l"),
        ("link", "/a.css"),
        ("link", "/b"),
        ("css", "/c.png"),
        ("css", "/i.css"),
        ("css", "/f.png"),
    ]


STUFFING = "https://www.awin1.com/cread.php?awinmid=1&awinaffid=2"


@pytest.mark.parametrize(
    "html",
    [
        f'<iframe src="{STUFFING}" width="1" height="1"></iframe>',
        f'<img src="{STUFFING}" style="display:none">',
        f"<script>new Image().src = '{STUFFING}';</script>",
        f"<script>(new Image).src='{STUFFING}'; var i = new Image(); i.src = \"{STUFFING}\";</script>",
        f"<script>document.write('<iframe src=\"{STUFFING}\" width=0 height=0></iframe>')</script>",
        f'<script>document.write("\\x3ciframe src=\\"{STUFFING}\\" style=\\"display:none\\"\\x3e")</script>'.replace("\\x3c", "<").replace(
            "\\x3e", ">"
        ),
    ],
)
def test_a_stuffed_cookie_is_seen_with_its_network(html: str) -> None:
    found = read(html).embeds
    assert {(one.hidden, one.network, one.url) for one in found} == {(True, "awin", STUFFING)}


def test_what_stands_in_a_frames_srcdoc_is_seen_and_hidden_with_it() -> None:
    (found,) = read(f"<iframe width=0 srcdoc='<img src=\"{STUFFING}\">'></iframe>").embeds
    assert (found.tag, found.network, found.why_hidden) == ("img", "awin", "hidden ancestor: 0px width")


def test_an_element_made_by_a_script_is_seen() -> None:
    (found,) = read(f"<script>var f = document.createElement('iframe'); f.src = '{STUFFING}'; document.body.appendChild(f)</script>").embeds
    assert (found.tag, found.network) == ("iframe", "awin")


def test_parked_pages() -> None:
    facts = read("<title>parked.example</title><script>window.location.href='/lander?x'</script>", "http://www.parked.example/")
    assert [sign.kind for sign in facts.parking_signs] == ["lander_redirect", "title_is_domain"]
    article = "<p>" + "An article about domains. " * 200 + "This domain is for sale. <a href='https://www.afternic.com/'>Afternic</a>"
    assert read(article).parking_signs == ()


@pytest.mark.parametrize(
    ("html", "needed"),
    [
        ('<div id="root"></div><script src="/app.js"></script>', True),
        (
            '<body><noscript>You need to enable JavaScript to run it.</noscript><div id="root"> </div><script src="/app.js"></script>',
            True,
        ),
        ("<app-root></app-root><script>boot()</script>", True),
        ('<div id="root"></div>', False),
        ("<p>A short page.</p><script src=/a.js></script>", False),
        (f'<div id="root"></div><script src="/app.js"></script><p>{"word " * 30}', False),
        ('<div id="x"></div><script>location.href="https://elsewhere.example/"</script>', False),
    ],
)
def test_empty_shells_are_told_from_thin_pages(html: str, needed: bool) -> None:
    assert read(html).scripts_needed is needed


def test_facts_survive_json() -> None:
    facts = read(
        '<title>x</title><a href="https://amzn.to/x">a</a><img src=/x width=1>'
        '<meta http-equiv=refresh content="1;url=/y"><p>contains affiliate links'
    )
    assert facts.affiliate_links
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(facts))), PageFacts) == facts


@pytest.mark.parametrize(
    ("body", "content_type", "encoding", "word"),
    [
        ("<p>Größe".encode(), "text/html; charset=iso-8859-1", "utf-8", "Größe"),
        ("<p>Größe".encode("latin-1"), "text/html; charset=utf-8", "windows-1252", "Größe"),
        ("<p>Größe".encode("latin-1"), "", "windows-1252", "Größe"),
        ("<meta charset=windows-1251><p>Привет мир".encode("windows-1251"), "", "cp1251", "Привет мир"),
        ("<p>Привет мир".encode("koi8-r"), "text/html; charset=KOI8-R", "koi8-r", "Привет мир"),
        ("<meta http-equiv=content-type content='text/html; charset=gb2312'><p>你好世界".encode("gb18030"), "", "gb18030", "你好世界"),
        ("<p>こんにちは".encode("shift_jis"), "text/html; charset=Shift_JIS", "cp932", "こんにちは"),
        ("<p>こんにちは".encode("iso-2022-jp"), "text/html; charset=iso-2022-jp", "iso2022_jp", "こんにちは"),
        (b"\xef\xbb\xbf<p>Gr\xc3\xb6\xc3\x9fe", "text/html; charset=latin-1", "utf-8", "Größe"),
        ("<p>Größe".encode("utf-16"), "", "utf-16-le", "Größe"),
        ("<p>10 € “x”".encode("windows-1252"), "text/html; charset=iso-8859-1", "cp1252", "10 € “x”"),
        ("<p>Größe".encode(), "text/html; charset=no-such-thing", "utf-8", "Größe"),
        ("<p>Größe".encode()[:-2], "", "utf-8", "Grö�"),
        (("<p>ä" * 40).encode() + b"\xff", "text/html; charset=utf-8", "utf-8", "ä\n" * 39 + "ä�"),
    ],
)
def test_mislabelled_pages_are_read_right(body: bytes, content_type: str, encoding: str, word: str) -> None:
    facts = read_page(body, URL, content_type)
    assert facts.text == word
    assert facts.encoding == encoding
