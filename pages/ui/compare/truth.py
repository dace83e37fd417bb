"""What is true of an attacked image, as far as anybody knows, and what follows for an answer."""

from __future__ import annotations

from dataclasses import dataclass

from pages.ui.look.theme import ATTACK_LABELS
from red_core.methods import ANSWERS, Answers
from red_core.run.experiment import AttackedBatch
from red_core.run.settings import RunSettings

ATTACK_WORDS = {**ATTACK_LABELS, "none": "no attack", "unknown": "an unknown one"}


@dataclass(frozen=True)
class Truth:
    """label: the class, None where nobody knows it; attack: in ANSWERS, or None likewise."""

    label: int | None
    attack: str | None


def truth_of(settings: RunSettings, made: AttackedBatch) -> Truth:
    """Of the image on the page. An own image left as it is may have been attacked elsewhere."""
    label = None if made.labels is None else int(made.labels[0])
    as_it_came = settings.source == "own" and settings.attack == "none"
    return Truth(label, None if as_it_came else settings.attack)


@dataclass(frozen=True)
class Said:
    """One answer of a method for one image; None where it does not answer.

    label: the class; attack: in ANSWERS; right_label, right_attack: None where nobody knows.
    """

    label: int | None
    attack: str | None
    right_label: bool | None
    right_attack: bool | None


def said(answers: Answers, truth: Truth, item: int = 0) -> Said:
    """The answers for one item of a batch, held against the truth."""
    label = None if answers.signal is None else int(answers.signal[item])
    attack = None if answers.attack is None else ANSWERS[int(answers.attack[item])]
    return Said(
        label,
        attack,
        None if label is None or truth.label is None else label == truth.label,
        None if attack is None or truth.attack is None else attack == truth.attack,
    )
