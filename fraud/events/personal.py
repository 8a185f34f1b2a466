"""Personal values: their normal forms, what may be kept of them, and the keyed hashes that stand for them in the lake.

A value is hashed under the kind of its normal form, so that a customer's e-mail equals an affiliate's, and never a phone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import disposable_email_domains

from fraud.domain.hashing import keyed_hash

_FREE_LIST = (
    "gmail.com googlemail.com yahoo.com yahoo.co.uk yahoo.co.jp yahoo.fr yahoo.de ymail.com rocketmail.com outlook.com hotmail.com "
    "hotmail.co.uk hotmail.fr hotmail.de live.com msn.com icloud.com me.com mac.com aol.com gmx.com gmx.de gmx.net gmx.at web.de "
    "t-online.de freenet.de mail.ru bk.ru inbox.ru list.ru yandex.ru yandex.com rambler.ru proton.me protonmail.com pm.me tutanota.com "
    "zoho.com mail.com email.com fastmail.com hey.com qq.com 163.com 126.com sina.com naver.com daum.net hanmail.net orange.fr free.fr "
    "laposte.net wanadoo.fr libero.it virgilio.it uol.com.br bol.com.br terra.com.br seznam.cz wp.pl o2.pl onet.pl interia.pl "
    "rediffmail.com comcast.net verizon.net att.net btinternet.com sky.com bigpond.com shaw.ca rogers.com telus.net abv.bg ukr.net"
)

FREE_PROVIDERS = frozenset(_FREE_LIST.split())
"""Providers where anybody gets a mailbox for nothing or with a line; a mailbox there says nothing about who its owner works for."""

_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_DISPOSABLE = frozenset(disposable_email_domains.blocklist)


@dataclass(frozen=True)
class Hashed:
    """What is kept of a personal value: its keyed hash and, of an e-mail, the domain and the provider's kind."""

    hash: str
    domain: str | None = None
    kind: str | None = None


def hash_values(pepper: bytes, kind: str, values: Iterable[str]) -> dict[str, Hashed]:
    """`Hashed` of each distinct value of one kind (`email`, `phone`, `address`, `payout_account`, `tax_id`)."""
    return {value: hashed(pepper, kind, value) for value in set(values)}


def normal_form(kind: str, value: str) -> str:
    """The spelling under which two equal values meet."""
    return _NORMAL_FORMS[kind](value)


def email_domain(address: str) -> str | None:
    """The domain of a normal e-mail address; `None` when the text has no such part (a tracker may send a hash of its own)."""
    _, at, domain = address.rpartition("@")
    return domain if at and "." in domain else None


def email_kind(domain: str | None) -> str | None:
    """`disposable`, `free` or `own`; a subdomain of a disposable provider is disposable; `None` when the domain is unknown."""
    if domain is None:
        return None
    parts = domain.split(".")
    if any(".".join(parts[start:]) in _DISPOSABLE for start in range(len(parts) - 1)):
        return "disposable"
    return "free" if domain in FREE_PROVIDERS else "own"


def hashed(pepper: bytes, kind: str, value: str) -> Hashed:
    """What is kept of one value of a kind."""
    normal = normal_form(kind, value)
    domain = email_domain(normal) if kind == "email" else None
    return Hashed(keyed_hash(pepper, kind, normal), domain, email_kind(domain))


def _email(value: str) -> str:
    """Lower case, without a plus tag; Gmail ignores dots and has two names."""
    local, at, domain = value.strip().lower().rpartition("@")
    if not at:
        return value.strip().lower()
    domain = domain.rstrip(".")
    local = local.split("+", 1)[0] or local
    if domain in _GMAIL:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def _phone(value: str) -> str:
    """Digits alone, without the international prefix; a text with hardly any digit stays as it is."""
    digits = re.sub(r"\D", "", value)
    return (digits.removeprefix("00") or digits) if len(digits) >= 5 else value.strip().casefold()


def _compact(value: str) -> str:
    return re.sub(r"[\W_]+", "", value).casefold()


def _words(value: str) -> str:
    return " ".join(re.findall(r"\w+", value.casefold()))


_NORMAL_FORMS: dict[str, Callable[[str], str]] = {
    "email": _email,
    "phone": _phone,
    "address": _words,
    "payout_account": lambda value: value.strip().lower() if "@" in value else _compact(value),
    "tax_id": _compact,
}
