"""What a lesson is: a few steps, each a short text and a state of the stage; a question; a trial.

Texts hold places such as {here.read}, filled with what the step's recorded run says (`facts`), or
another's: {alone.signal}. So a text stays true when the trained parts, and the runs, are made anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

STAGE_PARTS = ("headline", "pictures", "verdict", "frames", "blocks", "curves", "plane")
PANELS = ("", "draw", "line", "lambda")


@dataclass(frozen=True)
class Step:
    """One state of the stage, and what to see in it.

    title; texts: its paragraphs; run: name of the recorded run; moment: which of it is shown, a
    name of `facts.Facts.moments`; since: the moment from which it is played up to `moment`, "" for
    none; points: parts of the stage that are marked; truth: whether x and delta are shown; panel:
    what is below the text, of PANELS.
    """

    title: str
    texts: tuple[str, ...]
    run: str
    moment: str
    points: tuple[str, ...]
    since: str = ""
    truth: bool = False
    panel: str = ""


@dataclass(frozen=True)
class Question:
    """A question, its choices, which of them is right, and the answer with its reason."""

    text: str
    choices: tuple[str, ...]
    right: int
    answer: str


@dataclass(frozen=True)
class Trial:
    """What to try live: a recorded run's own settings, changed.

    text; run: whose settings; changes: name -> value, None to leave a setting out, and "solver"
    for all of the solver's options.
    """

    text: str
    run: str
    changes: Mapping[str, str | None]

    def query(self, settings: Mapping[str, str]) -> dict[str, str]:
        """The main page's query; settings: those of the recorded run."""
        kept = dict(settings)
        for name, value in self.changes.items():
            for known in [key for key in kept if key == name or key.startswith(f"{name}.")]:
                del kept[known]
            if value is not None:
                kept[name] = value
        return {**kept, "run": "1"}


@dataclass(frozen=True)
class Link:
    """A page of the app that shows more; page: its file."""

    text: str
    page: str
    query: Mapping[str, str]


@dataclass(frozen=True)
class Lesson:
    """A lesson; key: its name in links; symbols: those that mean something else in it."""

    key: str
    title: str
    steps: tuple[Step, ...]
    question: Question
    trial: Trial
    links: tuple[Link, ...] = ()
    symbols: Mapping[str, str] = field(default_factory=dict)

    def introduced(self, texts: Sequence[str]) -> list[tuple[str, str]]:
        """The symbols that texts of this lesson use, and what each means."""
        names = symbols_in(" ".join(texts))
        return [(name, self.symbols.get(name, SYMBOLS[name])) for name in names]


SYMBOLS = {
    "x": "the clean picture, numbers from 0 (black) to 1 (white)",
    "δ": "the pattern that an attack adds, one number a pixel",
    "x′": "the attacked picture, clean picture and pattern: all that the method is given",
    "ψ": "the classifier that is attacked: a network that reads digits",
    "ε": "the attack's budget: the most that its pattern may measure in its norm",
    "ℓ∞": "the norm that is the largest change of any pixel",
    "ℓ2": "the norm that is the root of the summed squares of all changes",
    "ℓ1": "the norm that is the sum of all changes, without their signs",
    "G": "the generator: a network that draws a digit from 100 numbers",
    "z": "the numbers that the generator draws from",
    "Dₐ": "the dictionary: its columns are attacks on training digits",
    "cₐ": "the attack's code: how much of each column is used",
    "λ": "the weight of the cost of every block of the code",
    "λₘₐₓ": "the least such weight at which every block is off",
    "f": "the loss: what digit and attack together do not explain, squared",
    "∇f": "the gradient of the loss: the direction in which it grows fastest",
    "μ": "the error bound: the gradient's length over the distance to the solution",
    "ρ": "the largest curvature of the loss (its Hessian's largest eigenvalue)",
    "η": "the step size of gradient descent",
    "σ": "the activation: what the generator's layers do to every number",
}

_LETTER = "A-Za-zα-ωΑ-Ωₐₘₓ₀-₉∞′_"
_FOUND = {
    name: re.compile(rf"(?<![{_LETTER}∇]){re.escape(name)}(?![{_LETTER}])")
    for name in SYMBOLS
    if name not in ("Dₐ", "cₐ")
}
_FOUND |= {"Dₐ": re.compile("Dₐ"), "cₐ": re.compile("cₐ")}  # written together: Dₐcₐ


def symbols_in(text: str) -> list[str]:
    """The names of SYMBOLS that a text uses, in the order of SYMBOLS.

    >>> symbols_in("x′ = G(z) + Dₐcₐ + rest")
    ['x′', 'G', 'z', 'Dₐ', 'cₐ']
    """
    return [name for name, pattern in _FOUND.items() if pattern.search(text)]
