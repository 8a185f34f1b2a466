"""What affiliates are linked by: every kind of entity with its tier and how it is spoken of. The one place for both."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from models.graph.edges import IDENTITY_KINDS, STRONG_KINDS


class LinkTier(StrEnum):
    """How much one shared thing says: an identity links two by itself, strong things are rarely shared by accident, weak ones often."""

    IDENTITY = "identity"
    STRONG = "strong"
    WEAK = "weak"


class LinkKind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of entity: `what` (and `many` of them) two accounts have in common, and how else that may come about."""

    kind: str
    what: str
    many: str
    innocent: str

    @property
    def tier(self) -> LinkTier:
        """The tier that the models weigh it with."""
        return tier_of(self.kind)


def tier_of(kind: str) -> LinkTier:
    """The tier of a kind; an unknown one is weak."""
    if kind in IDENTITY_KINDS:
        return LinkTier.IDENTITY
    return LinkTier.STRONG if kind in STRONG_KINDS else LinkTier.WEAK


_TEXTS = (
    ("payout_account", "payout account", "payout accounts", "a family or an agency is paid together: ask them to declare it"),
    ("tax_id", "tax number", "tax numbers", "one company may run several accounts: ask them to declare it"),
    ("phone", "phone number", "phone numbers", "an office or a household has one number"),
    ("self_customer", "customer who is one of the affiliates", "customers who are among the affiliates", "a test order"),
    ("email", "mailbox", "mailboxes", "an office may share a mailbox"),
    ("address", "postal address", "postal addresses", "shared offices, dormitories and registration agents"),
    ("website", "website", "websites", "partners who run one site together"),
    ("signup_ip", "address at sign-up", "addresses at sign-up", "an office, a university or a carrier behind one address"),
    ("signup_device", "device at sign-up", "devices at sign-up", "a computer at work or in a library"),
    ("device", "visitor’s device", "visitors’ devices", "a reader who follows both; many in common are no coincidence"),
    ("ip", "visitor’s internet address", "visitors’ internet addresses", "an office, a school or a carrier behind one address"),
    ("network", "visitor’s network", "visitors’ networks", "neighbours with the same provider"),
    ("customer", "customer", "customers", "buyers compare; common customers are ordinary business"),
    ("device_hour", "device in the same hour", "devices in the same hours", "a reader who opens several sites in one go"),
    ("device_moment", "device at the same moment of an earlier day", "devices at the same moments of earlier days", "a scheduled job"),
    ("customer_hour", "customer in the same hour", "customers in the same hours", "buyers compare"),
    ("click_pattern", "pattern of gaps between clicks", "patterns of gaps between clicks", "two trackers that log one and the same click"),
    ("analytics_id", "analytics account", "analytics accounts", "a developer who left the own id in a theme"),
    ("tag_id", "tag manager", "tag managers", "a developer who manages several clients’ tags"),
    ("adsense_id", "advertising account", "advertising accounts", "a network that sells ads for several sites"),
    ("ad_id", "advertising account", "advertising accounts", "a network that sells ads for several sites"),
    ("pixel_id", "advertising pixel", "advertising pixels", "an agency that runs several clients’ campaigns"),
    ("verification", "site verification token", "site verification tokens", "a consultant who verified several clients’ sites"),
    ("registrant", "registered holder of the domain", "registered holders of the domain", "privacy services hide who holds it"),
    ("certificate", "TLS certificate", "TLS certificates", "a host that puts many customers on one certificate"),
    ("tls_name", "name on the TLS certificate", "names on the TLS certificate", "a host that puts many customers on one certificate"),
    ("name_servers", "pair of name servers", "pairs of name servers", "everybody at the same registrar"),
    ("hosting_ip", "server", "servers", "shared hosting"),
    ("favicon", "site icon", "site icons", "the icon of a common theme"),
    ("template", "page template", "page templates", "a common theme"),
    ("text", "near-identical text", "near-identical texts", "a product description from the merchant"),
)

LINK_KINDS: dict[str, LinkKind] = {kind: LinkKind(kind=kind, what=what, many=many, innocent=other) for kind, what, many, other in _TEXTS}
"""Every kind by name."""


def spoken(kind: str, count: int = 1) -> str:
    """So many of a kind, as people say it: `the same payout account`, `12 visitors’ devices`."""
    known = LINK_KINDS.get(kind)
    one, many = (known.what, known.many) if known else (kind.replace("_", " "), f"{kind.replace('_', ' ')}s")
    return f"the same {one}" if count == 1 else f"{count:,} {many}"


def innocent(kind: str) -> str:
    """How else a shared thing of this kind may come about; '' when nobody said."""
    known = LINK_KINDS.get(kind)
    return known.innocent if known else ""
