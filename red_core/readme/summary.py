"""The README's one table: our headline figures beside the paper's."""

from __future__ import annotations

from typing import Any

from red_core.data.datasets import TITLES
from red_core.measure.tables.paper import FIGURES
from red_core.measure.tables.spec import MEAN, PSI, TABLES
from red_core.measure.tables.table_store import load_table

BLOCK = "summary"
_TABLES = ("1", "5", "2")  # one a data set
_ROWS = (
    ("the attacked classifier ψ alone", "cnn"),
    ("Algorithm 1 with the paper's numbers (`paper`)", "bsd-gan-paper"),
    ("the same with the paper's kind of generator (`--generator dcgan`)", "bsd-gan-dcgan"),
    ("this project's preset (`best`)", "bsd-gan-best"),
)


def render() -> str:
    """The Markdown between the markers; a row for every kept figure."""
    lines = ["| percent right, mean of three attacks | signal | attack |", "|---|---:|---:|"]
    for number in _TABLES:
        table = load_table(number)
        if table is None:
            continue
        title, means = TITLES[TABLES[number].dataset], table["means"][PSI]
        lines.append(
            f"| **{title}**: the paper | {_printed(number, 'BSD-GAN')} "
            f"| {_printed(number, 'BSD-GAN-AD')} |"
        )
        for words, key in _ROWS:
            if key in means:
                signal, attack = (_share(means[key], question) for question in ("signal", "attack"))
                lines.append(f"| {words} (n = {means[key]['n']}) | {signal} | {attack} |")
    return "\n".join(lines)


def _printed(number: str, column: str) -> str:
    return f"{FIGURES[number][column][MEAN]:.1f}"


def _share(mean: dict[str, Any], question: str) -> str:
    """In percent with its 95% interval."""
    found = mean[question]
    if found is None:
        return ""
    value, low, high = (f"{100 * found[name]:.1f}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"
