"""How the settings of two runs differ, in words."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pages.ui.pair.pair_request import PairRequest
from pages.ui.undo.help_texts import OPTION_LABELS
from red_core.algorithm.options import SolverOptions
from red_core.data.datasets import CLASSES

NAMED = 3  # differences that one sentence names

Difference = tuple[str, str, str]  # what, and its value in the first and in the other run


def differences(request: PairRequest) -> list[Difference]:
    """Every setting in which the two runs differ, those that a person chooses first."""
    first, other = request.settings
    found = [
        (words, str(getattr(first, name)), str(getattr(other, name)))
        for name, words in (("preset", "preset"), ("generator", "generator"), ("seed", "seed"))
        if getattr(first, name) != getattr(other, name)
    ]
    if request.starts[0] != request.starts[1]:
        names = CLASSES[first.dataset]
        one, two = ("its own" if s is None else names[s] for s in request.starts)
        found.append(("class of the start", one, two))
    numbers = first.solver_options(), other.solver_options()
    chosen = {name for settings in (first, other) for name, _ in settings.solver}
    options = [field.name for field in fields(SolverOptions)]
    for name in sorted(options, key=lambda name: name not in chosen):  # stable: in their order
        one, two = (getattr(each, name) for each in numbers)
        if one != two:
            found.append((_label(name), _written(one), _written(two)))
    return found


def sentence(request: PairRequest) -> str:
    """The difference of the settings in one sentence or two."""
    found = differences(request)
    if not found:
        return "Both runs have the same settings: change one of the other run's."
    named = [f"{what} {one} and {two}" for what, one, two in found[:NAMED]]
    text = f"One attacked picture, undone twice: {'; '.join(named)}"
    more = len(found) - NAMED
    text += f", and {more} more." if more > 0 else "."
    if request.first.settings.seed != request.other.seed:
        text += " Both undo the attack that the first one's seed made."
    return text


def _label(name: str) -> str:
    label = OPTION_LABELS.get(name, name.replace("_", " "))
    return label if label[:1] in "λz" else label[:1].lower() + label[1:]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "never"
    return f"{value:g}" if isinstance(value, float) else str(value)
