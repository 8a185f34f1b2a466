"""Exports written by hand with the documented columns of each service, and generators of link profiles with a known truth."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

from crawlers.backlinks.facts import Backlink
from crawlers.backlinks.profile import About

AHREFS = (
    "Referring page title\tReferring page URL\tLanguage\tPlatform\tReferring page HTTP code\tDomain rating\tUR\tDomain traffic\t"
    "Referring domains\tLinked domains\tExternal links\tPage traffic\tKeywords\tTarget URL\tLeft context\tAnchor\tRight context\tType\t"
    "Content\tNofollow\tUGC\tSponsored\tRendered\tRaw\tLost status\tFirst seen\tLast seen\tLost\n"
    "Ten tents for the “wet” season – tested\thttps://www.outdoor-mag.example/tents\ten\twordpress\t200\t61\t22\t15400\t12\t30\t41\t310\t9\t"
    "https://trailnotes.example/tents\tWe liked\tTrail Notes\t's review\ttext\ttrue\tfalse\tfalse\tfalse\tfalse\ttrue\t\t"
    "2023-04-02 10:11:12\t2025-01-20 01:02:03\t\n"
    "Forum: wet feet\thttp://forum.bergfreunde.example/t/4\tde\t\t200\t18\t3\t0\t1\t2\t9\t0\t0\thttps://trailnotes.example/\t\t"
    "https://trailnotes.example\t\ttext\ttrue\ttrue\tfalse\tfalse\tfalse\ttrue\t\t"
    "2022-11-01 00:00:00\t2024-02-03 00:00:00\t2024-03-01 00:00:00\n"
)
AHREFS_DOMAINS = (
    "Domain,DR,Dofollow linked domains,Traffic,Links to target,Dofollow links,First seen,Lost,Is spam\n"
    "outdoor-mag.example,61,30,15400,7,5,2023-04-02,,false\nme.blogspot.com,12,4,0,1,0,2024-01-01,,false\n"
)
SEMRUSH = (
    "Page ascore,Source title,Source url,Target url,Anchor,External links,Internal links,Nofollow,Sponsored,Ugc,Text,Frame,Form,Image,"
    "Sitewide,First seen,Last seen,New link,Lost link\n"
    '34,"Tents, tested",https://outdoor-mag.example/tents,https://trailnotes.example/,Trail Notes,41,80,FALSE,FALSE,FALSE,TRUE,FALSE,'
    "FALSE,FALSE,FALSE,2023-04-02 00:00:00,2025-01-20 00:00:00,FALSE,FALSE\n"
    "2,Links,https://www.linkdump.example/1,https://trailnotes.example/,cheap tents,2100,3,TRUE,FALSE,FALSE,TRUE,FALSE,FALSE,FALSE,TRUE,"
    "2024-06-01 00:00:00,2025-01-20 00:00:00,FALSE,TRUE\n"
)
MAJESTIC = (
    "SourceURL,ACRank,AnchorText,Date,FlagRedirect,FlagFrame,FlagNoFollow,FlagImages,FlagDeleted,FlagAltText,FlagMention,TargetURL,"
    "DomainID,FirstIndexedDate,LastSeenDate,DateLost,ReasonLost,LinkType,LinkSubType,TargetCitationFlow,TargetTrustFlow,"
    "TargetTopicalTrustFlow_Topic_0,TargetTopicalTrustFlow_Value_0,SourceCitationFlow,SourceTrustFlow,SourceTopicalTrustFlow_Topic_0,"
    "SourceTopicalTrustFlow_Value_0\n"
    "http://outdoor-mag.example/tents,4,Trail Notes,2025-01-10,0,0,0,0,0,0,0,https://trailnotes.example/,12,2023-04-02,2025-01-10,,,"
    "TextLink,,20,18,Recreation/Outdoors,17,31,28,Recreation/Outdoors,25\n"
    "http://forum.bergfreunde.example/t/4,1,,2024-02-03,0,0,1,0,1,0,0,https://trailnotes.example/,13,2022-11-01,2024-02-03,2024-03-01,"
    "Removed,TextLink,,20,18,,,5,2,,\n"
)
MAJESTIC_SPACED = (
    "Target URL;Source URL;Anchor Text;Source Citation Flow;Source Trust Flow;First Indexed Date;Last Seen\n"
    "https://trailnotes.example/;http://outdoor-mag.example/tents;Trail Notes;31;28;2023-04-02;2025-01-10\n"
)
MOZ = (
    "Moz Link Explorer\nInbound links to trailnotes.example\n\nURL,Title,Anchor Text,Spam Score,PA,DA,Linking Domains,Target URL,"
    "Date First Seen\noutdoor-mag.example/tents,Tents,Trail Notes,1%,41,61,12,trailnotes.example/tents,2023-04-02\n"
)
LATEST_LINKS = "Linking page,Last crawled\nhttps://outdoor-mag.example/tents,2025-01-20\nhttps://me.blogspot.com/2024/x.html,2025-01-19\n"
LINKING_SITES = 'Site,Linking pages,Target pages\noutdoor-mag.example,"1,204",3\nbergfreunde.example,2,1\n'
GENERIC = (
    "source_url,target_url,anchor_text,rel,first_seen,last_seen\n"
    "https://outdoor-mag.example/tents,https://trailnotes.example/,Trail Notes,,2023-04-02,2025-01-20\n"
    "https://linkdump.example/1,https://trailnotes.example/,cheap tents,nofollow sponsored,1717200000,\n"
)

FRIENDS = [
    f"{colour}{place}.example"
    for colour in ("red", "teal", "amber", "ivory", "plum")
    for place in "hut path peak pond camp dale crag fell".split()
]
ABOUT = About(domains=frozenset({"trailnotes.example"}), brands=("Trail Notes",), linked_domains=frozenset(FRIENDS))
_TODAY = date(2026, 2, 1)
_ADJECTIVES = "blue calm bright green quiet silver early open north old tiny daily happy little grand urban rural misty sunny stone".split()
_NOUNS = "river forest kitchen journal cabin garden harbor valley meadow studio lantern market bridge summit orchard library".split()
_TOPICS = "tents boots stoves maps lakes ridges rain winter food dogs kids ultralight huts trains ferries islands".split()


def _honest_name(dice: random.Random) -> str:
    ending = dice.choice(["com", "org", "net", "de", "co.uk", "blog", "info"])
    return f"{dice.choice(_ADJECTIVES)}{dice.choice(_NOUNS)}{dice.choice(_ADJECTIVES)}{dice.choice(_TOPICS)}.{ending}"


def _address(dice: random.Random) -> str:
    if dice.random() < 0.4:  # on a platform
        return dice.choice(["104.21.3.{}", "172.67.9.{}", "192.0.78.{}", "23.227.38.{}"]).format(dice.randrange(1, 250))
    return f"{dice.randrange(11, 99)}.{dice.randrange(1, 250)}.{dice.randrange(1, 250)}.{dice.randrange(1, 250)}"


def _honest_anchor(dice: random.Random, brand: float) -> str:
    if dice.random() < brand:
        return dice.choice(["Trail Notes", "trailnotes.example", "https://trailnotes.example/", "Trail Notes blog"])
    topic, other = dice.choice(_TOPICS), dice.choice(_TOPICS)
    return dice.choice(
        ["here", "this post", f"their notes on {topic}", f"{topic} and {other}", "", f"a guide to {topic} with {other}", "source"]
    )


def honest(dice: random.Random, domains: int, **traits: float) -> list[Backlink]:
    """Links as they come by themselves. Traits: `brand` share of anchors, `days` since the first link, `idle` share without visits,
    `back` domains linked in return, `viral` share from one story in one week."""
    links = []
    for number in range(domains):
        viral = dice.random() < traits.get("viral", 0.0)
        first = _TODAY - timedelta(days=40 + dice.randrange(5) if viral else dice.randrange(int(traits.get("days", 1500))))
        name = FRIENDS[number] if number < traits.get("back", 0.0) else _honest_name(dice)
        title = (
            "The map of every hut in the Alps goes around the world" if viral else f"{dice.choice(_TOPICS)} {number} {dice.choice(_NOUNS)}"
        )
        links.append(
            Backlink(
                domain=name,
                anchor=title if viral else _honest_anchor(dice, traits.get("brand", 0.45)),
                title=f"{title} | {dice.choice(_NOUNS)} {dice.randrange(99)}" if viral and dice.random() < 0.5 else title,
                authority=min(95.0, dice.lognormvariate(3.0, 0.7)),
                traffic=0.0 if dice.random() < traits.get("idle", 0.25) else dice.lognormvariate(6, 2),
                outbound=float(dice.randrange(5, 120)),
                follow=dice.random() < 0.7,
                address=_address(dice),
                first_seen=first,
            )
        )
    return links


def network(dice: random.Random, domains: int, **traits: float) -> list[Backlink]:
    """Links as a network places them. Traits switch what it does: `phrase` share of one text, `nets` its networks, `titles` share of spun
    titles, `back` domains linked in return, `week` share placed in one week, `idle` share without visits, `numbered` share of names."""
    links = []
    for number in range(domains):
        first = _TODAY - timedelta(days=200 if dice.random() < traits.get("week", 0.0) else dice.randrange(700))
        phrase = dice.random() < traits.get("phrase", 0.0)
        numbered = dice.random() < traits.get("numbered", 0.0)
        name = FRIENDS[number] if number < traits.get("back", 0.0) else _honest_name(dice)
        spun = f"{dice.choice(['Best', 'Top'])} hiking tents {dice.choice(['reviewed', 'compared'])}"
        links.append(
            Backlink(
                domain=f"top-hiking-deals-{number}.xyz" if numbered else name,
                anchor="best hiking tents" if phrase else _honest_anchor(dice, traits.get("brand", 0.3)),
                title=spun if dice.random() < traits.get("titles", 0.0) else f"{dice.choice(_TOPICS)} {number}",
                authority=dice.uniform(20, 60),
                traffic=0.0 if dice.random() < traits.get("idle", 0.3) else dice.lognormvariate(5, 2),
                outbound=traits.get("outbound", float(dice.randrange(5, 200))),
                follow=True,
                address=f"198.18.{dice.randrange(int(traits.get('nets', 250)))}.{dice.randrange(1, 250)}",
                first_seen=first,
            )
        )
    return links


HONEST: dict[str, Callable[[random.Random], list[Backlink]]] = {
    "ordinary blog": lambda dice: honest(dice, 180),
    "brand-heavy shop": lambda dice: honest(dice, 260, brand=0.92),
    "small-town business": lambda dice: honest(dice, 35, idle=0.85, back=4),
    "viral post": lambda dice: honest(dice, 400, viral=0.6),
    "new site": lambda dice: honest(dice, 24, days=60, brand=0.6),
    "old magazine": lambda dice: honest(dice, 900, days=6000, brand=0.3),
    "niche expert": lambda dice: honest(dice, 90, brand=0.2),
    "friends' circle": lambda dice: honest(dice, 60, back=20, brand=0.6),
    "plugin author": lambda dice: honest(dice, 150, brand=0.97, idle=0.6),
    "shop on a platform": lambda dice: honest(dice, 120, brand=0.7, idle=0.4),
}
NETWORKS: dict[str, Callable[[random.Random], list[Backlink]]] = {
    "link farm": lambda dice: network(dice, 150, phrase=0.5, nets=6, titles=0.5, week=0.5, idle=0.95, numbered=0.4, outbound=2500),
    "private network": lambda dice: network(dice, 60, phrase=0.4, nets=8, titles=0.4, back=15, idle=0.9),
    "careful private network": lambda dice: network(dice, 50, phrase=0.38, nets=9, idle=0.9, brand=0.4),
    "numbered spam": lambda dice: network(dice, 90, phrase=0.2, nets=5, numbered=0.9, week=0.6),
    "exchange ring": lambda dice: network(dice, 40, back=30, phrase=0.45, titles=0.3),
    "bought in a week": lambda dice: network(dice, 200, week=0.8, phrase=0.5, idle=0.9),
    "brand-anchored network": lambda dice: network(dice, 80, nets=7, titles=0.5, idle=0.95, brand=0.95),
    "spun articles": lambda dice: network(dice, 70, titles=0.9, nets=12, phrase=0.35),
    "directory blast": lambda dice: network(dice, 300, outbound=3000, phrase=0.6, week=0.5, idle=0.8),
    "niche network": lambda dice: network(dice, 45, titles=0.6, nets=6, phrase=0.5, idle=0.8),
}
