from __future__ import annotations

import pytest
import torch

from pages.ui.compare import compare_headlines as words
from pages.ui.compare.attempt import Attempt
from pages.ui.compare.comparison import ComparisonView
from pages.ui.compare.outcome import outcome_of
from pages.ui.compare.strip import row_of
from pages.ui.compare.sweep import SweepView
from pages.ui.compare.truth import Truth
from red_core.methods import ANSWERS, Answers
from red_core.run.settings import RunSettings

NAMES = tuple("0123456789")
TRUE = Truth(7, "linf")


def done(key: str, signal: int | None, attack: str | None = None) -> Attempt:
    found = Answers(
        None if signal is None else torch.tensor([signal]),
        None if attack is None else torch.tensor([ANSWERS.index(attack)]),
    )
    return Attempt(key, "done", answers=found)


def view(*attempts: Attempt, busy: bool = True, place: int = 0) -> ComparisonView:
    return ComparisonView("running", attempts, place, busy, "")


def test_the_headline_follows_the_run() -> None:
    running = Attempt("defense-gan", "running")
    waiting = Attempt("bsd-gan-best")
    now = view(done("cnn", 9), running, waiting)
    tell = words.methods_headline
    assert tell(None, [], TRUE, NAMES) == "Choose at least one method."
    assert tell(None, [waiting], TRUE, NAMES) == "Not run yet: press Run."
    assert tell(now, now.attempts, TRUE, NAMES) == "Running Defense-GAN: 2 of 3."
    assert tell(view(waiting, place=2), [waiting], TRUE, NAMES).startswith("Waiting in line: 2 run")


@pytest.mark.parametrize(
    ("attempts", "truth", "said"),
    [
        (
            [done("cnn", 9), done("defense-gan", 7), done("bsd-gan-best", 7, "linf")],
            TRUE,
            "The 7 is read right by 2 of 3 methods; the attack is named by the one method that "
            "answers.",
        ),
        ([done("cnn", 9), done("m-1", 9)], TRUE, "The 7 is read right by no method."),
        (
            [done("bsd-gan-best", 7, "none"), done("bsd-gan-paper", 7, "l1")],
            Truth(7, "none"),
            "The 7 is read right by both methods; that it is clean is seen by 1 of 2 methods.",
        ),
        ([done("cnn", 8), done("m-1", 8), done("m-2", 3)], Truth(None, None),
         "An 8 is read by 2 of 3 methods."),
        ([done("norm-ratio", None, "l2")], TRUE, "The attack is named by no method."),
    ],
)  # fmt: skip
def test_what_was_found_is_said_in_one_line(attempts, truth, said) -> None:
    assert words.methods_headline(view(*attempts, busy=False), attempts, truth, NAMES) == said


def test_who_is_right_and_who_is_not() -> None:
    shown = [done("cnn", 9), done("defense-gan", 7), done("bsd-gan-best", 7, "l2")]
    told = words.methods_line(shown, TRUE, NAMES)
    assert told == "Right: Defense-GAN and BSD-GAN best. Wrong: CNN (9)."
    assert words.methods_line(shown[1:], TRUE, NAMES).endswith("None is wrong.")
    assert words.methods_line(shown[:1], TRUE, NAMES).startswith("None is right.")
    assert "nobody knows" in words.methods_line(shown, Truth(None, None), NAMES)
    assert "will be shown here" in words.methods_line([Attempt("cnn")], TRUE, NAMES)


def swept(key: str, labels: str, attack: str | None = None) -> Attempt:
    named = None if attack is None else torch.tensor([ANSWERS.index(attack)] * 9)
    return Attempt(key, "done", answers=Answers(torch.tensor([*map(int, labels)]), named))


SETTINGS = RunSettings(attack="linf")
ROWS = [
    swept("cnn", "779999999"),
    swept("defense-gan", "777779977"),
    swept("bsd-gan-best", "777777777", "linf"),
]


def test_the_strip_is_told_in_words() -> None:
    outcomes = [outcome_of(row, SETTINGS, 7) for row in ROWS]
    over = SweepView("finished", torch.zeros(9, 1, 28, 28), tuple(ROWS), 0, False, "")
    assert words.sweep_headline(over, outcomes, "7") == (
        "The 7 is read at every strength by 1 of 3 methods."
    )
    assert words.sweep_line(outcomes, "7") == (
        "Breaks: at ε = 0.15 CNN; at ε = 0.375 Defense-GAN. Right at every strength: BSD-GAN best. "
        "Right again beyond its breaking point: Defense-GAN. "
        "The attack named right: BSD-GAN best at 8 of 9 strengths."
    )
    assert words.sweep_headline(over, outcomes[:2], "7") == (
        "Defense-GAN lasts longest: it breaks at ε = 0.375."
    )
    never = outcome_of(swept("cnn", "444444444"), SETTINGS, 7)
    assert words.sweep_headline(over, [never], "7").endswith("even without an attack.")


def test_the_strip_of_an_unknown_class_speaks_of_changes() -> None:
    outcomes = [outcome_of(row, SETTINGS, None) for row in ROWS]
    assert words.sweep_headline(None, outcomes, None) == (
        "The answer stays the same at every strength for 1 of 3 methods."
    )
    assert words.sweep_line(outcomes, None).startswith("Answers otherwise than")


def test_progress_of_a_sweep() -> None:
    def now(count: int, *rows: Attempt, place: int = 0) -> str:
        images = torch.zeros(count, 1, 28, 28)
        seen = SweepView("running", images, rows, place, True, "")
        return words.sweep_headline(seen, [], "7")

    assert now(2, Attempt("cnn")) == "Crafting the attack: strength 3 of 9."
    assert now(9, ROWS[0], Attempt("defense-gan", "running", step=40)) == (
        "Defense-GAN at all strengths: 2 of 2, step 40."
    )
    assert now(9, Attempt("cnn"), place=1) == "Waiting in line: 1 run is ahead."
    assert words.sweep_headline(None, [], "7").endswith("Press Sweep.")


def test_rows_say_what_became_of_a_method() -> None:
    told = [row_of(row, outcome_of(row, SETTINGS, 7), NAMES).summary for row in ROWS]
    assert told == ["breaks at ε = 0.15", "breaks at ε = 0.375", "holds at every strength"]
    for status, said in (("waiting", "not run yet"), ("missing", "not trained yet")):
        row = Attempt("m-1", status)
        assert row_of(row, outcome_of(row, SETTINGS, 7), NAMES).summary == said
    cell = row_of(ROWS[0], outcome_of(ROWS[0], SETTINGS, 7), NAMES).cells[2]
    assert cell.hover == "<b>CNN</b> at ε = 0.15<br>signal: 9, wrong"
    assert (cell.text, cell.right, cell.attack) == ("9", False, None)


def test_those_that_break_together_are_named_together() -> None:
    rows = [swept("cnn", "779999999"), swept("m-1", "777999999"), swept("m-2", "777999999")]
    outcomes = [outcome_of(row, SETTINGS, 7) for row in rows]
    headline = words.sweep_headline(None, outcomes, "7")
    assert headline == "2 methods last longest: they break at ε = 0.225."
    assert words.sweep_headline(None, outcomes[1:], "7") == "Both methods break at ε = 0.225."
    assert words.sweep_headline(None, outcomes[:1], "7") == "CNN breaks at ε = 0.15."
    assert "at ε = 0.15 CNN; at ε = 0.225 M1 and M2." in words.sweep_line(outcomes, "7")
