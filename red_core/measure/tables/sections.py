"""A measured table as sections, lines and cells: what docs/results.md and the page both show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from red_core.algorithm.verdict import NO_ATTACK
from red_core.attacks.pgd import ATTACKS
from red_core.measure.tables.paper import FIGURES, NOTES
from red_core.measure.tables.spec import (
    BLOCKS,
    COLUMNS,
    MEAN,
    OVERALL,
    PSI,
    TABLES,
    WHITE_BOX,
    TableSpec,
    entries,
    has_own_network,
    method_of,
    paper_columns,
    title_of,
)

SIGNAL, ATTACK = "signal", "attack"
QUESTIONS = (SIGNAL, ATTACK)
HEADINGS = {
    SIGNAL: "The signal's class, percent right",
    ATTACK: "The attack's type, percent right",
}


@dataclass(frozen=True)
class Cell:
    """One figure with its 95% interval.

    value, low, high: shares in [0, 1], or in a section of differences, differences in [-1, 1];
    n: images; paper: the paper's figure on the same scale; other_n: n is not the table's;
    through_psi: is in the white-box block, but the attack went through ψ, because the method
    has no network of its own; best: the highest of its column (of several equal ones, all),
    where what was attacked through ψ does not compete with what was attacked through itself.
    """

    value: float
    low: float
    high: float
    n: int
    paper: float | None = None
    best: bool = False
    other_n: bool = False
    through_psi: bool = False


@dataclass(frozen=True)
class Line:
    """One method: its entry's key, its title, and its cells by column (those that exist)."""

    key: str
    title: str
    cells: dict[str, Cell]


@dataclass(frozen=True)
class Section:
    """The lines for one block and one question; difference: cells are differences."""

    block: str
    question: str
    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    difference: bool = False


@dataclass(frozen=True)
class Layout:
    """A whole table. notes: why ours differs from the paper's; missing: entry -> reason."""

    number: str
    dataset: str
    title: str
    n: int
    source: str
    command: str
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    missing: dict[str, str]


def layout(table: dict[str, Any]) -> Layout:
    """Sections for a table's report, as `load_table` returns it."""
    spec = TABLES[table["table"]]
    found = [_differences(spec, table)] if spec.pairs else []
    for block in spec.blocks:
        found += [_section(spec, table, block, question) for question in QUESTIONS]
    return Layout(
        spec.number,
        spec.dataset,
        spec.title,
        table["n"],
        table["source"],
        table["command"],
        tuple(section for section in found if _says_something(section)),
        NOTES[spec.number],
        dict(table.get("missing", {})),
    )


def _says_something(section: Section) -> bool:
    """Whether it holds a line, and does not merely repeat the block of attacks on ψ."""
    cells = [cell for line in section.lines for name, cell in line.cells.items() if name in ATTACKS]
    return bool(section.lines) and not (cells and all(cell.through_psi for cell in cells))


def _section(spec: TableSpec, table: dict[str, Any], block: str, question: str) -> Section:
    columns = COLUMNS if question == ATTACK else tuple(c for c in COLUMNS if c != OVERALL)
    lines = []
    for key in spec.methods:
        for entry in entries(key):
            cells = {
                column: cell
                for column in columns
                if (cell := _cell(spec, table, block, question, column, entry)) is not None
            }
            if cells:
                lines.append(Line(entry, title_of(entry), cells))
    heading = f"{BLOCKS[block]}. {HEADINGS[question]}"
    return Section(block, question, heading, columns, _with_best(lines))


def _cell(
    spec: TableSpec, table: dict[str, Any], block: str, question: str, column: str, entry: str
) -> Cell | None:
    method = method_of(entry)
    assert method is not None
    borrowed = block == WHITE_BOX and not has_own_network(method.key)
    # Clean images are the same in both blocks.
    place = PSI if borrowed or column == NO_ATTACK else block
    if column in (MEAN, OVERALL):
        stored = table["means"].get(place, {}).get(entry)
    else:
        stored = table["blocks"].get(place, {}).get(column, {}).get(entry)
    share = None if stored is None else stored.get(OVERALL if column == OVERALL else question)
    if share is None:
        return None
    through_psi = borrowed and column != NO_ATTACK and method.files != ("classifier.safetensors",)
    name = paper_columns(entry)[QUESTIONS.index(question)]
    figure = None if name is None else FIGURES[spec.number].get(name, {}).get(column)
    return Cell(
        share["value"],
        share["low"],
        share["high"],
        stored["n"],
        None if figure is None else figure / 100,
        other_n=stored["n"] != table["n"],
        through_psi=through_psi,
    )


def _differences(spec: TableSpec, table: dict[str, Any]) -> Section:
    """Table 4: BSD-GAN less its smooth version, on the same images."""
    lines = []
    for first, _, title in spec.pairs:
        for question in QUESTIONS:
            figures = FIGURES[spec.number][f"Delta_{question}"]
            cells = {}
            for attack in spec.attacks:
                stored = table["differences"].get(attack, {}).get(first, {}).get(question)
                if stored is not None:
                    paper = figures.get(attack)
                    cells[attack] = Cell(
                        stored["value"],
                        stored["low"],
                        stored["high"],
                        stored["n"],
                        None if paper is None else paper / 100,
                        other_n=stored["n"] != table["n"],
                    )
            if cells:
                lines.append(Line(f"{first}:{question}", f"Δ_{question}, {title}", cells))
    title = "With kinks less smooth, on the same images, in percentage points"
    return Section(PSI, "difference", title, spec.attacks, tuple(lines), difference=True)


def _with_best(lines: list[Line]) -> tuple[Line, ...]:
    """The lines with the highest value of every column marked."""
    most: dict[str, float] = {}
    for line in lines:
        for column, cell in line.cells.items():
            if not cell.through_psi:
                most[column] = max(cell.value, most.get(column, cell.value))

    def marked(column: str, cell: Cell) -> Cell:
        return replace(cell, best=not cell.through_psi and cell.value == most[column])

    return tuple(
        replace(line, cells={name: marked(name, cell) for name, cell in line.cells.items()})
        for line in lines
    )
