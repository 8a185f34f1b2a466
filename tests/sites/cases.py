"""The hand-made sites: honest ones as hard to judge as real ones, and bad ones of every kind that the checks look for."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from fraud.domain.programs import Application, ProgramProfile
from tests.sites.building import Plan, pages_of, site
from tests.sites.hosts import Answer, Asked, Host, page, redirect
from tests.sites.texts import FRENCH, GERMAN, prose

PROFILE = ProgramProfile(
    name="Acme Outdoor",
    description="Tents, boots and bicycles, with a camera shop",
    keywords=("hiking", "tents", "boots", "camera", "bikes", "recipes", "garden", "travel"),
    domains=("acmeoutdoor.test",),
    brand_terms=("Acmeoutdoor",),
    tracking_hosts=("go.acmetracking.test",),
    languages=("en", "de"),
    prohibited_categories=("adult", "gambling", "pharma", "counterfeit", "weapons", "drugs"),
)
OWN = "https://go.acmetracking.test/click/77?aff=9"
NETWORK = "https://www.awin1.com/cread.php?awinmid=1&awinaffid=2"


@dataclass(frozen=True)
class Case:
    """One applicant: the site, what the application says besides, and the check that must find something ('' for an honest one).

    `also` are further checks that may find something without the case being wrong. `group` puts cases into one workspace in order.
    """

    name: str
    kind: str
    host: Host
    finds: str = ""
    application: Mapping[str, Any] = field(default_factory=dict)

    @property
    def honest(self) -> bool:
        """Whether the applicant is."""
        return not self.finds

    @property
    def applying(self) -> Application:
        """The application."""
        stated = {"application_id": self.kind, "name": "A Person", "email": f"me@{self.name}", "websites": (self.name,)}
        return Application(**{**stated, **self.application})


def plain(kind: str, topic: str = "hiking", *, host: Mapping[str, Any] | None = None, **changes: Any) -> Case:
    """An honest site of the usual make; `changes` are the plan's."""
    name = changes.pop("name", f"{kind}.test")
    applied = changes.pop("application", {})
    return Case(name, kind, Host(site(Plan(name=name, topic=topic, **changes)), **(host or {})), application=applied)


def bad(kind: str, finds: str, front: str = "", topic: str = "hiking", **changes: Any) -> Case:
    """A site of the usual make with something in its front page."""
    made = plain(kind, topic, front=front, **changes)
    return replace(made, finds=finds)


def disclosed(url: str, count: int = 3) -> str:
    """A disclosure with links beside it."""
    links = " ".join(f'<a rel="sponsored" href="{url}&amp;p={number}">See the price of tent {number}</a>' for number in range(count))
    return f"<p>This page contains affiliate links: we may earn a commission when you buy through them.</p><p>{links}</p>"


