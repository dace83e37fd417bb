from __future__ import annotations

import pytest

from pages.ui.undo import headlines as words


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("7", "7", "3", 0.985, "linf", "example"), "A 7, now read as a 3 (98%)."),
        (("8", "8", "3", 1.0, "l2", "example"), "An 8, now read as a 3 (>99%)."),
        (
            ("ankle boot", "ankle boot", "sandal", 0.985, "linf", "example"),
            "An ankle boot, now read as a sandal (98%).",
        ),
        (("T-shirt/top", "coat", "bag", 0.7, "l1", "example"), "A T-shirt/top, first read as a co"),
        (("7", "7", "7", 0.6, "l1", "example"), "still read as a 7 (60%): the attack failed"),
        (("7", "1", "1", 0.6, "l1", "example"), "misread as a 1 before the attack and after"),
        (("7", "1", "2", 0.6, "l1", "example"), "A 7, first read as a 1, now read as a 2"),
        (("7", "7", "7", 0.9, "none", "example"), "left as it is: read as a 7 (90%)."),
        (("7", "7", "1", 0.9, "none", "example"), "which is wrong before any attack"),
        ((None, "7", "3", 0.9, "l2", "own"), "Your image, first read as a 7, now read as a 3"),
        ((None, "7", "7", 0.9, "none", "own"), "Your image, left as it is: read as a 7 (90%)."),
        ((None, "7", "3", 0.9, "l2", "realizable"), "G's own 7, with an ℓ2 pattern added"),
        (("7", "7", "3", 0.9, "linf", "example", "5"), "though the aim was a 5"),
    ],
)
def test_the_deception_in_a_line(arguments, said):
    assert said in words.deception_headline(*arguments)


@pytest.mark.parametrize(
    ("probability", "said"), [(0.0, "0%"), (0.004, "0%"), (0.985, "98%"), (0.999, ">99%")]
)
def test_certainty_is_never_claimed(probability, said):
    assert words.percent(probability) == said


def test_numbers_keep_their_width():
    assert {len(words.number(v)) for v in (3e-9, 0.1, 12345.6, 1.0)} == {7}
    assert words.number(float("nan")) == "–"
    assert words.number(float("inf")) == "–"
