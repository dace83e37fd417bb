"""A table's layout as HTML: one block a table, the signal and the attack side by side."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from pages.ui.look.theme import ATTACK_LABELS, Palette
from red_core.algorithm.verdict import NO_ATTACK
from red_core.measure.tables import Cell, Layout, Section
from red_core.measure.tables.spec import MEAN, OVERALL

COLUMN_LABELS = {**ATTACK_LABELS, MEAN: "mean", NO_ATTACK: "clean", OVERALL: "with clean"}
_HEADS = {"signal": "Signal: class read right, %", "attack": "Attack: type named right, %"}
_DIFFERENCE = "Difference in percentage points"


def blocks_of(made: Layout) -> list[list[Section]]:
    """The sections that share a table: those of one block; differences stand alone."""
    key = lambda section: (section.difference, section.block)  # noqa: E731
    return [list(sections) for _, sections in groupby(made.sections, key)]


def block_table(sections: Sequence[Section], made: Layout, colours: Palette) -> str:
    """One block as a <table>: a line for each method, all text escaped."""
    titles: dict[str, str] = {}
    for section in sections:
        for line in section.lines:
            titles.setdefault(line.key, line.title)
    order = _in_order(sections)
    found = [{line.key: line.cells for line in section.lines} for section in sections]
    body = []
    for key in order:
        cells = [
            _figure(cells.get(key, {}).get(column), key, column, section, place == 0)
            for section, cells in zip(sections, found, strict=True)
            for place, column in enumerate(section.columns)
        ]
        kind = ' class="ours"' if key == "bsd-gan-best" else ""
        name = f'<th scope="row" class="name">{escape(titles[key])}</th>'
        body.append(f"<tr{kind}>{name}{''.join(cells)}</tr>")
    return f"<table>{_head(sections, colours)}<tbody>{''.join(body)}</tbody></table>"


def _in_order(sections: Sequence[Section]) -> list[str]:
    """The lines' keys in the order of the first section, each other one after its neighbour."""
    order: list[str] = []
    for section in sections:
        at = 0
        for line in section.lines:
            if line.key in order:
                at = order.index(line.key) + 1
            else:
                order.insert(at if at else len(order), line.key)
                at += 1
    return order


def _head(sections: Sequence[Section], colours: Palette) -> str:
    groups, columns = [], []
    for section in sections:
        head = _DIFFERENCE if section.difference else _HEADS[section.question]
        groups.append(
            f'<th class="group" colspan="{len(section.columns)}" scope="colgroup">{head}</th>'
        )
        for place, column in enumerate(section.columns):
            label = escape(COLUMN_LABELS.get(column, column))
            hue = f' style="--hue:{colours.attack(column)}"' if column in ATTACK_LABELS else ""
            kinds = " ".join((["hue"] if hue else []) + (["first"] if place == 0 else []))
            columns.append(f'<th scope="col" class="{kinds}"{hue}>{label}</th>')
    return (
        f'<thead><tr><th rowspan="2" scope="col" class="name">Method</th>{"".join(groups)}</tr>'
        f"<tr>{''.join(columns)}</tr></thead>"
    )


def name_of(block: str, column: str, key: str) -> str:
    """What a click on a figure tells; `read_name` is its inverse."""
    return f"{block} {column} {key}"


def read_name(name: str) -> tuple[str, str, str] | None:
    """(block, column, key) of a name, or None where it is none."""
    parts = name.split(" ")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def _figure(cell: Cell | None, key: str, column: str, section: Section, first: bool) -> str:
    kinds = ["first"] if first else []
    if cell is None:
        return f'<td class="{" ".join(kinds)}"></td>'
    kinds += [kind for kind in ("best", "through_psi") if getattr(cell, kind)]
    signed = section.difference
    paper = "" if cell.paper is None else percent(cell.paper, signed)
    low, high = percent(cell.low, signed), percent(cell.high, signed)
    sign = "*" if cell.through_psi else ""
    count = f'<span class="range">n = {cell.n:,}</span>' if cell.other_n else ""
    inside = (
        f'<span class="value">{percent(cell.value, signed)}{sign}</span>'
        f'<span class="paper">{paper}</span>'
        f'<span class="range">{low} to {high}</span>{count}'
    )
    tooltip = f"{cell.n:,} images; the paper: {paper}" if paper else f"{cell.n:,} images"
    name = escape(name_of(section.block, column, key))
    inner = (
        f'<span class="figure" title="{tooltip}">{inside}</span>'
        if signed
        else f'<button type="button" data-name="{name}" title="{tooltip}">{inside}</button>'
    )
    return f'<td class="{" ".join(kinds)}">{inner}</td>'


def percent(share: float, signed: bool = False) -> str:
    """A share in per cent with one digit behind the point."""
    text = f"{100 * share:+.1f}" if signed else f"{100 * share:.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")
