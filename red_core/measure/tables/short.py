"""A table's means alone, for a reader who wants the outcome first."""

from __future__ import annotations

from red_core.measure.tables.sections import ATTACK, SIGNAL, Layout, Line, Section
from red_core.measure.tables.spec import MEAN, OVERALL, PSI, WHITE_BOX

# Which mean of which section makes a column: (block, question, column), and its title.
_COLUMNS = {
    (PSI, SIGNAL, MEAN): "signal",
    (PSI, ATTACK, MEAN): "attack",
    (PSI, ATTACK, OVERALL): "attack or none",
    (WHITE_BOX, SIGNAL, MEAN): "signal, white-box",
}


def short(made: Layout) -> str:
    """One line a method, one mean a column, the paper's in brackets; "" for a table without."""
    sections = {(s.block, s.question): s for s in made.sections if not s.difference}
    columns = {
        title: _column(sections[block, question], column)
        for (block, question, column), title in _COLUMNS.items()
        if (block, question) in sections
    }
    columns = {title: cells for title, cells in columns.items() if cells}
    titles = {line.key: line.title for section in sections.values() for line in section.lines}
    rows = [
        f"| {title} | {' | '.join(cells.get(key, '') for cells in columns.values())} |"
        for key, title in titles.items()
        if any(key in cells for cells in columns.values())
    ]
    if not rows:
        return ""
    return "\n".join([f"| | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns), *rows])


def _column(section: Section, column: str) -> dict[str, str]:
    """Entry -> its figure, for the entries that have one of their own in this section."""
    return {line.key: text for line in section.lines if (text := _figure(line, column)) is not None}


def _figure(line: Line, column: str) -> str | None:
    cell = line.cells.get(column)
    if cell is None or cell.through_psi:
        return None
    text = f"{100 * cell.value:.1f}"
    text = f"**{text}**" if cell.best else text
    if cell.paper is not None:
        text += f" ({100 * cell.paper:.1f})"
    return f"{text} <sub>n = {cell.n:,}</sub>" if cell.other_n else text
