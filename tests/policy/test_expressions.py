"""Conditions: what they say, what they refuse, and that unknown is neither true nor false."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.policy.expressions import LONGEST, ExpressionFault, Facts, Kind, Name, parse
from fraud.policy.reachability import impossible

WORDS = {
    "score": Name(Kind.NUMBER, "risk", 0.0, 1.0),
    "clicks": Name(Kind.NUMBER, "clicks", 0.0),
    "delay_s": Name(Kind.NUMBER, "delay"),
    "country": Name(Kind.TEXT, "country"),
    "new": Name(Kind.BOOLEAN, "new"),
    "findings": Name(Kind.TEXTS, "checks"),
    "feature.gap": Name(Kind.NUMBER, "gap"),
}
FACTS: Facts = {"score": 0.7, "clicks": 40.0, "country": "DE", "new": False, "findings": frozenset({"a.b", "c.d"}), "feature.gap": 0.5}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("score >= .7", True),
        ("score > .7", False),
        ("0 < score < 0.5", False),
        ("clicks / 2 - 1 == 19", True),
        ("-clicks < -10 and not new", True),
        ("country in {'DE', 'AT'}", True),
        ("country not in ['DE', 'AT']", False),
        ("'a.b' in findings", True),
        ("size(findings & {'a.b', 'x'}) == 1 and size(findings | {'x'}) == 3", True),
        ("min(clicks, 10) == 10 and max(clicks, 10) == 40 and abs(-3) == 3", True),
        ("feature.gap < 1 or new", True),
        ("new == False", True),
        ("delay_s > 3", None),
        ("delay_s > 3 and clicks > 100", False),
        ("delay_s > 3 or clicks > 10", True),
        ("not delay_s > 3", None),
        ("known(delay_s)", False),
        ("known(delay_s) and delay_s > 3", False),
        ("clicks / (clicks - 40) > 1", None),
    ],
)
def test_a_condition_is_true_false_or_unknown(text: str, holds: bool | None) -> None:
    assert parse(text, WORDS).holds(FACTS) is holds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scroe > 1", "There is no fact 'scroe'; did you mean 'score'"),
        ("score", "is a number, but must be true or false"),
        ("score > 'high'", "compares a number with a text"),
        ("country > 'DE'", "only numbers are larger or smaller"),
        ("country in findings and score in findings", "`in` asks whether a text is in a set"),
        ("country + 1 > 2", "'country' is a text, where a number is needed"),
        ("score > 0.5 and clicks", "'clicks' is a number, where a yes or no is needed"),
        ("sum(findings) > 1", "There is no function 'sum'"),
        ("size(findings, findings) > 1", "size takes 1 value, and 2 are given"),
        ("country in {country}", "a set holds texts in quotes"),
        ("[x for x in findings] == findings", "not part of the language"),
        ("(lambda: True)()", "There is no function"),
        ("findings.__class__ == 'x'", "There is no fact 'findings.__class__'"),
        ("__import__('os').system('x')", "There is no function"),
        ("score ** 9 > 1", "not part of the language"),
        ("~clicks > 1", "not part of the language"),
        ("None == None", "not part of the language"),
        ("score >", "cannot be read"),
        ("", "cannot be read"),
        ("x" * (LONGEST + 1), "more than 2,000 characters"),
        ("not " * 400 + "new", "cannot be read|more than 300 parts"),
    ],
)
def test_what_is_no_condition_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(ExpressionFault, match=message):
        parse(text, WORDS)


@pytest.mark.parametrize(
    "text",
    [
        "score > 1",
        "score < 0",
        "1.5 <= score",
        "clicks > 10 and clicks < 5",
        "clicks > 5 and clicks < 5",
        "clicks == 3 and clicks > 3",
        "(score > 2 or clicks < 0) and new",
        "'off.check' in findings and new",
        "delay_s > 5 and (delay_s > 3 and delay_s < 4)",
        "False",
    ],
)
def test_a_condition_that_can_never_be_true_is_found(text: str) -> None:
    parse(text, WORDS)
    assert impossible(text, WORDS, {"off.check"})


@pytest.mark.parametrize("text", ["score >= 1", "score > 2 or new", "clicks > 5 and clicks < 6", "'on.check' in findings", "not score > 2"])
def test_a_condition_that_may_be_true_is_left_alone(text: str) -> None:
    assert impossible(text, WORDS, {"off.check"}) == ""


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        held = parse(text, WORDS).holds(FACTS)
    except ExpressionFault:
        return
    assert held in {True, False, None}


_ATOMS = st.sampled_from(["score > .5", "delay_s > 1", "new", "known(delay_s)", "'a.b' in findings", "clicks / delay_s < 3"])
_PAIRS = st.tuples(_ATOMS, _ATOMS, st.sampled_from(["and", "or"])).map(lambda p: f"({p[0]}) {p[2]} ({p[1]})")
_CONDITIONS = st.one_of(_ATOMS, _PAIRS, _PAIRS.map(lambda condition: f"not ({condition})"))


@given(_CONDITIONS)
def test_nothing_is_both_itself_and_its_opposite(text: str) -> None:
    said, denied = (parse(one, WORDS).holds(FACTS) for one in (text, f"not ({text})"))
    assert (said is None) == (denied is None)
    assert said is None or said is not denied