def honest_cases() -> Iterator[Case]:
    """Sites that must not be rejected, and of which nearly all may go on."""
    for kind, topic in (("trail", "hiking"), ("larder", "cooking"), ("lenscap", "camera"), ("allotment", "garden"), ("ferryman", "travel"),
                        ("freewheel", "bikes")):  # fmt: skip
        yield plain(f"{kind}-notes", topic)
    yield plain("tentpicks", front=disclosed(NETWORK), everywhere=disclosed(NETWORK, 2))
    yield plain("own-links", front=disclosed(OWN), everywhere=disclosed(OWN, 1))
    banner = '<a href="https://www.awin1.com/cread.php?awinmid=1"><img src="https://www.awin1.com/cshow.php?s=1&amp;v=2" width="468" height="60"></a>'
    yield plain("bannered", front=disclosed(NETWORK) + banner)
    slots = '<ins class="adsbygoogle" data-ad-slot="1"></ins><div id="div-gpt-ad-1"></div>'
    yield plain("valley-news", "travel", everywhere=slots, words=700)
    yield plain("one-pager", articles=0, words=300)
    yield plain("portfolio", "camera", articles=3, words=60)
    yield plain("http-only", host={"secure": False})
    yield plain(
        "wandern",
        text=f"<p>{GERMAN}</p>" + "<p>Noch mehr darüber steht im Buch, das wir im Winter schreiben.</p>",
        language="de",
        articles=2,
    )
    yield plain("young-blog", host={"age_days": 45})
    yield plain("very-young-blog", "garden", host={"age_days": 15})
    yield plain("expiring-soon", "bikes", host={"expires_days": 10})
    yield plain("stale-notes", newest="2023-01-01")
    yield plain(
        "health-advice", "cooking", everywhere="<p>A reader asked whether viagra and cialis change the taste of garlic. Ask a doctor.</p>"
    )
    yield plain("casino-night", "travel", everywhere="<p>The old casino by the harbour is now a museum of posters.</p>")
    yield plain(
        "chatbot-essay", everywhere="", front='<p>The chatbot answered "As an AI language model, I have no tent", and we laughed.</p>'
    )
    yield plain("domain-broker-story", "travel", everywhere="<p>Our old name was for sale for years before we could buy this domain.</p>")
    yield plain(
        "gadget-news",
        "camera",
        everywhere='<p>We tried <a href="https://addons.mozilla.org/firefox/addon/reader/">a reader extension</a>.</p>',
    )
    yield plain("packed-scripts", head="<script>eval(function(p,a,c,k,e,d){return p}('0 1',2,2,'a|b'.split('|'),0,{}))</script>")
    menu = '<nav style="display:none"><a href="/about">About</a><a href="https://maps.example/x">Find us</a></nav>'
    yield plain("hidden-menu", "garden", everywhere=menu)
    yield plain("video-frames", "cooking", everywhere='<iframe width="560" height="315" src="https://www.youtube.com/embed/abc"></iframe>')
    yield plain(
        "consent-pixel",
        "bikes",
        everywhere='<img src="https://www.facebook.com/tr?id=1234567890123" width="1" height="1" style="display:none">',
    )
    yield plain("agency-one", head="<script>ga('create','UA-5550001-1')</script>", application={"email": "office@agency-office.test"})
    yield plain(
        "agency-two", "garden", head="<script>ga('create','UA-5550001-2')</script>", application={"email": "office@agency-office.test"}
    )
    yield plain("theme-one", "travel", theme="popular")
    yield plain("theme-two", "bikes", theme="popular")
    yield plain("theme-three", "camera", theme="popular")
    yield plain("no-imprint", "cooking", identity=False)
    yield plain("free-mail", "garden", application={"email": "someone@gmail.com"})
    yield plain(
        "proved", "bikes", application={"address": "12 Market Street, Leeds", "description": "Reviews of bikes and trails every week"}
    )
    yield _phone_version()
    yield _changing()
    yield _any_path()
    yield _moved_to_www()
    yield _shell()
    yield plain("base64-mail", "travel", head=f"<script>var m='{base64.b64encode(b'https://ferries.example/timetable').decode()}'</script>")
    links = "".join(f'<a href="{NETWORK}&amp;q={number}">Tent {number}</a> ' for number in range(3))
    yield plain("undisclosed", "camera", everywhere=f"<p>{links}</p>")
    yield plain("autre-langue", text=f"<p>{FRENCH}</p>", language="fr", articles=3)
    yield plain("held-name", "bikes", host={"statuses": ("redemption period",)})
    yield plain("odd-statements", "garden", application={"address": "PO Box, Leeds", "description": "sdfg hjkl qwrt"})
    yield plain("wrong-certificate", "cooking", host={"secure": False, "certified": False})
    yield plain("refreshing-scores", "bikes", head='<meta http-equiv="refresh" content="300">')


