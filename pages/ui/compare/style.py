"""The page's own style: a grid of cards, and places that keep their height while words come."""

from __future__ import annotations

import streamlit as st

_CSS = """
<style>
.st-key-compare-cards {
  display: grid !important; align-items: stretch;
  grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); gap: .9rem;
}
.st-key-compare-cards > * { width: auto !important; min-width: 0; }
.st-key-compare-line { min-height: 2.6rem; }
.st-key-compare-swept { min-height: 3.4rem; }
@media (max-width: 640px) {
  .st-key-compare-line { min-height: 7rem; }
  .st-key-compare-swept { min-height: 10rem; }
}
</style>
"""


def apply() -> None:
    """Put the style on the page; it takes no room."""
    st.html(_CSS)
