"""What the page says in sentences: pure functions of a run's numbers."""

from __future__ import annotations

from pages.ui.look.theme import ATTACK_LABELS
from red_core.data.datasets import a as a


def _capital(text: str) -> str:
    """The text with a capital first letter; the others stay: "A T-shirt"."""
    return text[:1].upper() + text[1:]


def percent(probability: float) -> str:
    """A probability in whole per cent, never rounded up to certainty."""
    return ">99%" if probability > 0.99 else f"{round(100 * probability)}%"


def number(value: float) -> str:
    """A number in six characters: "3.1e-04"; a dash where it has no value."""
    return f"{value:.1e}" if value == value and abs(value) != float("inf") else "–"


def deception_headline(
    true: str | None,
    before: str,
    after: str,
    after_probability: float,
    attack: str,
    source: str,
    target: str | None = None,
) -> str:
    """Act 1's line.

    true: the image's class, None where nobody knows it; before, after: what psi reads in x and
    in x'; target: the class that the attack aimed at, if any.
    """
    sure = percent(after_probability)
    if source == "realizable":
        added = "" if attack == "none" else f", with an {ATTACK_LABELS[attack]} pattern added"
        return f"G's own {before}{added}: read as {a(after)} ({sure})."
    what = _capital(a(true)) if true else "Your image"
    if attack == "none":
        right = "" if true is None or true == after else ", which is wrong before any attack"
        return f"{what}, left as it is: read as {a(after)} ({sure}){right}."
    if after == before:
        if true is not None and before != true:
            return f"{what}, misread as {a(before)} before the attack and after it ({sure})."
        return f"{what}, and still read as {a(after)} ({sure}): the attack failed."
    was = f", first read as {a(before)}," if true is None or before != true else ","
    missed = f", though the aim was {a(target)}" if target not in (None, after) else ""
    return f"{what}{was} now read as {a(after)} ({sure}){missed}."


FIGURE_SPACE = "\u2007"  # as wide as a digit, so a growing number moves nothing


def mark(said: str, true: str | None) -> str:
    """right, wrong, or nothing where the truth is not known."""
    if true is None:
        return ""
    return "right" if said == true else "wrong"
