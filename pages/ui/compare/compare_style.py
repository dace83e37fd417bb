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
/* Room for the sentences to come: a line of small writing is 1.35rem, and methods share it. */
.st-key-compare-line { min-height: calc(1.35rem * (1 + round(down, var(--compared) / 6, 1))); }
.st-key-compare-swept { min-height: calc(1.35rem * (1 + round(up, var(--compared) / 3, 1))); }
@media (max-width: 640px) {
  .st-key-compare-line { min-height: calc(1.35rem * (1 + round(up, var(--compared) / 2, 1))); }
  .st-key-compare-swept { min-height: calc(1.35rem * (2 + round(up, var(--compared) / 1.2, 1))); }
}
</style>
"""


def apply() -> None:
    """Put the style on the page; it takes no room."""
    st.html(_CSS)


def make_room(methods: int) -> None:
    """Tell the style how many methods there will be words about."""
    st.html(f"<style>:root {{ --compared: {methods}; }}</style>")
