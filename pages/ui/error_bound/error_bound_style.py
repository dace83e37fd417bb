"""The page's own style: numbers in columns, and places that keep their height while words come."""

from __future__ import annotations

import streamlit as st

_CSS = """
<style>
table.numbers td:not(:first-child), table.numbers th:not(:first-child) { text-align: right; }
table.numbers td, table.facts td { white-space: nowrap; }
table.lemma td:last-child { text-align: left; padding-left: 1rem; }
.st-key-error-bound-said { min-height: 8.5rem; }
.st-key-error-bound-stated { min-height: 4.5rem; }
.st-key-error-bound-wdc { min-height: 5rem; }
.st-key-error-bound-lemma-9-said, .st-key-error-bound-dependence-said { min-height: 3.25rem; }
@media (max-width: 640px) {
  table.numbers { font-size: .8rem; }
  table.numbers td, table.numbers th { padding-right: .3rem; }
  table.numbers td:first-child { white-space: normal; }
  table.trained :is(th, td):nth-child(7) { display: none; } /* it follows from the others */
  .st-key-error-bound-said { min-height: 20rem; }
  .st-key-error-bound-stated { min-height: 9rem; }
  .st-key-error-bound-wdc { min-height: 8rem; }
  .st-key-error-bound-lemma-9-said, .st-key-error-bound-dependence-said { min-height: 4.75rem; }
}
</style>
"""


def apply() -> None:
    """Put the style on the page; it takes no room."""
    st.html(_CSS)
