"""The paper's own table, for where ours is not measured yet."""

from __future__ import annotations

from html import escape

from pages.ui.tables.render import COLUMN_LABELS, percent
from red_core.measure.tables import COLUMNS
from red_core.measure.tables.paper import FIGURES


def paper_table(number: str) -> str:
    """The paper's figures, as printed, as a <table> with a line for each of its columns."""
    figures = FIGURES[number]
    columns = [column for column in COLUMNS if any(column in line for line in figures.values())]
    head = "".join(f'<th scope="col">{escape(COLUMN_LABELS[column])}</th>' for column in columns)
    signed = any(name.startswith("Delta") for name in figures)
    body = "".join(
        f'<tr><th scope="row" class="name">{escape(_title(name))}</th>'
        + "".join(f"<td>{_written(line.get(column), signed)}</td>" for column in columns)
        + "</tr>"
        for name, line in figures.items()
    )
    return (
        f'<table><thead><tr><th scope="col" class="name">percent</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _title(name: str) -> str:
    return name.replace("_inf", "∞").replace("M_", "M").replace("Delta_", "Δ ")


def _written(figure: float | None, signed: bool) -> str:
    return "" if figure is None else percent(figure / 100, signed)
