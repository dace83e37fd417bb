"""The kept tables as Markdown, for docs/results.md."""

from __future__ import annotations

from typing import Any

from red_core.algorithm.verdict import NO_ATTACK
from red_core.data.datasets import TITLES
from red_core.measure.tables.sections import Cell, Layout, Line, Section, layout
from red_core.measure.tables.short import short
from red_core.measure.tables.spec import MEAN, OVERALL, TABLES, title_of
from red_core.measure.tables.table_store import load_table

BLOCK = "tables"  # the markers of its document
_COLUMN_TITLES = {"linf": "l-inf", MEAN: "mean", NO_ATTACK: "clean", OVERALL: "mean with clean"}


def render() -> str:
    """Every kept table, its means first and the rest folded away; "" where none was measured."""
    return "\n\n".join(text for number in TABLES if (text := _folded(number)))


def _folded(number: str) -> str:
    table, whole = load_table(number), render_markdown(number)
    if table is None:
        return ""
    made = layout(table)
    means = short(made)
    head = f"**Table {number}. {made.title}.**"
    if means:
        head += (
            f" Percent right of {made.n:,} images an attack, the mean of the three attacks (in "
            f"brackets: the paper's).\n\n{means}"
        )
    summary = "Every figure, with its interval, its images and what made it"
    return f"{head}\n\n<details>\n<summary>{summary}</summary>\n\n{whole}\n\n</details>"


def render_markdown(number: str) -> str:
    """One kept table with its notes; "" where it was not measured."""
    table = load_table(number)
    if table is None:
        return ""
    made = layout(table)
    parts = [f"**Table {number}. {made.title}.** {_read_as(made)}"]
    parts += [f"{section.title}.\n\n{_section(section, made)}" for section in made.sections]
    if made.missing:
        names = ", ".join(title_of(key) for key in made.missing)
        parts.append(f"Not measured yet: {names}.")
    if made.notes:
        parts.append("\n".join(f"- {note}" for note in made.notes))
    parts.append(_measured_by(table))
    return "\n\n".join(parts)


def _measured_by(table: dict[str, Any]) -> str:
    """The command of the whole, and where and with what it ran."""
    made = [run["provenance"] for run in table["runs"]]
    commits = ", ".join(dict.fromkeys(f"`{str(one.get('commit'))[:9]}`" for one in made))
    devices = ", ".join(dict.fromkeys(str(one.get("device")) for one in made))
    name = f"assets/{table['dataset']}/table{table['table']}.json"
    return (
        f"By `python -m red_core evaluate --table {table['table']} --examples {table['n']} --seed "
        f"{table['seed']} --keep`, in {len(made)} run{'s' if len(made) > 1 else ''} at commit "
        f"{commits} on {devices}; `{name}` says which run filled which cell."
    )


def _read_as(made: Layout) -> str:
    words = (
        f"The first {made.n:,} images of {made.source} ({TITLES[made.dataset]}); below each figure "
        "its 95% interval and what the paper prints"
    )
    if any(section.difference for section in made.sections):
        return f"{words}, in percent."
    return f"{words}, all in percent; the best of each column in bold."


def _section(section: Section, made: Layout) -> str:
    titles = [_COLUMN_TITLES.get(column, column) for column in section.columns]
    lines = [f"| | {' | '.join(titles)} |", "|---|" + "---:|" * len(titles)]
    for line in section.lines:
        cells = [_cell(line, column, section) for column in section.columns]
        lines.append(f"| {line.title} | {' | '.join(cells)} |")
    text = "\n".join(lines)
    if any(cell.through_psi for line in section.lines for cell in line.cells.values()):
        text += (
            "\n\n†: no network of its own to attack, so the attack went through ψ (B.2) and the "
            "figure is not compared with the others."
        )
    return text


def _cell(line: Line, column: str, section: Section) -> str:
    cell = line.cells.get(column)
    if cell is None:
        return ""
    value = _percent(cell.value, section.difference) + ("†" if cell.through_psi else "")
    if cell.best:
        value = f"**{value}**"
    return f"{value}<br><sub>{'; '.join(_small_print(cell, section.difference))}</sub>"


def _small_print(cell: Cell, difference: bool) -> list[str]:
    low, high = _percent(cell.low, difference), _percent(cell.high, difference)
    words = [f"{low} to {high}"]
    if cell.other_n:
        words.append(f"n = {cell.n:,}")
    if cell.paper is not None:
        words.append(f"paper {_percent(cell.paper, difference)}")
    return words


def _percent(value: float, signed: bool) -> str:
    text = f"{100 * value:+.1f}" if signed else f"{100 * value:.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text
