"""What could harm a site's visitors, or conceals what the site does to them."""

from __future__ import annotations

from crawlers.facts import Link, ScriptSign, VisitedPage
from crawlers.reading.affiliate import network_of
from fraud.checks.applicants.context import OWN_PROGRAM, Visit, evidence_of, only_scripts
from fraud.checks.applicants.names import host_of, within
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal, Tier

_MALWARE = CHECKS["website.malware"]
_CONCEALED = CHECKS["website.concealed_links"]
_SOFTWARE = CHECKS["website.software"]

_HARMS = {
    "miner": "a coin miner",
    "forced_download": "a download that starts by itself",
    "decodes_and_runs": "a script that runs what it decodes",
}
STORES = ("chromewebstore.google.com", "addons.mozilla.org", "microsoftedge.microsoft.com", "addons.opera.com")
STORE_PATHS = ("/webstore/detail/", "/addons/detail/", "/firefox/addon/", "/extensions/details/", "/detail/")
PACKAGES = (".crx", ".xpi")
SHOPPING = (
    "coupon",
    "cashback",
    "cash back",
    "discount",
    "deal",
    "promo",
    "toolbar",
    "gutschein",
    "rabatt",
    "save money",
    "price",
    "savings",
)


def malware(visit: Visit, limits: Limits) -> Signal:
    """W23: entries of the block lists that were given settle it; what scripts do asks for a look, packed code is only told of."""
    listed = visit.around.listed
    if listed:
        text = f"{visit.domain} is on {', '.join(sorted({one.name for one in listed}))}."
        evidence = tuple(Evidence(url=visit.subject, excerpt=one.entry, detail={"list": one.name}) for one in listed[:5])
        return _MALWARE.finding(visit.subject, Severity.HIGH, Observation(text=text, value=len(listed), evidence=evidence))
    if not visit.site.pages:
        return _MALWARE.inconclusive(visit.subject, "The site did not answer, so what its scripts do is unknown.")
    signs = [(page, sign) for page in visit.site.pages for sign in page.facts.script_signs if sign.kind in _HARMS]
    lists = "on none of the block lists" if listed is not None else "no block list was given"
    if not signs:
        text = f"No harmful script was seen on {len(visit.site.pages)} page(s); {lists}."
        return _MALWARE.clear(visit.subject, Observation(text=text, evidence=(evidence_of(visit.home),)))
    harms = sorted({_HARMS[sign.kind] for _, sign in signs})
    grave = any(sign.kind != "decodes_and_runs" for _, sign in signs)
    seen = Observation(text=f"The pages carry {' and '.join(harms)}; {lists}.", value=harms, evidence=_quoted(signs))
    tier = Tier.ASSOCIATIVE if grave else Tier.CIRCUMSTANTIAL
    return _MALWARE.finding(visit.subject, Severity.HIGH if grave else Severity.INFO, seen, tier)


def _quoted(signs: list[tuple[VisitedPage, ScriptSign]]) -> tuple[Evidence, ...]:
    return tuple(evidence_of(page, sign.excerpt, sign=sign.kind) for page, sign in signs[:5])


def concealed_links(visit: Visit, limits: Limits) -> Signal:
    """W27: addresses in base64 that belong to the program's tracking or to a network; any other is nobody's business."""
    if not visit.readable:
        return _CONCEALED.inconclusive(visit.subject, only_scripts("scripts"))
    encoded = [(page, sign) for page in visit.site.pages for sign in page.facts.script_signs if sign.kind == "encoded_address"]
    found = [(page, sign) for page, sign in encoded if _tracking(visit, sign.value)]
    if not found:
        text = f"{len(encoded)} encoded address(es) in scripts, none of them a tracking link."
        return _CONCEALED.clear(visit.subject, Observation(text=text, value=len(encoded), evidence=(evidence_of(visit.home),)))
    owners = sorted({_tracking(visit, sign.value) for _, sign in found})
    seen = Observation(
        text=f"A script keeps {len(found)} tracking link(s) of {', '.join(owners)} in base64.",
        value=[sign.value for _, sign in found[:5]],
        evidence=_quoted(found),
    )
    return _CONCEALED.finding(visit.subject, Severity.HIGH, seen)


def _tracking(visit: Visit, url: str) -> str:
    url = f"https:{url}" if url.startswith("//") else url
    own = visit.profile is not None and within(host_of(url), visit.profile.tracking_hosts)
    return OWN_PROGRAM if own else network_of(url)


def software(visit: Visit, limits: Limits) -> Signal:
    """W29: packages of browser software, or a store's page of it on a site that speaks of shopping beside the link."""
    if not visit.readable:
        return _SOFTWARE.inconclusive(visit.subject, only_scripts("links"))
    offers = [(page, link) for page in visit.site.pages for link in page.facts.links if _is_offer(page, link)]
    if not offers:
        return _SOFTWARE.clear(visit.subject, Observation(text="No browser software is offered.", evidence=(evidence_of(visit.home),)))
    seen = Observation(
        text=f"The site offers browser software for shopping: {offers[0][1].text or offers[0][1].url}.",
        value=list(dict.fromkeys(link.url for _, link in offers))[:10],
        evidence=tuple(evidence_of(page, link.text, link=link.url) for page, link in offers[:3]),
    )
    return _SOFTWARE.finding(visit.subject, Severity.HIGH, seen)


def _is_offer(page: VisitedPage, link: Link) -> bool:
    path = link.url.partition("?")[0].lower()
    store = within(link.host, STORES) or (link.host == "chrome.google.com" and "/webstore/" in path)
    if not (path.endswith(PACKAGES) or (store and any(part in path for part in STORE_PATHS))):
        return False
    about = f"{link.text} {page.facts.title} {page.facts.description}".lower()
    return path.endswith(PACKAGES) or any(word in about for word in SHOPPING)