def _phone_version() -> Case:
    plan = Plan(name="phone-version.test", topic="travel")
    whole = pages_of(plan)
    shorter = {
        path: text.replace(prose("phone-version.test", "travel", 420), prose("phone-version.test", "travel", 260))
        for path, text in whole.items()
    }

    def answer(asked: Asked) -> Answer | None:
        chosen = shorter if asked.is_phone else whole
        return page(chosen[asked.path]) if asked.path in chosen else None

    return Case(plan.name, "phone-version", Host(answer))


def _changing() -> Case:
    """A front page whose sidebar is another with every request."""
    plan, count = Plan(name="changing.test", topic="garden"), iter(range(10_000))
    whole = pages_of(plan)

    def answer(asked: Asked) -> Answer | None:
        if asked.path not in whole:
            return None
        return page(whole[asked.path].replace("</main>", f"<p>{prose(str(next(count)), 'cooking', 40)}</p></main>"))

    return Case(plan.name, "changing", Host(answer))


def _any_path() -> Case:
    """A site that sends every mistyped address to its front page."""
    plan = Plan(name="any-path.test", topic="bikes")
    whole = pages_of(plan)
    return Case(plan.name, "any-path", Host(lambda asked: page(whole.get(asked.path, whole["/"]))))


def _moved_to_www() -> Case:
    plan = Plan(name="movedwww.test", topic="cooking")
    inner = site(plan)
    return Case(
        plan.name,
        "movedwww",
        Host(lambda asked: inner(asked) if asked.host.startswith("www.") else redirect(f"https://www.{asked.host}{asked.path}")),
    )


def _shell() -> Case:
    shell = '<!doctype html><title>App</title><div id="root"></div><script src="/app.js"></script><noscript>You need JavaScript.</noscript>'
    return Case("shell.test", "shell", Host(lambda asked: page(shell) if asked.path == "/" else None))


STUFFINGS: Mapping[str, str] = {
    "frame": f'<iframe src="{OWN}" width="1" height="1" style="border:0"></iframe>',
    "frame-off-screen": f'<iframe src="{OWN}" style="position:absolute;left:-9999px"></iframe>',
    "frame-in-hidden-box": f'<div style="display:none"><iframe src="{OWN}"></iframe></div>',
    "image": f'<img src="{OWN}" style="display:none">',
    "image-by-script": f"<script>new Image().src='{OWN}';</script>",
    "style": f"<style>body{{background:url('{OWN}')}}</style>",
    "script": f'<script src="{OWN}"></script>',
    "prefetch": f'<link rel="prefetch" href="{OWN}">',
    "prerender": f'<link rel="prerender" href="{OWN}">',
    "refresh": f'<meta http-equiv="refresh" content="3;url={OWN}">',
    "location": f"<script>setTimeout(function(){{window.location.href='{OWN}'}}, 2000);</script>",
    "window": f"<script>window.open('{OWN}');</script>",
    "object": f'<object data="{OWN}" width="0" height="0"></object>',
    "embed": f'<embed src="{OWN}" width="0" height="0">',
    "written": f"<script>document.write('<iframe src=\"{OWN}\" width=1 height=1></iframe>');</script>",
    "srcdoc": f'<iframe style="display:none" srcdoc="&lt;img src=\'{OWN}\'&gt;"></iframe>',
    "encoded": f"<script>location.href=atob('{base64.b64encode(OWN.encode()).decode()}');</script>",
    "fetch": f"<script>fetch('{OWN}',{{mode:'no-cors'}});</script>",
    "video-poster": f'<video poster="{OWN}" style="display:none"></video>',
    "nested-redirect": '<iframe src="/go/tent" width="1" height="1"></iframe>',
    "nested-image": '<img src="/out/tent" width="1" height="1">',
    "nested-page": '<iframe src="/widget" style="visibility:hidden"></iframe>',
}
"""Every form of W08 in the front page of an otherwise honest site; the nested ones lead to the tracking link by an address of the site."""
NESTED = {
    "/go/tent": redirect("/go/second"),
    "/go/second": redirect(OWN),
    "/out/tent": redirect(OWN),
    "/widget": page(f'<!doctype html><title>w</title><iframe src="{OWN}"></iframe>'),
}


