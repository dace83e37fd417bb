"""B.8's trade-off, measured: how much noise drowns the attack before it drowns the image."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.charts.tradeoff_chart import tradeoff_figure
from pages.ui.look.literal import literal
from pages.ui.look.page_style import banner
from pages.ui.tables import tables_help_texts as texts
from pages.ui.tables.render import percent
from pages.ui.tables.tables_request import TablesRequest
from pages.ui.widgets.live_chart import live_chart
from red_core.data.assets import read_manifest
from red_core.measure.tradeoff import READERS, Tradeoff, tradeoff_of

HEIGHT = 560
_TABLE = "6"


def tradeoff(current: TablesRequest) -> None:
    """Draw it beside Table 6; what to run where the present recipe has not measured it."""
    if current.table != _TABLE:
        return
    found = _read(read_manifest(current.dataset))
    banner("tradeoff", "More noise, less attack, less image · B.8", headline(found))
    if found is None:
        st.markdown("It has not been measured by the present recipe. This command does it:")
        command = "python -m red_core recipe cifar10 --only purification --scale cpu"
        st.code(command, "bash", wrap_lines=True)
    else:
        _measured(found)
    with st.expander("What am I seeing?"):
        st.markdown(texts.TRADEOFF)


def _read(manifest: dict[str, Any]) -> Tradeoff | None:
    """The trade-off; figures that cannot be drawn are named in a warning."""
    try:
        found = tradeoff_of(manifest)
        if found is not None:
            about(found)
            headline(found)
            for reader in READERS:
                tradeoff_figure(found.beside(reader), reader, found.chosen[reader])
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration):
        st.error("The figures of the purification have not the shape they should have.")
        return None
    return found


def _measured(found: Tradeoff) -> None:
    st.caption(literal(about(found)))
    for column, (reader, name) in zip(st.columns(2, gap="medium"), READERS.items(), strict=True):
        with column:
            row = found.chosen[reader]
            st.markdown(f"**Read by {name}**: {row.words}")
            figure = tradeoff_figure(found.beside(reader), reader, row)
            live_chart(figure, key=f"tables-tradeoff-{reader}", height=HEIGHT)
    st.code(found.found["command"], "bash", wrap_lines=True)


def headline(found: Tradeoff | None) -> str:
    """The part's line: what is lost and won up to the chosen noise, and beyond it."""
    if found is None:
        return "How much noise drowns the attack before it drowns the image?"
    reader = max(READERS, key=lambda name: found.chosen[name].mean(name))
    row, plain = found.chosen[reader], found.plain
    return (
        f"With {row.words}, {READERS[reader]} reads {percent(row.attacked(reader))}% of the "
        f"attacked images right, {percent(plain.attacked(reader))}% without noise; of the clean "
        f"ones {percent(row.shares(reader)['clean'])}%, {percent(plain.shares(reader)['clean'])}% "
        f"without. D(x') lies {row.moved:.1f} from x'."
    )


def about(found: Tradeoff) -> str:
    """What was chosen, by which rule, on which images."""
    chosen = ", ".join(
        f"{name} {percent(found.chosen[reader].mean(reader))}%" for reader, name in READERS.items()
    )
    return (
        f"{found.found['chosen_on']}. The diamond marks {found.found['rule']}: {chosen}. The lines "
        "are of the diamond's number of draws."
    )
