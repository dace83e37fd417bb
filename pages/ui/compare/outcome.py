"""What a sweep says of one method: where it breaks, and how often it names the attack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pages.ui.compare.attempt import Attempt
from pages.ui.compare.sweep import FACTORS, base
from pages.ui.compare.truth import Said, Truth, said
from red_core.methods import METHODS
from red_core.run.settings import RunSettings


@dataclass(frozen=True)
class Outcome:
    """One method over all strengths.

    said: its answers, one a strength, none before it has answered; breaks: the place in FACTORS
    of the first strength at which its class is wrong, None where it never is (where nobody knows
    the class: at which it is another than without an attack); recovers: whether it is right at a
    greater strength; named: strengths at which it names the attack right, None where it does not
    answer or nobody knows; paper_eps: of factor 1.
    """

    key: str
    title: str
    said: tuple[Said, ...]
    breaks: int | None
    recovers: bool
    named: int | None
    paper_eps: float

    @property
    def reads(self) -> bool:
        """Whether it has answered with classes."""
        return bool(self.said) and self.said[0].label is not None

    def eps_of(self, place: int | None) -> str:
        """The strength in this place, in numbers."""
        return f"{FACTORS[place or 0] * self.paper_eps:.4g}"


def outcome_of(row: Attempt, settings: RunSettings, label: int | None) -> Outcome:
    """The outcome of a row of a sweep; label: the true class, None where nobody knows it."""
    answers: tuple[Said, ...] = ()
    if row.answers is not None:
        answers = tuple(
            said(row.answers, Truth(label, settings.attack if factor else "none"), item)
            for item, factor in enumerate(FACTORS)
        )
    current = _held(answers)
    breaks = current.index(False) if False in current else None
    named = [one.right_attack for one in answers if one.right_attack is not None]
    return Outcome(
        row.key,
        METHODS[row.key].title,
        answers,
        breaks,
        breaks is not None and True in current[breaks:],
        named.count(True) if named else None,
        base(settings).eps,
    )


def _held(answers: Sequence[Said]) -> list[bool]:
    """Whether the class is right; where nobody knows it, whether it is what it was at first."""
    if not answers or answers[0].label is None:
        return []
    return [
        one.label == answers[0].label if one.right_label is None else one.right_label
        for one in answers
    ]
