"""The page's own style: little, and only what keeps things still."""

from __future__ import annotations

import streamlit as st

_CSS = """
<style>
/* Numbers of one width, so that a counting headline does not tremble. */
h1, h2, h3, h4, p, td, [data-testid="stCaptionContainer"] { font-variant-numeric: tabular-nums; }
/* A fragment that updates five times a second is never stale enough to fade. */
[data-stale="true"] { opacity: 1 !important; transition: none !important; }
.st-key-status { position: fixed; top: .6rem; left: 50%; width: auto; z-index: 999990; gap: 0; }
.block-container { padding-top: 4rem; max-width: 78rem; }
.st-key-headline-1 h2, .st-key-headline-2 h2, .st-key-headline-3 h2 { padding: 0 0 .25rem; }
.st-key-headline-1, .st-key-headline-2, .st-key-headline-3 { min-height: 4.25rem; gap: 0; }
@media (max-width: 640px) { /* a line of headline takes two on a phone */
  .st-key-headline-1 h2, .st-key-headline-2 h2, .st-key-headline-3 h2 { font-size: 1.3rem; }
  .st-key-headline-1, .st-key-headline-2, .st-key-headline-3 { min-height: 5.75rem; }
}
table.answers { width: 100%; border-collapse: collapse; font-size: .9rem; }
table.answers th { text-align: left; font-weight: 600; }
table.answers th, table.answers td {
  padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--st-border-color, #8884);
}
</style>
"""


def apply() -> None:
    """Put the style on the page; it takes no room."""
    st.html(_CSS)


def is_dark() -> bool:
    """Whether the reader's theme is dark; light until the browser has said."""
    return st.context.theme.type == "dark"


def headline(act: int, name: str, text: str) -> None:
    """An act's name and its one line, in a place of fixed height."""
    with st.container(key=f"headline-{act}"):
        st.caption(f"Act {act} · {name}")
        st.header(text, anchor=False)
