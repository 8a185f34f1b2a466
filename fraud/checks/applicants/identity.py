"""Who is behind a site, and whether mail and profiles belong with it."""

from __future__ import annotations

from urllib.parse import urlsplit

from crawlers.facts import SocialProfile
from fraud.checks.applicants.context import VettingFacts, Visit, evidence_of, only_scripts
from fraud.checks.applicants.mail import MailKind
from fraud.checks.applicants.names import host_of, owner_of
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal

_PAGES = CHECKS["website.identity_pages"]
_SOCIAL = CHECKS["website.social_profiles"]
_MAIL = CHECKS["application.email_domain"]

_SAME_PLATFORM = {"twitter.com": "x.com", "fb.com": "facebook.com", "youtu.be": "youtube.com", "threads.com": "threads.net"}
"""Platforms that answer under two names."""


def identity_pages(visit: Visit, limits: Limits) -> Signal:
    """W12: different kinds of page that say who runs the site; an address of the site's own domain counts as contact."""
    kinds = {entry.kind: entry for page in visit.site.pages for entry in page.facts.identity_pages}
    mails = sorted({mail for page in visit.site.pages for mail in page.facts.emails})
    own_mail = [mail for mail in mails if owner_of(mail.rpartition("@")[2]) == visit.domain]
    found = sorted({*kinds, *(["contact"] if own_mail else [])})
    enough = len(found) >= limits["minimum_pages"]
    if not enough and not visit.readable:
        return _PAGES.inconclusive(visit.subject, only_scripts("links"))
    named = ", ".join(found) or "none"
    evidence = tuple(evidence_of(visit.home, kinds[kind].text, kind=kind, target=kinds[kind].url) for kind in found if kind in kinds)
    seen = Observation(
        text=f"Pages that say who runs the site: {named}; {len(mails)} e-mail address(es), {len(own_mail)} of the site's own domain.",
        value={"pages": found, "emails": len(mails), "own_emails": len(own_mail)},
        baseline=limits["minimum_pages"],
        sample_size=len(visit.site.pages),
        evidence=evidence or (evidence_of(visit.home),),
    )
    return _PAGES.clear(visit.subject, seen) if enough else _PAGES.finding(visit.subject, Severity.LOW, seen)


def social_profiles(facts: VettingFacts, limits: Limits) -> Signal:
    """Section 6.2: the profiles of the application against those its sites link to, over all its sites together."""
    declared = facts.application.social_profiles
    linked = [(visit, profile) for visit in _visits(facts) for page in visit.site.pages for profile in page.facts.social_profiles]
    if not declared:
        return _SOCIAL.not_applicable(facts.subject, f"The application names no social profile; {_others(facts, linked)}")
    if not facts.application.websites:
        return _SOCIAL.not_applicable(facts.subject, "Profiles were given without a website to link to them.")
    matches = {stated: [seen for seen in linked if same_profile(stated, seen[1])] for stated in declared}
    missing = [stated for stated, seen in matches.items() if not seen]
    if missing and (unread := _unread(facts)):
        return _SOCIAL.inconclusive(facts.subject, f"{_listed(missing)}: no link was seen, but {unread}.")
    return _compared(facts, matches, missing)


def _compared(facts: VettingFacts, matches: dict[str, list[tuple[Visit, SocialProfile]]], missing: list[str]) -> Signal:
    found = [stated for stated in matches if stated not in missing]
    first = [seen[0] for seen in matches.values() if seen]
    evidence = tuple(evidence_of(visit.home, profile=profile.url, found_by=profile.found_by) for visit, profile in first)
    looked = tuple(evidence_of(visit.home) for visit in _visits(facts))
    value = {"linked": found, "not_linked": missing}
    if not missing:
        text = f"The sites link to every profile of the application: {_listed(found)}."
        return _SOCIAL.clear(facts.subject, Observation(text=text, value=value, evidence=evidence))
    text = f"The sites do not link to {_listed(missing)}" + (f", only to {_listed(found)}." if found else ".")
    severity = Severity.INFO if found else Severity.LOW
    return _SOCIAL.finding(facts.subject, severity, Observation(text=text, value=value, evidence=evidence + looked))


