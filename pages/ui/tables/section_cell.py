"""The images of a chosen cell: listed, looked at, and opened on the pages that run on them."""

from __future__ import annotations

from html import escape

import streamlit as st

from pages.ui.look.literal import literal
from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.tables import tables_headlines as headlines
from pages.ui.tables import tables_help_texts as texts
from pages.ui.tables import tables_page_state as page_state
from pages.ui.tables.context import Answered, Cell, cell_of, said_of
from pages.ui.tables.images import damage_of
from pages.ui.tables.opening import query_of
from pages.ui.tables.tables_request import CLASS, TablesRequest, looking_at
from pages.ui.undo import headlines as words
from pages.ui.widgets import pictures
from pages.ui.widgets.gallery import MOST, thumbnails
from red_core.data.datasets import CLASSES, ImageSet
from red_core.measure.tables import title_of
from red_core.measure.tables.spec import PSI
from red_core.measure.tables.table_store import BUNDLED

_LISTED = 200  # numbers that are written out


def cell(current: TablesRequest, found: Answered) -> None:
    """Draw the chosen cell's images, or where to click."""
    chosen = cell_of(current, found.answers)
    if chosen is None:
        st.caption(texts.NO_CELL)
        return
    st.markdown(f"**{_line(current, chosen)}**")
    if not chosen.indices:
        return
    if found.images is None:
        damage = damage_of(current.dataset)
        if damage is not None:
            st.warning(literal(damage, commands=True))
        _numbers(chosen)
        return
    shown = chosen.indices[:MOST]
    index = current.index if current.index in shown else shown[0]
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        name = f"{chosen.row}, {chosen.column}"
        thumbnails(found.images, shown, name, index, _pick, key="tables-thumbnails")
        if len(chosen.indices) > MOST:
            st.caption(f"The first {MOST} of {len(chosen.indices):,}.")
    with right:
        _one(current, found, found.images, chosen, index)


def _pick(index: int) -> None:
    now = page_state.PAGE.current
    page_state.PAGE.keep(looking_at(now, cell=now.cell, index=index) if now.cell else now)


def _line(current: TablesRequest, chosen: Cell) -> str:
    title, count = title_of(current.method), len(chosen.indices)
    if chosen.matrix == CLASS:
        return headlines.class_cell(title, chosen.row, chosen.column, chosen.attack, count)
    return headlines.attack_cell(title, chosen.attack, chosen.column, count)


def _numbers(chosen: Cell) -> None:
    """The images by number, where their pictures are not at hand."""
    numbers = ", ".join(str(index) for index in chosen.indices[:_LISTED])
    more = len(chosen.indices) - _LISTED
    st.caption(f"Test images {numbers}{f' and {more} more' if more > 0 else ''}.")


def _one(
    current: TablesRequest, found: Answered, images: ImageSet, chosen: Cell, index: int
) -> None:
    """One image: what it is, what every method said, and the ways on."""
    names = CLASSES[current.dataset]
    true = names[int(images.labels[index])]
    kind = "Example" if found.source == BUNDLED else "Test image"
    picture, about = st.columns([1, 2.2], wrap=False)
    with picture.container(key="tables-image"):
        image = images.images[index]
        st.image(pictures.picture(image, scale=4), width=4 * image.shape[-1])
    with about:
        st.markdown(f"{kind} {index}, {words.a(true)}, {headlines.under(chosen.attack)}.")
        query = query_of(
            current.dataset, found.source, images, index, chosen.attack, current.method, found.seed
        )
        st.page_link(
            "undo.py", label="Open on the main page", icon=":material/open_in_new:",
            query_params=query,
        )  # fmt: skip
        st.page_link(
            "compare.py", label="Compare the methods on it", icon=":material/compare:",
            query_params=query,
        )  # fmt: skip
    for note in _notes(current, found):
        st.caption(note)
    said = said_of(current, found.answers, chosen.attack, index)
    st.html(_said_table(said, true, chosen.attack, title_of(current.method)))


def _notes(current: TablesRequest, found: Answered) -> list[str]:
    """What is not the same there as in the table."""
    notes = []
    if found.source != BUNDLED:
        notes.append(texts.OPENS_OFFICIAL)
    if current.block != PSI:
        notes.append(texts.OPENS_ON_PSI)
    return notes


def _said_table(said: list[tuple[str, str, str]], true: str, attack: str, chosen: str) -> str:
    """What every method said of the image, as an HTML table; chosen: the title in bold."""
    rows = "".join(
        f"<tr><td>{_strong(title, title == chosen)}</td><td>{_marked(signal, signal, true)}</td>"
        f"<td>{_marked(ATTACK_LABELS.get(named, named), named, attack)}</td></tr>"
        for title, signal, named in said
    )
    head = "<tr><th>method</th><th>signal</th><th>attack</th></tr>"
    return f'<table class="answers said"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def _marked(text: str, said: str, true: str) -> str:
    return escape(f"{text} {words.mark(said, true)}".strip()) if said else ""


def _strong(text: str, strong: bool) -> str:
    return f"<b>{escape(text)}</b>" if strong else escape(text)