def stuffing_cases() -> Iterator[Case]:
    """One site for each form of cookie stuffing."""
    for form, element in STUFFINGS.items():
        yield bad(f"stuffs-{form}", "website.hidden_tracking", element, ("hiking", "camera", "garden")[len(form) % 3], extra=NESTED)


def bad_cases() -> Iterator[Case]:
    """Sites of every other kind that a check looks for; parked and doorway pages are generated."""
    yield from _concealing()
    yield from _unwanted()
    yield from _copies()
    yield from _names()


def _concealing() -> Iterator[Case]:
    yield _cloaked("cloaked-agent", lambda asked: not asked.is_crawler)
    yield _cloaked("cloaked-phone", lambda asked: asked.is_phone)
    yield _cloaked("cloaked-search", lambda asked: asked.from_search)
    plan = Plan(name="sends-searchers.test", topic="camera")
    inner = site(plan)
    yield Case(plan.name, "sends-searchers", Host(lambda asked: redirect("https://shop-elsewhere.test/") if asked.from_search else inner(asked)),
               "website.cloaking")  # fmt: skip
    encoded = base64.b64encode(OWN.encode()).decode()
    yield bad(
        "conceals-links", "website.concealed_links", f"<script>var target='{encoded}';document.onclick=function(){{go(target)}}</script>"
    )
    spam = "".join(
        f'<a href="http://pills{n}.example/">{term}</a>'
        for n, term in enumerate(("buy viagra", "cialis", "online casino", "replica rolex"))
    )
    yield bad("injected-links", "website.injected", f'<div style="position:absolute;left:-5000px">{spam}</div>', "garden")
    plan = Plan(name="injected-for-bots.test", topic="garden")
    clean = pages_of(plan)
    stuffed = clean["/"].replace("</main>", "<p>viagra cialis levitra online pharmacy tramadol</p></main>")
    yield Case(plan.name, "injected-for-bots", Host(lambda asked: page(stuffed if asked.is_crawler and asked.path == "/" else clean[asked.path])
               if asked.path in clean else None), "website.injected")  # fmt: skip


def _cloaked(kind: str, other: Callable[[Asked], bool]) -> Case:
    plan = Plan(name=f"{kind}.test", topic="camera")
    shown = pages_of(plan)
    hidden = pages_of(replace(plan, text=prose(kind, "cooking", 500), title="Win a prize today"))

    def answer(asked: Asked) -> Answer | None:
        chosen = hidden if asked.path == "/" and other(asked) else shown
        return page(chosen[asked.path]) if asked.path in chosen else None

    return Case(plan.name, kind, Host(answer), "website.cloaking")


CATEGORIES = {
    "casino": "online casino bonus with free spins, slot machines and sports betting odds from every bookmaker, welcome bonus casino",
    "pharmacy": "buy viagra and generic viagra, cialis, levitra and tramadol online without prescription from an online pharmacy",
    "adult": "porn and live sex cams with milf and hardcore sex videos, nude photos, erotic massage",
    "replicas": "replica watches, replica rolex, aaa replica handbags, designer replica, fake designer bags",
}


