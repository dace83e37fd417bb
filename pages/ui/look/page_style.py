"""The page's own style: little, and only what keeps things still."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

_PAGES = Path(__file__).parents[1]


@cache
def _sheet(name: str) -> str:
    return (_PAGES / name).read_text(encoding="utf-8")


def apply(*more: str) -> None:
    """Put the style of all pages on the page, and its own; it takes no room.

    more: style sheets, by their paths under `pages/ui`.
    """
    for name in ("look/page.css", *more):
        st.html(f"<style>\n{_sheet(name)}</style>")


def whole_screen() -> None:
    """Put the style of all pages on one that gives its view the whole width and height."""
    apply("look/whole_screen.css")


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
