from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from pages.ui.live.run_view import Theory
from pages.ui.undo import headlines as words
from pages.ui.undo.headlines import Answers

RIGHT = Answers(
    true_signal="7",
    true_attack="linf",
    adversarial="3",
    adversarial_probability=0.98,
    signal="7",
    signal_margin=0.93,
    attack="linf",
    attack_probability=0.97,
    attack_margin=0.9,
    psi_signal="3",
    block_attack="l2",
    block_margin=0.042,
    has_reader=True,
    has_evidence=True,
)


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
    ("change", "said"),
    [
        ({}, "It was a 7. The attack was ℓ∞."),
        ({"signal": "1"}, "The signal reads as a 1, but it was a 7. The attack was ℓ∞."),
        ({"attack": "l2"}, "It was a 7. The attack is taken for ℓ2, but it was ℓ∞."),
        ({"attack": "none"}, "No attack is found, but it was ℓ∞."),
        ({"attack": "none", "true_attack": "none"}, "Nothing was added to it."),
        ({"true_attack": "none"}, "An ℓ∞ attack is named, but there was none."),
        ({"true_signal": None}, "The signal reads as a 7."),
        ({"true_attack": None}, "The attack looks like ℓ∞."),
        ({"true_attack": None, "attack": "none"}, "No attack is found."),
        ({"true_attack": None, "attack": "unknown"}, "This is like none of the known attacks."),
        ({"attack": "unknown"}, "None of the known attacks is recognised, but it was ℓ∞."),
        ({"attack": "unknown", "true_attack": "none"}, "recognised, but nothing was added."),
    ],
)
def test_the_verdict_in_a_line(change, said):
    assert said in words.verdict_headline(replace(RIGHT, **change))


def test_a_stopped_run_says_so_and_an_unfinished_one_waits():
    assert words.verdict_headline(RIGHT, "stopped").startswith("Stopped early.")
    assert "when the run ends" in words.verdict_headline(None)


def test_the_sentences_name_everyone_who_said_something():
    text = " ".join(words.verdict_sentences(RIGHT))
    for part in ("**3** (98%)", "**7**", "93 points", "ψ itself", "**ℓ∞** (97%", "**ℓ2**", "4.2%"):
        assert part in text
    strange = replace(RIGHT, attack="unknown", likeliest="l1", unknown_p=0.005)
    text = " ".join(words.verdict_sentences(strange))
    assert "**none of the known attacks**" in text
    assert "1 known run in 200 is as strange (the nearest is ℓ1)" in text
    paper = replace(RIGHT, has_reader=False, has_evidence=False, signal="3")
    text = " ".join(words.verdict_sentences(paper))
    assert "trained on reconstructions" not in text
    assert "evidence" not in text
    silent = " ".join(words.verdict_sentences(replace(RIGHT, block_attack="none")))
    assert "no block of c_a is active" in silent


@pytest.mark.parametrize(
    ("probability", "said"), [(0.0, "0%"), (0.004, "0%"), (0.985, "98%"), (0.999, ">99%")]
)
def test_certainty_is_never_claimed(probability, said):
    assert words.percent(probability) == said


def test_numbers_keep_their_width():
    assert {len(words.number(v)) for v in (3e-9, 0.1, 12345.6, 1.0)} == {7}
    assert words.number(float("nan")) == "–"
    assert words.number(float("inf")) == "–"


def test_the_first_phase_has_the_name_of_what_it_does():
    frame = SimpleNamespace(k=1, phase="start")
    view = SimpleNamespace(state="running", place=0, frames=(frame,), total=13)
    assert words.undoing_headline(view).startswith("Defense-GAN start: step")
    assert words.undoing_headline(view, latent=False).startswith("DiffPure: step")


def test_theory_is_named_as_what_it_is():
    nan = float("nan")
    exact = words.theory_line(Theory((2.0, 0.5, nan), True, (nan, 3.0)))
    assert "5.0e-01 (to the known" in exact
    assert "3.0e+00" in exact
    assert "not Assumption 5's" in words.theory_line(Theory((1.0,), False, (nan,)))
    assert "known when the run ends" in words.theory_line(None)
    for theory in (None, Theory((1.0,), False, (nan,))):
        assert "a diffusion model has no z" in words.theory_line(theory, latent=False)


def test_what_stands_for_the_signal_has_its_name():
    assert words.recovered(latent=True) == "G(z)"
    assert words.recovered(latent=False) == "D(x')"
