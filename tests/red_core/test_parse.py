"""Values keep their type and their very bits on the way through JSON and text."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from red_core.parse import checked, parsed, written

VALUES = {
    "int": st.integers(-(2**63) + 1, 2**63 - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "tuple[int, ...]": st.lists(st.integers(-(2**63) + 1, 2**63 - 1)).map(tuple),
}


@given(st.sampled_from(sorted(VALUES)).flatmap(lambda k: st.tuples(st.just(k), VALUES[k])))
def test_what_is_written_is_read_back(case):
    kind, value = case
    back = parsed("x", written(value), kind)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("value", "kind", "wanted"),
    [
        (3, "float", 3.0),
        (None, "float | None", None),
        (None, "int | None", None),
        ([40, 80], "tuple[int, ...]", (40, 80)),
        (np.int64(4), "int", 4),
        (np.float32(0.5), "float | None", 0.5),
        (True, "bool", True),
        ("adam", "str", "adam"),
    ],
)
def test_plain_values_become_the_declared_type(value, kind, wanted):
    back = checked("x", value, kind)
    assert back == wanted
    assert type(back) is type(wanted)


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        ("7", "int", "a whole number"),
        (7.0, "int", "a whole number"),
        (True, "int", "a whole number"),
        (10**400, "int", "a whole number"),
        (-(2**63), "int", "a whole number"),
        (None, "int", "a whole number"),
        (math.nan, "float", "a finite number"),
        (-math.inf, "float | None", "a finite number"),
        (10**400, "float", "a finite number"),
        (False, "float", "a finite number"),
        ("0.3", "float", "a finite number"),
        (1, "bool", "true or false"),
        (5, "str", "a word"),
        (40, "tuple[int, ...]", "whole numbers with commas"),
        ([4.5], "tuple[int, ...]", "a whole number"),
        ([[1]], "tuple[int, ...]", "a whole number"),
    ],
)
def test_other_types_are_refused_by_name(value, kind, words):
    with pytest.raises(ValueError, match=f"depth must be {words}"):
        checked("depth", value, kind)


def test_long_values_are_cut_in_the_message():
    for value, shown in ((10**5000, "a number of thousands of digits"), ("x" * 500, "'xxx")):
        with pytest.raises(ValueError, match=f"a whole number, not {shown}") as caught:
            checked("depth", value, "int")
        assert len(str(caught.value)) < 130


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "int"),
        ("1.5", "int"),
        ("nan", "float"),
        ("1e999", "float | None"),
        ("none", "float | None"),
        ("yes", "bool"),
        ("1,x", "tuple[int, ...]"),
        ("9" * 5000, "int"),
    ],
)
def test_other_text_is_refused_by_name(text, kind):
    with pytest.raises(ValueError, match="depth must be "):
        parsed("depth", text, kind)
