"""What the page says in sentences: pure functions of a table's figures."""

from __future__ import annotations

from collections.abc import Sequence

from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.tables.answers import Counts
from pages.ui.tables.render import percent
from pages.ui.undo.headlines import a
from red_core.data.datasets import TITLES
from red_core.measure.tables import Cell, Layout, title_of
from red_core.measure.tables.spec import MEAN, PSI

_BEST = "bsd-gan-best"


def headline(number: str, dataset: str, made: Layout | None) -> str:
    """The page's line: what `best` reaches beside what the paper states."""
    if made is None or not made.sections:
        return f"Table {number} ({TITLES[dataset]}) has not been measured here yet."
    differences = [section for section in made.sections if section.difference]
    if differences:
        return _smooth([cell for line in differences[0].lines for cell in line.cells.values()])
    signal, attack = (_mean(made, question) for question in ("signal", "attack"))
    if signal is None:
        return f"Table {number}: the paper's figures beside ours, on {TITLES[dataset]}."
    read = f"{percent(signal.value)}% of the attacked images right{_beside(signal)}"
    said = f"{title_of(_BEST)} reads {read}"
    if attack is not None:
        said += f" and names {percent(attack.value)}% of the attacks{_beside(attack)}"
    return f"{said}."


def _mean(made: Layout, question: str) -> Cell | None:
    for section in made.sections:
        if (section.block, section.question) == (PSI, question):
            for line in section.lines:
                if line.key == _BEST:
                    return line.cells.get(MEAN)
    return None


def _beside(cell: Cell) -> str:
    return "" if cell.paper is None else f" (the paper: {percent(cell.paper)})"


def _smooth(cells: Sequence[Cell]) -> str:
    most = max(abs(cell.value) for cell in cells)
    stated = [abs(cell.paper) for cell in cells if cell.paper is not None]
    beside = f" (the paper: {percent(max(stated))})" if stated else ""
    return f"A smooth G moves no figure by more than {percent(most)} points{beside}."


def under(attack: str) -> str:
    """Under which attack."""
    return "without an attack" if attack == "none" else f"under {ATTACK_LABELS[attack]}"


def matrices_line(title: str, attack: str, classes: Counts | None, named: Sequence[int]) -> str:
    """The matrices' line. named: how many attacks were named right, and of how many; or nothing."""
    parts = []
    if classes is not None and classes.sum():
        parts.append(f"{int(classes.trace()):,} of {int(classes.sum()):,} images read right")
    if named and named[1]:
        what = "not called attacked" if attack == "none" else "attacks named right"
        parts.append(f"{named[0]:,} of {named[1]:,} {what}")
    said = ", ".join(parts) if parts else "no answers to show"
    return f"{title} {under(attack)}: {said}."


def class_cell(title: str, true: str, answer: str, attack: str, count: int) -> str:
    """What the images of a cell of the class matrix are."""
    said = "read right" if true == answer else f"read as {a(answer)}"
    return f"{images(count)} of {a(true)} {said} by {title} {under(attack)}."


def attack_cell(title: str, attack: str, answer: str, count: int) -> str:
    """What the images of a cell of the attack matrix are."""
    label = {**ATTACK_LABELS, "none": "no attack", "unknown": "an attack that it does not know"}
    return f"{images(count)} {under(attack)} in which {title} finds {label.get(answer, answer)}."


def images(count: int) -> str:
    """A count of images."""
    return {0: "No images", 1: "One image"}.get(count, f"{count:,} images")