def _visits(facts: VettingFacts) -> list[Visit]:
    return [Visit(facts, site) for site in facts.sites if site.pages]


def _unread(facts: VettingFacts) -> str:
    """Why a link may exist that was not seen; '' when every declared site was read."""
    if len(_visits(facts)) < len(facts.application.websites):
        return "not every site could be read"
    if any(not visit.readable for visit in _visits(facts)):
        return "a site is drawn by scripts, which are not run"
    return ""


def _others(facts: VettingFacts, linked: list[tuple[Visit, SocialProfile]]) -> str:
    if unread := not linked and _unread(facts):
        return f"of those on the site none was seen, but {unread}."
    if not facts.sites:
        return "there is no site to look on either."
    names = list(dict.fromkeys(f"{profile.platform} {profile.handle}".strip() for _, profile in linked))
    return f"the site links to {_listed(names)}." if names else "the site links to none either."


def same_profile(stated: str, seen: SocialProfile) -> bool:
    """Whether a profile as it was stated (a URL, or a bare handle) is the one a page links to."""
    host, handle = _platform_and_handle(stated)
    seen_host, seen_handle = _platform_and_handle(seen.url)
    if host and host != seen_host:
        return False
    return handle in {seen_handle, _bare(seen.handle)} if handle else stated.rstrip("/") == seen.url.rstrip("/")


def _platform_and_handle(stated: str) -> tuple[str, str]:
    if "/" not in stated:
        return "", _bare(stated)
    parts = urlsplit(stated if "//" in stated else f"https://{stated}")
    host = owner_of(host_of(parts.geturl()))
    path = [part for part in parts.path.split("/") if part]
    return _SAME_PLATFORM.get(host, host), _bare(path[-1]) if path else ""


def _bare(handle: str) -> str:
    return handle.strip().removeprefix("@").casefold()


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def email_domain(facts: VettingFacts, limits: Limits) -> Signal:
    """W30: the e-mail's domain against the sites' own, and the kind of its provider. Only the domain is known here."""
    domain, kind = facts.application.email_domain, facts.application.email_kind
    if not domain or kind is None:
        return _MAIL.inconclusive(facts.subject, "The application gives no e-mail address.")
    own = _own_names(facts)
    if owner_of(domain) in own:
        text = f"The e-mail address is of the site's own domain, {owner_of(domain)}."
        return _MAIL.clear(facts.subject, Observation(text=text, value={"domain": domain, "kind": "own"}, evidence=_stated(domain, own)))
    if kind is MailKind.OTHER and not own:
        return _MAIL.inconclusive(facts.subject, f"There is no website to compare the e-mail's domain {domain} with.")
    severity, what = _MAIL_KINDS[kind]
    value = {"domain": domain, "kind": kind.value}
    seen = Observation(text=what.format(domain=domain), value=value, baseline=own, evidence=_stated(domain, own))
    return _MAIL.finding(facts.subject, severity, seen)


_MAIL_KINDS = {
    MailKind.DISPOSABLE: (Severity.HIGH, "The e-mail address is of {domain}, a throw-away provider."),
    MailKind.RELAY: (Severity.LOW, "The e-mail address is of {domain}, which forwards to an address it does not show."),
    MailKind.FREE: (Severity.INFO, "The e-mail address is of {domain}, where anybody may open a box, as most small publishers do."),
    MailKind.OTHER: (Severity.LOW, "The e-mail address is of {domain}, which is not the site's domain."),
}


def _own_names(facts: VettingFacts) -> list[str]:
    """The registered names of the sites: as declared, and where they lead."""
    urls = [*facts.application.websites, *(site.final_url for site in facts.sites if site.final_url)]
    return sorted({owner_of(host) for url in urls if (host := host_of(url))})


def _stated(domain: str, own: list[str]) -> tuple[Evidence, ...]:
    return (Evidence(detail={"field": "email", "domain": domain, "sites": own}),)