def _unwanted() -> Iterator[Case]:
    for kind, words in CATEGORIES.items():
        paragraph = f"<p>{' and '.join([words] * 3)}.</p>"
        yield bad(f"sells-{kind}", "website.prohibited", paragraph, title=f"Best {words.split(',')[0]}", everywhere=paragraph, words=200)
    yield bad("mines-coins", "website.malware", "<script src='https://coinhive.com/lib/coinhive.min.js'></script>", "bikes")
    yield bad("pushes-programs", "website.malware", '<meta http-equiv="refresh" content="1;url=/setup.exe">', "camera")
    yield bad("block-listed", "website.malware", "", "travel")
    left = "<p>As an AI language model, I cannot test a tent. [Insert product name] is a great choice.</p>"
    yield bad("left-by-chatbot", "website.machine_made", left, everywhere=left)
    spun = "<p>This {good|great|superb|fine} tent is {cheap|affordable|inexpensive} and {light|handy|small}.</p>"
    yield bad("unspun", "website.machine_made", spun, "bikes", everywhere=spun)
    ads = "".join(f'<div id="div-gpt-ad-{n}"></div>' for n in range(12))
    bait = '<div id="taboola-below"></div><script src="//c1.popads.net/pop.js"></script>'
    yield bad("made-for-ads", "website.made_for_ads", ads + bait, "travel", everywhere=ads + bait, words=120,
              head='<meta http-equiv="refresh" content="60">', extra={"/ads.txt": _ads_txt()})  # fmt: skip
    toolbar = '<a href="https://chromewebstore.google.com/detail/coupon-finder/abc">Add our coupon extension to Chrome</a>'
    yield bad("coupon-toolbar", "website.software", toolbar, "bikes", title="Coupons and cashback in your browser")
    yield bad("packaged-toolbar", "website.software", '<a href="/toolbar.crx">Install</a>', "camera")
    yield bad("throw-away-mail", "application.email_domain", "", "garden", application={"email": "x@mailinator.com"})
    yield bad("dead-mail", "application.mail_server", "", "bikes", application={"email": "x@no-such-name.test"})


def _ads_txt() -> Answer:
    lines = [f"exchange{number}.example, {number}, RESELLER" for number in range(400)]
    return Answer("\n".join(lines).encode(), kind="text/plain")


def _copies() -> Iterator[Case]:
    original = Plan(name="trail-notes.test", topic="hiking")
    copied = {path: text.replace("trail-notes.test", "copied-trail.test") for path, text in pages_of(original).items()}
    yield Case(
        "copied-trail.test",
        "copied-trail",
        Host(lambda asked: page(copied[asked.path]) if asked.path in copied else None),
        "website.copied",
    )
    part = Plan(name="partly-copied.test", topic="hiking", text=prose("trail-notes.test", "hiking", 420), articles=4)
    yield Case(part.name, "partly-copied", Host(site(part)), "website.copied")
    for number in range(4):
        accounts = "<script>gtag('config','G-SERIES77XX');ga('create','UA-7770001-1')</script>"
        made = plain(f"series-{number}", ("bikes", "camera", "garden", "travel")[number], theme="series", head=accounts)
        yield replace(made, finds="website.shared_accounts" if number > 1 else "") if number > 1 else made


def _names() -> Iterator[Case]:
    yield bad("typo-name", "website.brand_in_domain", name="acmeoutdor.test")
    yield bad("brand-deals", "website.brand_in_domain", name="acmeoutdoor-deals.test", topic="bikes")
    yield bad("look-alike", "website.brand_in_domain", name="acme0utdoor.test", topic="camera")
    yield bad("homoglyph", "website.brand_in_domain", name="xn--cmeoutdoor-21l.test", topic="garden")
    yield bad("divided", "website.brand_in_domain", name="acme.outdoor.test", topic="garden")
    yield Case("to-merchant.test", "to-merchant", Host(lambda asked: redirect("https://acmeoutdoor.test/")), "website.reachable")
    yield Case("over-tracking.test", "over-tracking", Host(lambda asked: redirect(OWN)), "website.hidden_tracking")


