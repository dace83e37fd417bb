"""From a sweep to the figure's rows, in words that fit a cell of a phone."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pages.ui.charts.compare_strip import StripCell, StripRow
from pages.ui.compare.attempt import Attempt
from pages.ui.compare.cards import seconds
from pages.ui.compare.outcome import Outcome
from pages.ui.compare.sweep import FACTORS
from pages.ui.compare.truth import ATTACK_WORDS, Said
from red_core.data.datasets import short_name
from red_core.methods import METHODS

_LETTERS = 4  # of a class's name that fit


def row_of(row: Attempt, outcome: Outcome, class_names: Sequence[str]) -> StripRow:
    """A method's row in any state."""
    cells = [_cell(one, outcome, place, class_names) for place, one in enumerate(outcome.said)]
    return StripRow(METHODS[row.key].title, _told(row, outcome), cells)


def _told(row: Attempt, outcome: Outcome) -> str:
    """What became of a method, in a few words."""
    if row.status == "done":
        if outcome.reads:
            if outcome.breaks is None:
                return "holds at every strength"
            if outcome.breaks == 0:
                return "wrong even without an attack"
            return f"breaks at ε = {outcome.eps_of(outcome.breaks)}"
        if outcome.named is not None:
            return f"names it at {outcome.named} of {len(FACTORS)}"
        return seconds(row.seconds)
    at = f"step {row.step}" if row.step else ""
    return {
        "waiting": "not run yet",
        "running": at or "at work",
        "missing": "not trained yet",
        "failed": "failed",
        "stopped": "stopped",
    }[row.status]


def _cell(found: Said, outcome: Outcome, place: int, class_names: Sequence[str]) -> StripCell:
    lines = [f"<b>{outcome.title}</b> at ε = {outcome.eps_of(place)}"]
    text = ""
    if found.label is not None:
        name = class_names[found.label]
        text = escape(short_name(name)[:_LETTERS])  # Plotly reads HTML
        lines.append(f"signal: {escape(name)}{_judged(found.right_label)}")
    if found.attack is not None:
        word = ATTACK_WORDS.get(found.attack, found.attack)
        lines.append(f"attack: {word}{_judged(found.right_attack)}")
    return StripCell(text, found.right_label, found.attack, found.right_attack, "<br>".join(lines))


def _judged(right: bool | None) -> str:
    return "" if right is None else ", right" if right else ", wrong"
