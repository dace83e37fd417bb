"""A wide table of figures that scrolls inside itself: a small Components v2 component.

Its first column stays where it is, and a click on a figure tells Python which one it was.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "red_figures",
    html='<div class="scroll" role="region" tabindex="0"></div>',
    css=(_HERE / "grid.css").read_text(encoding="utf-8"),
    js=(_HERE / "grid.js").read_text(encoding="utf-8"),
)


def grid(
    table: str,
    label: str,
    *,
    key: str,
    chosen: str = "",
    on_choose: Callable[[str], None] | None = None,
) -> None:
    """Draw a <table>, made of escaped text.

    label: what it is, for those who cannot see it; chosen: the name of the figure that is marked;
    on_choose: called with the name (data-name) of a figure that was clicked.
    """

    def choose() -> None:
        name = st.session_state[key].chosen
        if isinstance(name, str) and on_choose is not None:
            on_choose(name)

    data = {"table": table, "label": label, "chosen": chosen}
    _mount(key=key, data=data, on_chosen_change=choose)
