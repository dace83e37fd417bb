"""The page's own style: places that keep their height while words and pictures come."""

from __future__ import annotations

import streamlit as st

_CSS = """
<style>
.st-key-tables-cell { min-height: 21rem; }
table.said td + td { white-space: nowrap; }
.st-key-tables-image img { image-rendering: pixelated; }
@media (max-width: 640px) { .st-key-tables-cell { min-height: 40rem; } }
</style>
"""


def apply() -> None:
    """Put the style on the page; it takes no room."""
    st.html(_CSS)
