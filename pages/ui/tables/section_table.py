"""The table: the paper's figures beside ours, what made ours, and why they differ."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from pages.ui.error_bound.number_tables import facts_table
from pages.ui.look.page_style import banner, is_dark
from pages.ui.look.theme import palette
from pages.ui.tables import tables_headlines as words
from pages.ui.tables import tables_help_texts as texts
from pages.ui.tables import tables_page_state as page_state
from pages.ui.tables.files import measure_command, table_of
from pages.ui.tables.grid import grid
from pages.ui.tables.paper import paper_table
from pages.ui.tables.render import block_table, blocks_of, name_of, read_name
from pages.ui.tables.tables_request import TablesRequest, looking_at, methods_of
from red_core.data.datasets import TITLES
from red_core.measure.tables import (
    BLOCKS,
    TABLES,
    Layout,
    Section,
    layout,
    render_markdown,
    title_of,
)


def table(current: TablesRequest) -> None:
    """Draw the chosen table, or what the paper prints where ours is not measured."""
    measured = table_of(current.table)
    made = None if measured is None else layout(measured)
    spec = TABLES[current.table]
    caption = f"Table {spec.number} · {TITLES[spec.dataset]}"
    banner("tables", caption, words.headline(current.table, current.dataset, made))
    if measured is None or made is None or not made.sections:
        _not_measured(current)
        return
    for place, sections in enumerate(blocks_of(made)):
        _block(current, made, sections, first=place == 0)
    if any(
        cell.through_psi for s in made.sections for line in s.lines for cell in line.cells.values()
    ):
        st.caption(texts.THROUGH_PSI)
    _missing(made)
    _where_from(made, measured)
    with st.expander("What am I seeing?"):
        st.markdown(texts.TABLES)


def _block(current: TablesRequest, made: Layout, sections: list[Section], first: bool) -> None:
    block = sections[0].block
    difference = sections[0].difference
    title = sections[0].title if difference else BLOCKS[block]
    st.subheader(title, anchor=False)
    if difference:
        st.caption(texts.READ_DIFFERENCES)
    elif first or made.sections[0].difference:
        st.caption(texts.READ)

    def choose(name: str) -> None:
        found = read_name(name)
        if found is None:
            return
        block, column, method = found
        now = page_state.PAGE.current
        spec = TABLES[now.table]
        attack = column if column in spec.attacks else now.attack
        if block in spec.blocks and method in methods_of(now.table):
            page_state.load_request(looking_at(now, block=block, method=method, attack=attack))

    grid(
        block_table(sections, made, palette(is_dark())),
        title,
        key=f"tables-grid-{current.table}-{'difference' if difference else block}",
        chosen=name_of(current.block, current.attack, current.method),
        on_choose=choose,
    )


def _not_measured(current: TablesRequest) -> None:
    st.markdown("No file with our figures is here. This command measures them and keeps them:")
    st.code(measure_command(current.table), "bash", wrap_lines=True)
    st.subheader("What the paper prints", anchor=False)
    grid(paper_table(current.table), "What the paper prints", key=f"tables-paper-{current.table}")


def _missing(made: Layout) -> None:
    """The methods that the table would have, and why they are not in it."""
    if made.missing:
        lines = [f"- {title_of(entry)}: {why}" for entry, why in made.missing.items()]
        st.caption("\n".join(["Not in the table yet:", "", *lines]))


def _where_from(made: Layout, measured: dict[str, Any]) -> None:
    if made.notes:
        with st.expander("Where ours and the paper's differ, and why"):
            st.markdown("\n".join(f"- {note}" for note in made.notes))
    with st.expander("What made these figures"):
        for run in measured.get("runs") or [measured]:
            st.code(str(run["command"]), "bash", wrap_lines=True)
            st.html(facts_table(_facts(made, measured, run.get("provenance", {}))))
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "JSON", json.dumps(measured, indent=1) + "\n", f"red-table{made.number}.json",
            "application/json", help=texts.JSON, on_click="ignore", key="tables-json",
        )  # fmt: skip
        st.download_button(
            "Markdown", render_markdown(made.number) + "\n", f"red-table{made.number}.md",
            "text/markdown", help=texts.MARKDOWN, on_click="ignore", key="tables-markdown",
        )  # fmt: skip


def _facts(
    made: Layout, measured: dict[str, Any], provenance: dict[str, Any]
) -> list[tuple[str, str]]:
    commit = str(provenance.get("commit") or "not known")
    facts = [
        ("images", f"the first {made.n:,} of {made.source}"),
        ("seed", str(measured.get("seed", ""))),
        ("commit", commit[:12] + ("+" if commit.endswith("+") else "")),
        ("device", f"{provenance.get('device', '')} ({provenance.get('hardware', '')})"),
        ("torch", str(provenance.get("torch", ""))),
    ]
    if provenance.get("processes", 1) != 1:
        facts.append(("processes", str(provenance["processes"])))
    return facts
