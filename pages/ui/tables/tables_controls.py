"""The page's switches. Each takes its choice over before the script runs again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.tables import tables_help_texts as texts
from pages.ui.tables import tables_page_state as page_state
from pages.ui.tables.images import SOURCE_LABELS
from pages.ui.tables.tables_request import TablesRequest, looking_at, methods_of, moved, tables_of
from red_core.data.datasets import DATASETS, TITLES
from red_core.measure.tables import TABLES, title_of
from red_core.measure.tables.table_store import SOURCES

BLOCK_LABELS = {"psi": "On ψ", "white-box": "White-box"}


def which_table(current: TablesRequest) -> None:
    """The data set and the table."""
    left, right = st.columns([1, 1], vertical_alignment="bottom")
    with left:
        _switch(
            "Data set", DATASETS, current.dataset, TITLES.__getitem__, texts.DATASET, "dataset",
            lambda dataset: page_state.load_request(
                moved(page_state.PAGE.current, tables_of(dataset)[0])
            ),
        )  # fmt: skip
    with right:
        _switch(
            "Table of the paper", tables_of(current.dataset), current.table, "Table {}".format,
            texts.TABLE, "table",
            lambda table: page_state.load_request(moved(page_state.PAGE.current, table)),
        )  # fmt: skip


def which_matrices(current: TablesRequest, source: str) -> None:
    """The method, the attack, the block, and whose images; source: those that are shown."""
    spec = TABLES[current.table]
    first, second, third, fourth = st.columns([1.4, 1.2, 1, 1.4], vertical_alignment="bottom")
    key = page_state.PAGE.key("method")
    options = methods_of(current.table)
    first.selectbox(
        "Method", options, options.index(current.method), format_func=title_of, help=texts.METHOD,
        key=key, on_change=lambda: _take(method=st.session_state[key]),
    )  # fmt: skip
    with second:
        _switch(
            "Attack", spec.attacks, current.attack, ATTACK_LABELS.__getitem__, texts.ATTACK,
            "attack", lambda attack: _take(attack=attack),
        )  # fmt: skip
    with third:
        _switch(
            "Attacked", spec.blocks, current.block, BLOCK_LABELS.__getitem__, texts.BLOCK, "block",
            lambda block: _take(block=block),
        )  # fmt: skip
    with fourth:
        _switch(
            "Images", SOURCES, source, SOURCE_LABELS.__getitem__, texts.IMAGES, "images",
            lambda images: _take(images=images),
        )  # fmt: skip


def _switch(
    label: str,
    options: Sequence[str],
    chosen: str,
    written: Callable[[str], str],
    text: str,
    name: str,
    choose: Callable[[str], None],
) -> None:
    key = page_state.PAGE.key(name)
    st.segmented_control(
        label, options, format_func=written, required=True, default=chosen, help=text, key=key,
        on_change=lambda: choose(st.session_state[key]),
    )  # fmt: skip


def _take(**changes: str) -> None:
    page_state.PAGE.keep(looking_at(page_state.PAGE.current, **changes))
