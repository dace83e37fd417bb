"""One scrubber for all iterative methods: a small Components v2 component.

Its position is a share of each method's own steps. The cards listen to it in the browser
(`card`), and the server is not asked.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.ui.widgets.draw_order import numbered

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "red_compare_scrubber",
    html='<div class="scrubber"></div>',
    css=(_HERE / "scrubber.css").read_text(encoding="utf-8"),
    js=(_HERE / "scrubber.js").read_text(encoding="utf-8"),
)


def scrubber(*, enabled: bool, run: int, help: str, key: str) -> None:
    """Draw it.

    enabled: whether there are frames; run: another one begins at its end; help: of the slider.
    """
    _mount(key=key, data=numbered({"enabled": enabled, "run": run, "help": help}))
