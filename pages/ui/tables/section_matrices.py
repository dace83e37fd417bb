"""The confusion matrices of one method, and the images behind each of their cells."""

from __future__ import annotations

import streamlit as st

from pages.ui.charts.confusion import attack_confusion_figure, class_confusion_figure
from pages.ui.look.page_style import banner
from pages.ui.look.section import section
from pages.ui.tables import tables_headlines as words
from pages.ui.tables import tables_help_texts as texts
from pages.ui.tables import tables_page_state as page_state
from pages.ui.tables.context import Answered, Matrices, answered, block_of, matrices_of
from pages.ui.tables.files import measure_command
from pages.ui.tables.images import SOURCE_LABELS
from pages.ui.tables.section_cell import cell
from pages.ui.tables.tables_controls import which_matrices
from pages.ui.tables.tables_request import ATTACK, CLASS, TablesRequest, looking_at
from pages.ui.widgets.live_chart import Click, live_chart
from red_core.data.datasets import CLASSES
from red_core.measure.tables import TABLES, title_of
from red_core.measure.tables.table_store import BUNDLED, OFFICIAL
from red_core.methods import ANSWERS

HEIGHT = 440


def matrices(current: TablesRequest) -> None:
    """Draw the switches, both matrices, and what the chosen cell holds."""
    found = answered(current)
    source = found.source if found else current.images or OFFICIAL
    made = matrices_of(current, found.answers) if found else Matrices(None, None, (0, 0))
    title = title_of(current.method)
    line = words.matrices_line(title, current.attack, made.classes, made.named)
    banner("matrices", "Confusion matrices", line)
    which_matrices(current, source)
    if found is None:
        st.markdown(f"Answers on the {SOURCE_LABELS[source].lower()} are not here. To make them:")
        st.code(measure_command(current.table, source), "bash", wrap_lines=True)
    else:
        st.caption(_about(current, found, made))
    _charts(current, made)
    with st.container(key="tables-cell"), section("The images of this cell"):
        if found is not None:
            cell(current, found)
    with st.expander("What am I seeing?"):
        st.markdown(texts.MATRICES)


def _about(current: TablesRequest, found: Answered, made: Matrices) -> str:
    """Which images these are, and what can be opened."""
    said = f"Counted on {found.where}"
    if found.source == BUNDLED:
        said += ", not on the images of the table above"
        if not current.images:
            said += ": those of the official test set are not on this machine"
    said += "."
    if found.images is None:
        said += (
            " Their pictures are not on this machine (RED_DATA names their folder): a click lists "
            "their numbers. The bundled examples can be opened."
        )
    if made.classes is None and made.attacks is None:
        said += f" {title_of(current.method)} was not measured here."
    if current.block != block_of(current, current.attack) and current.attack != "none":
        said += f" {title_of(current.method)} has no network of its own: the attack went through ψ."
    return f"{said} {texts.CLICK}"


def _charts(current: TablesRequest, made: Matrices) -> None:
    names, attacks = CLASSES[current.dataset], TABLES[current.table].attacks
    chosen: dict[str, tuple[int, int]] = {}
    if current.cell is not None:
        matrix, row, column = current.cell
        chosen[matrix] = row, column

    def to_class(click: Click) -> None:
        _choose(CLASS, click, len(names), len(names))

    def to_attack(click: Click) -> None:
        _choose(ATTACK, click, len(attacks), len(ANSWERS))

    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        figure = class_confusion_figure(made.classes, names, current.attack, chosen.get(CLASS))
        live_chart(figure, key="tables-classes", height=HEIGHT, on_click=to_class)
    with right:
        figure = attack_confusion_figure(made.attacks, attacks, ANSWERS, chosen.get(ATTACK))
        live_chart(figure, key="tables-attacks", height=HEIGHT, on_click=to_attack)


def _choose(matrix: str, click: Click, rows: int, columns: int) -> None:
    """A click on a cell chooses it; on the attacks' matrix, its row's attack, too."""
    row, column = round(click.y), round(click.x)
    if not (0 <= row < rows and 0 <= column < columns):
        return
    current = page_state.PAGE.current
    attack = TABLES[current.table].attacks[row] if matrix == ATTACK else current.attack
    changed = looking_at(current, attack=attack, cell=(matrix, row, column))
    if attack == current.attack:
        page_state.PAGE.keep(changed)
    else:
        page_state.load_request(changed)
