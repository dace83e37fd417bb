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
[class*="st-key-headline-"] h2 { padding: 0 0 .25rem; }
[class*="st-key-headline-"] { min-height: 4.25rem; gap: 0; }
.st-key-statement { min-height: 4.5rem; }
/* Two number fields side by side need this much; a page opened by its own link may get less. */
@media (min-width: 641px) { [data-testid="stSidebar"][aria-expanded="true"] { min-width: 340px; } }
/* Some colours of code are too faint to read. */
[data-testid="stCode"] .token { color: inherit !important; }
/* A help mark shows for the control that is pointed at, or has the focus. */
[data-testid="stSidebar"] [data-testid="stElementContainer"] [data-testid="stTooltipIcon"] {
  opacity: 0; }
[data-testid="stSidebar"] [data-testid="stElementContainer"]:is(:hover, :focus-within)
  [data-testid="stTooltipIcon"] { opacity: 1; }
[class*="st-key-overlays"] { display: none; } /* what is drawn over other charts takes no room */
@media (max-width: 640px) { /* a line of headline takes two on a phone */
  [class*="st-key-headline-"] h2 { font-size: 1.3rem; }
  [class*="st-key-headline-"] { min-height: 5.75rem; }
  .st-key-statement { min-height: 11rem; }
}
/* 4.5 to 1 at least: the chosen one of a row on its tinted ground, white on violet, small print,
   a slider's label, which Streamlit fades while the slider is disabled, and its value. */
[data-selected="true"] p { color: light-dark(#5b4a9e, #b3a6ec) !important; }
button[kind="primary"]:not(:disabled) { background-color: light-dark(#5b4a9e, #6e5eb3); }
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] :is(p, li) {
  color: light-dark(#5f666e, #a4aab2); opacity: 1 !important; }
.stSlider span[aria-hidden="true"] p { color: light-dark(#1f2328, #e8e8e4); }
[data-testid="stSliderThumbValue"] p { color: light-dark(#5b4a9e, #b3a6ec); }
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


_WHOLE_SCREEN = """
<style>
.block-container { padding: 3.9rem 1.25rem .4rem; max-width: none; }
[data-testid="stMainBlockContainer"] > div > [data-testid="stVerticalBlock"] { gap: .25rem; }
@media (max-width: 640px) { .block-container { padding: 3.6rem .6rem .4rem; } }
</style>
"""


def whole_screen() -> None:
    """Give the page's one view the whole width and height of the screen."""
    st.html(_WHOLE_SCREEN)


def is_dark() -> bool:
    """Whether the reader's theme is dark; light until the browser has said."""
    return st.context.theme.type == "dark"


def headline(act: int, name: str, text: str) -> None:
    """An act's name and its one line, in a place of fixed height."""
    banner(str(act), f"Act {act} · {name}", text)


def banner(key: str, caption: str, text: str) -> None:
    """A caption and one line below it, in a place of fixed height; key: names the place."""
    with st.container(key=f"headline-{key}"):
        st.caption(caption)
        st.header(text, anchor=False)
