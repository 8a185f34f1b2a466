"""Builds made-up sites: a theme, a menu, articles, the pages that say who runs it, and whatever a case puts in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from tests.sites.hosts import Answer, Asked, Pages, page
from tests.sites.texts import prose

Changes = Callable[[str, str], str]
"""Takes a path and its page, gives the page to answer instead."""


@dataclass(frozen=True)
class Plan:
    """What a site is like. `front` and `everywhere` are HTML put into the front page and into all articles; `extra` more answers."""

    name: str
    topic: str = "hiking"
    articles: int = 6
    words: int = 420
    title: str = ""
    front: str = ""
    everywhere: str = ""
    head: str = ""
    language: str = "en"
    identity: bool = True
    theme: str = ""
    text: str = ""
    extra: Mapping[str, Answer] = field(default_factory=dict)
    change: Changes | None = None
    newest: str = "2026-02-20"


def pages_of(plan: Plan) -> dict[str, str]:
    """Every page of the plan by path, the front page first."""
    slugs = slugs_of(plan)
    made = {"/": render(plan, "/", _front(plan, slugs), plan.front)}
    for slug in slugs:
        story = plan.text or prose(f"{plan.name} {slug}", plan.topic, plan.words)
        made[f"/{slug}"] = render(plan, f"/{slug}", f"<h1>{slug.replace('-', ' ').title()}</h1>{story}", plan.everywhere)
    if plan.identity:
        made["/privacy"] = render(plan, "/privacy", "<h1>Privacy policy</h1><p>We keep server logs for two weeks and nothing else.</p>", "")
        about = f"<h1>About us</h1><p>{plan.name} is run by two friends since 2019. Write to hello@{plan.name}.</p>"
        made["/about"] = render(plan, "/about", about, "")
        made["/contact"] = render(plan, "/contact", f"<h1>Contact</h1><p>hello@{plan.name}, 12 Market Street, Leeds.</p>", "")
    return made


def slugs_of(plan: Plan) -> list[str]:
    """The names of the articles: words of the topic, each different."""
    random = Random(f"{plan.name} slugs")
    words = prose(plan.name, plan.topic, 200).replace("<p>", " ").replace("</p>", " ").replace(",", " ").replace(".", " ").split()
    long = sorted({word.lower() for word in words if len(word) > 5 and word.isalpha()})
    random.shuffle(long)
    return ["-".join(long[start * 2 : start * 2 + 2]) for start in range(min(plan.articles, len(long) // 2))]


def _front(plan: Plan, slugs: list[str]) -> str:
    teasers = "".join(f'<div><h2><a href="/{slug}">{slug.replace("-", " ").title()}</a></h2></div>' for slug in slugs)
    return f"<h1>{plan.title or plan.name}</h1>{plan.text or prose(plan.name, plan.topic, plan.words)}{teasers}"


def render(plan: Plan, path: str, body: str, more: str) -> str:
    """A whole page in the plan's theme; themes differ in their tags and classes."""
    theme = plan.theme or plan.name.partition(".")[0]
    random = Random(theme)
    box, column, bar = (random.choice(("div", "section")) for _ in range(3))
    marks = [f"{theme[:3]}{random.randint(10, 99)}" for _ in range(6)]
    foot = '<a href="/privacy">Privacy policy</a> <a href="/about">About us</a> <a href="/contact">Contact</a>' if plan.identity else ""
    title = plan.title or f"{plan.topic.title()} notes of {plan.name}"
    return (
        f'<!doctype html><html lang="{plan.language}"><head><meta charset="utf-8"><title>{title} {path.strip("/")}</title>'
        f'<meta property="article:modified_time" content="{plan.newest}T10:00:00Z">{plan.head}</head><body class="{marks[0]}">'
        f'<header class="{marks[1]}"><{bar} class="{marks[2]}"><a href="/">Home</a></{bar}></header>'
        f'<{box} class="{marks[3]}"><main class="{marks[4]}"><{column} class="{marks[5]}">{body}{more}</{column}></main></{box}>'
        f'<footer class="{marks[2]}">© 2026 {plan.name} {foot}</footer></body></html>'
    )


def site(plan: Plan) -> Pages:
    """The answers of the plan's site, with a sitemap and an icon of its own."""
    made = pages_of(plan)
    sitemap = "".join(f"<url><loc>https://{plan.name}{path}</loc><lastmod>{plan.newest}</lastmod></url>" for path in list(made)[:10])
    files = {
        "/robots.txt": Answer(b"User-agent: *\nAllow: /\n", kind="text/plain"),
        "/sitemap.xml": Answer(f"<urlset>{sitemap}</urlset>".encode(), kind="application/xml"),
        "/favicon.ico": Answer(b"\x00\x00\x01\x00" + (plan.theme or plan.name).encode(), kind="image/x-icon"),
        **plan.extra,
    }

    def answer(asked: Asked) -> Answer | None:
        path = asked.path.partition("?")[0]
        if path in files:
            return files[path]
        if path not in made:
            return None
        return page(plan.change(path, made[path]) if plan.change else made[path])

    return answer