def parked_case(seed: int) -> Case:
    """A parked domain: a few words and links, and two to four of the signs, in words and make-up of its own."""
    random = Random(f"parked {seed}")
    name = f"lot{seed}.test"
    signs = random.sample(range(4), random.randint(2, 4))
    phrase = random.choice(("This domain is for sale", "Buy this domain", "The domain may be for sale by its owner", "Diese Domain steht zum Verkauf",
                            "Inquire about this domain"))  # fmt: skip
    script = random.choice(('<script src="https://img.sedoparking.com/js/a.js"></script>', '<script src="https://d1lxhc4jvstzrp.cloudfront.net/p.js"></script>',
                            '<script src="//www.parkingcrew.net/jsparkcaf.php"></script>', '<script src="https://parking.bodiscdn.com/x.js"></script>'))  # fmt: skip
    links = " ".join(
        f'<a href="/?q={word}">{word}</a>'
        for word in random.sample(("loans", "insurance", "hotels", "shoes", "flights", "phones", "lawyers"), 4)
    )
    body = f"<!doctype html><html><head><title>{name if 0 in signs else random.choice(('Welcome', 'Related searches', ''))}</title>"
    body += (script if 1 in signs else "") + f"</head><body><{random.choice(('div', 'table', 'center'))}>{links}"
    body += f"<p>{phrase}.</p>" if 2 in signs or not {1} & set(signs) else ""
    everywhere = 3 in signs or random.random() < 0.5
    host = Host(
        lambda asked: page(body) if everywhere or asked.path == "/" else None, secure=random.random() < 0.5, any_subdomain=everywhere
    )
    return Case(name, f"parked-{seed}", host, "website.parked")


TOWNS = ("Leeds York Hull Derby Stoke Luton Poole Bolton Oxford Exeter Crewe Dover Rugby Truro Ripon Wells Salford Durham Preston Lincoln Bath "
         "Chester Woking Slough Reading Swindon Ipswich Norwich Cardiff Swansea Dundee Perth Bangor Newport Barnsley Burnley").split()  # fmt: skip
TRADES = ("plumber", "locksmith", "roofer", "electrician", "painter", "tiler", "glazier", "gardener")


def doorway_case(seed: int) -> Case:
    """Doorways: one text with the town exchanged, for a trade, in a pattern and wording of its own."""
    random = Random(f"doorway {seed}")
    name, trade = f"local-{seed}.test", random.choice(TRADES)
    towns = random.sample(TOWNS, random.randint(32, len(TOWNS)))
    pattern = random.choice(("best-{trade}-in-{town}", "cheap-{trade}-{town}-uk", "{trade}-services-{town}", "find-a-{trade}-near-{town}"))
    text = prose(f"doorway {seed}", random.choice(("garden", "bikes", "cooking")), random.randint(120, 260))
    slugs = {f"/{pattern.format(trade=trade, town=town.lower())}": town for town in towns}

    def body(town: str) -> str:
        lead = f"<h1>{trade.title()} in {town}</h1><p>Looking for a {trade} in {town}? Call the {trade} whom {town} trusts today.</p>"
        links = " ".join(f'<a href="{path}">{trade} {other}</a>' for path, other in slugs.items())
        return f"<!doctype html><html lang=en><title>{trade} {town}</title><main>{lead}{text.replace('the', f'the {town}', 3)}</main><footer>{links}</footer>"

    sitemap = "".join(f"<url><loc>https://{name}{path}</loc></url>" for path in slugs)
    files = {"/sitemap.xml": Answer(f"<urlset>{sitemap}</urlset>".encode(), kind="application/xml")}

    def answer(asked: Asked) -> Answer | None:
        if asked.path in files:
            return files[asked.path]
        town = slugs.get(asked.path, "your town" if asked.path == "/" else "")
        return page(body(town)) if town else None

    return Case(name, f"doorway-{seed}", Host(answer), "website.doorways")


def bystanders() -> dict[str, Host]:
    """Sites that applicants' sites lead to: the merchant, another shop, the program's tracking."""
    shop = site(Plan(name="acmeoutdoor.test", topic="hiking"))
    return {
        "acmeoutdoor.test": Host(shop),
        "shop-elsewhere.test": Host(site(Plan(name="shop-elsewhere.test", topic="cooking"))),
        "go.acmetracking.test": Host(lambda asked: redirect("https://acmeoutdoor.test/")),
        "agency-office.test": Host(lambda asked: None),
        "gmail.com": Host(lambda asked: None),
        "mailinator.com": Host(lambda asked: None),
    }
