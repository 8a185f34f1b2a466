"""What is known of an applicant's audience besides the sites themselves: who links to them, their profiles, their stated identity."""

from __future__ import annotations

import msgspec

from crawlers.backlinks.facts import Authority, BacklinkFacts, LinkSeen
from crawlers.review_facts import ReviewFile, ReviewPage
from crawlers.social.facts import ProfileFacts
from fraud.domain.networks import AddressFacts


class PhoneFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a phone number is, without the number: `valid` in its plan, `possible` by its length, the `countries` it may belong to, and its
    `kind` (`mobile` `fixed` `toll_free` `premium` `voip` `other`). A number without a country code is read as the declared country's."""

    valid: bool
    possible: bool
    countries: tuple[str, ...] = ()
    kind: str = "other"
    assumed_country: bool = False


class ListEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the program's own list that an applicant is on: `bad` or `good`, by which `field`, why, and until when it holds."""

    label: str
    field: str
    reason: str
    expires: str = ""


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """The facts; None where nobody looked.

    `backlinks` is the profile of the export that came with the application, `links` what became of a sample of its links, `authorities`
    what services say of the sites' domains, `profiles` one entry per stated profile, `profile_risks` what the operator's own model
    says of those that exist, by the address as stated, `proof` the code that the applicant may show in one,
    `phone` what the number is, `signup` what the address is known to be, `review_pages` what the review services say that the sites link
    to, `review_file` the reviews that came with the application, `listed` the entries of the program's lists.
    """

    backlinks: BacklinkFacts | None = None
    links: tuple[LinkSeen, ...] | None = None
    authorities: tuple[Authority, ...] | None = None
    profiles: tuple[ProfileFacts, ...] | None = None
    profile_risks: dict[str, float] | None = None
    proof: str = ""
    phone: PhoneFacts | None = None
    signup: AddressFacts | None = None
    review_pages: tuple[ReviewPage, ...] | None = None
    review_file: ReviewFile | None = None
    listed: tuple[ListEntry, ...] | None = None
