"""The tables of events as data: the one place that says which columns there are, what they hold and which are personal.

Those of CONTRACT 1, and `visits`, what the tag on landing pages reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """What a column holds. Times are UTC to the microsecond; decimals have four places; lists are `;`-separated in files."""

    TEXT = "text"
    TIME = "time"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    LIST = "list"


SQL_TYPES: dict[Type, str] = {
    Type.TEXT: "VARCHAR",
    Type.TIME: "TIMESTAMP",
    Type.INTEGER: "BIGINT",
    Type.DECIMAL: "DECIMAL(18, 4)",
    Type.BOOLEAN: "BOOLEAN",
    Type.LIST: "VARCHAR[]",
}
"""The DuckDB type of each; `TIMESTAMP` without a zone, always UTC."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column. `personal` names the normal form under which its values are hashed; `choices` are the only values it may hold
    (lower case); `pattern` is the regular expression a value must match whole, for codes, which are kept in upper case.
    `derived` columns follow from a personal value and are in the lake only."""

    name: str
    doc: str
    type: Type = Type.TEXT
    required: bool = False
    personal: str | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    derived: bool = False

    @property
    def sql_type(self) -> str:
        """The column's DuckDB type."""
        return SQL_TYPES[self.type]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table. `key` identifies a row over its versions (empty: only a wholly identical row is a repeat); `time` is the column of
    event time; `by_day` tells whether the lake splits it by day of that time."""

    kind: str
    columns: tuple[Column, ...]
    key: str = ""
    time: str = ""
    by_day: bool = False

    @property
    def contract_columns(self) -> tuple[Column, ...]:
        """The columns a file may have."""
        return tuple(column for column in self.columns if not column.derived)

    @property
    def required(self) -> tuple[str, ...]:
        """The columns a file must have."""
        return tuple(column.name for column in self.columns if column.required)


_COUNTRY = r"[A-Za-z][A-Za-z0-9]"
_PROGRAM = Column(name="program_id", doc="The program the row belongs to; `default` when not said.")
_AFFILIATE = Column(name="affiliate_id", doc="Who is paid for it.", required=True)
_OFFER = Column(name="offer_id", doc="What was advertised.")
_SUB = Column(name="sub_id", doc="The affiliate's own name for the source.")
_IP = Column(name="ip", doc="The visitor's address; any other text is an opaque address without a network.")
_AGENT = Column(name="user_agent", doc="The browser's declaration.")
_DEVICE = Column(name="device_id", doc="A stable name of the device.")


def _email(name: str, whose: str) -> tuple[Column, ...]:
    return (
        Column(name=name, doc=f"{whose} e-mail address.", personal="email"),
        Column(name=f"{name}_domain", doc="The domain of that address.", derived=True),
        Column(name=f"{name}_kind", doc="`free`, `disposable` or `own` (any other domain).", derived=True),
    )


CLICKS = Table(
    kind="clicks",
    key="click_id",
    time="clicked_at",
    by_day=True,
    columns=(
        Column(name="click_id", doc="The click's own name.", required=True),
        Column(name="clicked_at", doc="When it happened.", type=Type.TIME, required=True),
        _AFFILIATE,
        _PROGRAM,
        _OFFER,
        _SUB,
        *(Column(name=f"sub{number}", doc="A further sub-ID.") for number in range(2, 6)),
        _IP,
        _AGENT,
        _DEVICE,
        Column(name="country", doc="ISO 3166-1 alpha-2 code of the visitor's country.", pattern=_COUNTRY),
        Column(name="language", doc="The browser's language."),
        Column(name="referrer", doc="The page the click came from."),
        Column(name="landing_url", doc="The page it led to."),
        Column(name="dwell_ms", doc="Time on the landing page, in milliseconds.", type=Type.INTEGER),
        Column(name="js_executed", doc="Whether the landing page's script ran.", type=Type.BOOLEAN),
        Column(name="viewport", doc="Width and height of the window, such as `390x844`."),
    ),
)

CONVERSIONS = Table(
    kind="conversions",
    key="conversion_id",
    time="converted_at",
    by_day=True,
    columns=(
        Column(name="conversion_id", doc="The conversion's own name.", required=True),
        Column(name="converted_at", doc="When it happened.", type=Type.TIME, required=True),
        _AFFILIATE,
        _PROGRAM,
        Column(name="click_id", doc="The click it is credited to."),
        _OFFER,
        _SUB,
        Column(name="goal", doc="Which of the offer's goals was reached."),
        Column(name="order_id", doc="The merchant's order."),
        Column(name="customer_id", doc="The merchant's customer."),
        *_email("customer_email", "The customer's"),
        Column(name="customer_phone", doc="The customer's telephone number.", personal="phone"),
        Column(name="new_customer", doc="Whether it is the customer's first order.", type=Type.BOOLEAN),
        _IP,
        _AGENT,
        _DEVICE,
        Column(name="country", doc="ISO 3166-1 alpha-2 code of the customer's country.", pattern=_COUNTRY),
        Column(name="form_ms", doc="Time spent on the form, in milliseconds.", type=Type.INTEGER),
        Column(name="amount", doc="The order's value.", type=Type.DECIMAL),
        Column(name="commission", doc="What the affiliate earns.", type=Type.DECIMAL),
        Column(name="currency", doc="ISO 4217 code of both.", pattern=r"[A-Za-z]{3}"),
        Column(name="coupon_code", doc="The coupon that was used."),
        Column(name="status", doc="Where it stands.", choices=("pending", "approved", "rejected", "refunded", "chargeback")),
        Column(name="status_changed_at", doc="When the status was reached.", type=Type.TIME),
    ),
)

VISITS = Table(
    kind="visits",
    key="visit_id",
    time="seen_at",
    by_day=True,
    columns=(
        Column(name="visit_id", doc="The report's own name: one of each time the page was opened.", required=True),
        Column(name="seen_at", doc="When the report came in, by the service's own clock.", type=Type.TIME, required=True),
        Column(name="click_id", doc="The click that led to the page.", required=True),
        _PROGRAM,
        Column(name="final", doc="Whether the page had been left or hidden by then: what did not happen will not.", type=Type.BOOLEAN),
        Column(name="webdriver", doc="Whether the browser says that a program drives it.", type=Type.BOOLEAN),
        Column(name="framed", doc="Whether the page was opened inside another one.", type=Type.BOOLEAN),
        *(
            Column(name=f"{what}_{side}", doc=f"{side.capitalize()} of the {what}, in CSS pixels.", type=Type.INTEGER)
            for what in ("viewport", "screen")
            for side in ("width", "height")
        ),
        Column(name="elapsed_ms", doc="Since the page was asked for.", type=Type.INTEGER),
        Column(name="visible_ms", doc="How much of that the page could be seen.", type=Type.INTEGER),
        Column(name="response_ms", doc="When the first byte had come.", type=Type.INTEGER),
        Column(name="interactive_ms", doc="When the page could be used.", type=Type.INTEGER),
        Column(name="first_input_ms", doc="When the visitor first did anything.", type=Type.INTEGER),
        Column(name="pointer_moves", doc="How often the pointer moved.", type=Type.INTEGER),
        Column(name="other_inputs", doc="Touches, presses, keys and turns of the wheel.", type=Type.INTEGER),
    ),
)

AFFILIATES = Table(
    kind="affiliates",
    key="affiliate_id",
    columns=(
        Column(name="affiliate_id", doc="The affiliate's own name.", required=True),
        _PROGRAM,
        Column(name="name", doc="What they are called."),
        *_email("email", "The affiliate's"),
        Column(name="phone", doc="Telephone number.", personal="phone"),
        Column(name="address", doc="Postal address.", personal="address"),
        Column(name="country", doc="ISO 3166-1 alpha-2 code.", pattern=_COUNTRY),
        Column(name="affiliate_type", doc="`content`, `coupon`, `cashback`, `email`, `social`, `search`, `app`, `network` or another."),
        Column(name="websites", doc="Declared websites.", type=Type.LIST),
        Column(name="social_profiles", doc="Declared profiles.", type=Type.LIST),
        Column(name="traffic_sources", doc="Declared sources of traffic.", type=Type.LIST),
        Column(name="payout_account", doc="Where commission is paid to.", personal="payout_account"),
        Column(name="tax_id", doc="Tax number.", personal="tax_id"),
        Column(name="signup_ip", doc="Address at registration."),
        Column(name="signup_device_id", doc="Device at registration."),
        Column(name="joined_at", doc="When they joined.", type=Type.TIME),
        Column(name="status", doc="Their standing in the program."),
        Column(name="group_id", doc="Declared common ownership, such as an agency."),
    ),
)

OFFERS = Table(
    kind="offers",
    key="offer_id",
    columns=(
        Column(name="offer_id", doc="The offer's own name.", required=True),
        _PROGRAM,
        Column(name="name", doc="What it is called."),
        Column(name="vertical", doc="Its line of business."),
        Column(name="countries", doc="ISO 3166-1 alpha-2 codes it serves.", type=Type.LIST, pattern=_COUNTRY),
        Column(name="brand_terms", doc="Words only the brand may advertise with.", type=Type.LIST),
        Column(name="allows_paid_search", doc="Whether paid search is allowed.", type=Type.BOOLEAN),
        Column(name="allows_incentive", doc="Whether rewards are allowed.", type=Type.BOOLEAN),
        Column(name="allows_email", doc="Whether mailings are allowed.", type=Type.BOOLEAN),
        Column(name="attribution_window_hours", doc="How long after a click a conversion counts.", type=Type.INTEGER),
        Column(name="payout_model", doc="What is paid for.", choices=("cpa", "cpl", "cpi", "revshare")),
        Column(name="landing_domains", doc="Domains it leads to.", type=Type.LIST),
    ),
)

LABELS = Table(
    kind="labels",
    time="labelled_at",
    columns=(
        Column(name="affiliate_id", doc="Whom it is about.", required=True),
        Column(name="label", doc="What review found.", required=True, choices=("bad", "good")),
        _PROGRAM,
        Column(name="labelled_at", doc="When it was found.", type=Type.TIME),
        Column(name="reason", doc="Why."),
        Column(name="reviewer", doc="By whom."),
    ),
)

CALENDAR = Table(
    kind="calendar",
    columns=(
        Column(name="starts_at", doc="When the event begins.", type=Type.TIME, required=True),
        Column(name="ends_at", doc="When it ends.", type=Type.TIME, required=True),
        Column(name="kind", doc="What is going on.", required=True, choices=("promotion", "email_send", "feature")),
        _PROGRAM,
        Column(name="affiliate_id", doc="Whom it concerns; empty is all."),
        _OFFER,
    ),
)

TABLES: dict[str, Table] = {table.kind: table for table in (CLICKS, CONVERSIONS, VISITS, AFFILIATES, OFFERS, LABELS, CALENDAR)}
"""Every table by its kind."""
