"""One scrubber for all iterative methods: a small Components v2 component.

Its position is a share of each method's own steps. The cards listen to it in the browser
(`card`), and the server is not asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "red_compare_scrubber",
    html='<div class="scrubber"></div>',
    css=(_HERE / "scrubber.css").read_text(encoding="utf-8"),
    js=(_HERE / "scrubber.js").read_text(encoding="utf-8"),
)


def scrubber(shown: Mapping[str, Any], *, key: str) -> None:
    """Draw it.

    shown: enabled (whether there are frames), run (another one begins at its end), help (of the
    slider), and the name of the slot that brings more.
    """
    _mount(key=key, data=dict(shown))
