"""E-mail addresses: their normal form, their domain, and what kind of provider that is."""

from __future__ import annotations

from enum import StrEnum
from functools import cache

from fraud.checks.applicants.names import ascii_host, own_labels


class MailKind(StrEnum):
    """What an e-mail's domain is, before anything is known of the applicant's sites."""

    DISPOSABLE = "disposable"
    RELAY = "relay"
    FREE = "free"
    OTHER = "other"


RELAY_DOMAINS = frozenset(
    {
        "privaterelay.appleid.com",
        "mozmail.com",
        "relay.firefox.com",
        "duck.com",
        "simplelogin.co",
        "simplelogin.com",
        "simplelogin.fr",
        "slmail.me",
        "slmails.com",
        "aleeas.com",
        "8alias.com",
        "8shield.net",
        "dralias.com",
        "addy.io",
        "anonaddy.com",
        "anonaddy.me",
        "passmail.net",
        "passmail.com",
        "passinbox.com",
        "passfwd.com",
        "erine.email",
        "33mail.com",
    }
)
"""Services that forward to an address they keep to themselves; many honest people use them."""

_FREE_FAMILIES = frozenset({"gmail", "googlemail", "hotmail", "outlook", "live", "msn", "yahoo", "ymail", "rocketmail", "gmx", "yandex"})
"""Providers that give the same service under many national endings."""

# fmt: off
FREE_DOMAINS = frozenset({
    "icloud.com", "me.com", "mac.com", "aol.com", "mail.com", "email.com", "proton.me", "protonmail.com", "pm.me", "tutanota.com",
    "tuta.com", "tuta.io", "zoho.com", "fastmail.com", "fastmail.fm", "hey.com", "hushmail.com", "inbox.com", "mail.ru", "bk.ru",
    "list.ru", "inbox.ru", "rambler.ru", "ya.ru", "ukr.net", "i.ua", "meta.ua", "abv.bg", "qq.com", "foxmail.com", "163.com", "126.com",
    "yeah.net", "sina.com", "sina.cn", "sohu.com", "aliyun.com", "naver.com", "daum.net", "hanmail.net", "nate.com", "docomo.ne.jp",
    "ezweb.ne.jp", "softbank.ne.jp", "excite.co.jp", "rediffmail.com", "web.de", "t-online.de", "freenet.de", "arcor.de", "posteo.de",
    "mailbox.org", "aon.at", "chello.at", "bluewin.ch", "hispeed.ch", "orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "sfr.fr",
    "neuf.fr", "bbox.fr", "libero.it", "virgilio.it", "tin.it", "alice.it", "tiscali.it", "email.it", "telefonica.net", "terra.es",
    "seznam.cz", "email.cz", "centrum.cz", "atlas.cz", "azet.sk", "wp.pl", "o2.pl", "interia.pl", "interia.eu", "onet.pl", "op.pl",
    "poczta.fm", "gazeta.pl", "tlen.pl", "freemail.hu", "citromail.hu", "uol.com.br", "bol.com.br", "terra.com.br", "ig.com.br",
    "comcast.net", "verizon.net", "att.net", "sbcglobal.net", "bellsouth.net", "cox.net", "charter.net", "earthlink.net", "optonline.net",
    "juno.com", "btinternet.com", "sky.com", "talktalk.net", "virginmedia.com", "ntlworld.com", "blueyonder.co.uk", "bigpond.com",
    "bigpond.net.au", "optusnet.com.au", "xtra.co.nz", "shaw.ca", "rogers.com", "sympatico.ca", "videotron.ca", "telus.net", "telenet.be",
    "skynet.be", "ziggo.nl", "kpnmail.nl", "xs4all.nl", "home.nl", "planet.nl", "telia.com", "online.no", "sapo.pt", "walla.co.il",
    "walla.com", "mynet.com",
})
# fmt: on
"""Mail providers where anybody opens a box for nothing or with their line."""


def normal_form(address: str) -> str:
    """An address as it is compared and hashed: trimmed, lower case, the domain in ASCII."""
    local, _, domain = address.strip().rpartition("@")
    return f"{local.lower()}@{ascii_host(domain)}" if local else address.strip().lower()


def domain_of(address: str) -> str:
    """The domain of an address, in lower-case ASCII; '' when it has none."""
    local, _, domain = address.strip().rpartition("@")
    return ascii_host(domain) if local else ""


def kind_of(domain: str) -> MailKind:
    """What kind of provider an e-mail's domain is; a subdomain counts as its parents do."""
    parents = _with_parents(domain)
    if parents & RELAY_DOMAINS:
        return MailKind.RELAY
    if parents & _throw_away():
        return MailKind.DISPOSABLE
    labels = own_labels(domain)
    if parents & FREE_DOMAINS or (len(labels) == 1 and labels[0] in _FREE_FAMILIES):
        return MailKind.FREE
    return MailKind.OTHER


def _with_parents(domain: str) -> frozenset[str]:
    labels = domain.split(".")
    return frozenset(".".join(labels[start:]) for start in range(max(len(labels) - 1, 1)))


@cache
def _throw_away() -> frozenset[str]:
    from disposable_email_domains import blocklist  # noqa: PLC0415 -- ten thousand names, read only when an address is judged

    return frozenset(blocklist) - RELAY_DOMAINS
