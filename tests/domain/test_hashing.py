from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fraud.domain.hashing import canonical_json, keyed_hash, sha256_of
from fraud.domain.money import Money

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON))
def test_the_order_of_keys_never_changes_the_hash(value: dict[str, object]) -> None:
    backwards = dict(reversed(list(value.items())))
    assert canonical_json(value) == canonical_json(backwards)
    assert sha256_of(value) == sha256_of(backwards)


def test_structs_are_spelled_like_the_objects_they_become() -> None:
    money = Money(amount=Decimal("12.50"), currency="EUR")
    assert canonical_json(money) == canonical_json({"currency": "EUR", "amount": "12.50"})
    assert canonical_json(datetime(2026, 3, 1, tzinfo=UTC)) == b'"2026-03-01T00:00:00Z"'


def test_keyed_hashes_depend_on_pepper_and_kind() -> None:
    one = keyed_hash(b"pepper", "email", "ann@example.org")
    assert one == keyed_hash(b"pepper", "email", "ann@example.org")
    assert one != keyed_hash(b"other", "email", "ann@example.org")
    assert one != keyed_hash(b"pepper", "phone", "ann@example.org")
    assert "ann" not in one
