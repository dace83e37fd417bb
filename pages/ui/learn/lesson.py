"""What a lesson is: a few steps, each a short text and a state of the stage; a question; a trial.

Texts hold places such as {here.read}, filled with what the step's recorded run says (`facts`), or
another's: {alone.signal}. So a text stays true when the trained parts, and the runs, are made anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pages.ui.look.symbols import SYMBOLS, symbols_in

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
