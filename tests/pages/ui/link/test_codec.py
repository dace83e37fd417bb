"""A link's strings: all that is acceptable together is taken, and what is not is said."""

from __future__ import annotations

import pytest

from pages.ui.link.codec import accepted, changed, flags, left_out, one_of, raised, values
from red_core.synthetic import InstanceSettings

NAMES = ("m", "d", "seed")


def made(texts: dict[str, str]) -> tuple[int, int, int]:
    asked = {"m": 10, "d": 5, "seed": 0, **values(texts, dict.fromkeys(NAMES, "int"))}
    if asked["m"] < asked["d"]:
        raise ValueError("m must be at least d.")
    return asked["m"], asked["d"], asked["seed"]


@pytest.mark.parametrize(
    ("query", "kept", "warnings"),
    [
        ({}, (10, 5, 0), []),
        ({"d": "2", "m": "3"}, (3, 2, 0), []),  # m = 3 alone is not acceptable
        ({"m": "3", "seed": "4"}, (10, 5, 4), ["The link's m is left out: m must be at least d."]),
        (
            {"d": "x", "m": "7", "else": "1"},
            (7, 5, 0),
            ["The link's d is left out: d must be a whole number, not 'x'."],
        ),
    ],
)
def test_each_value_is_taken_or_named(query, kept, warnings) -> None:
    assert accepted(query, NAMES, made) == (kept, warnings)


def test_a_sentence_ends_once() -> None:
    assert left_out("m", "it is large.") == left_out("m", "it is large")
    assert left_out("m", "it is large").endswith("large.")


def test_what_is_changed_is_read_back() -> None:
    now = InstanceSettings(m=30, attack=True)
    written = changed(now, InstanceSettings(), ("m", "d", "attack"))
    assert written == {"m": "30", "attack": "true"}
    assert values(written, {"m": "int", "attack": "bool"}) == {"m": 30, "attack": True}


def test_flags_are_read_as_they_are_raised() -> None:
    class Asked:
        run, teach = True, False

    assert raised(Asked(), "run", "teach") == {"run": "1"}
    assert flags({"run": "1", "teach": "yes"}, "run", "teach") == {"run": True, "teach": False}


def test_an_unknown_choice_is_named_beside_the_known_ones() -> None:
    one_of("start", "near", ("random", "near"))
    with pytest.raises(ValueError, match="start must be one of random, near, not 'far'"):
        one_of("start", "far", ("", "random", "near"))
