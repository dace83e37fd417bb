"""The state of the page "Landscape".

In the session beside the request: `landscape.at` (the step of the paths looked at), `.k` (the
iterate of the slice), `.refused` (about a start that cannot be).
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.ui.landscape.landscape_request import LandscapeRequest, Start, as_query, from_query
from pages.ui.link.page_request import PageRequest

PAGE = PageRequest("landscape", as_query, from_query)


def read_url() -> LandscapeRequest:
    """The request this run of the page begins with."""
    if PAGE.read_url():
        state = st.session_state
        state["landscape.at"], state["landscape.k"], state["landscape.refused"] = None, None, ""
    return PAGE.current


def load_request(request: LandscapeRequest) -> None:
    """Take over a whole request, as if its link had been opened."""
    PAGE.load(request)
    st.session_state["landscape.at"], st.session_state["landscape.refused"] = None, ""


def update_request(request: LandscapeRequest) -> LandscapeRequest:
    """Keep what the controls ask for; a change ends old warnings."""
    state, before = st.session_state, PAGE.current
    if request != before:
        state["landscape.refused"] = ""
        if _of_paths(request) != _of_paths(before):
            state["landscape.at"] = None
        if replace(request, plane="pca", log=False) != replace(before, plane="pca", log=False):
            state["landscape.k"] = None
    return PAGE.keep(request)


def _of_paths(request: LandscapeRequest) -> LandscapeRequest:
    """What of a request the paths rest on, beside their starts."""
    return replace(request, log=False, basins=False, starts=(), wdc=0.0)


def begin_at(starts: tuple[Start, ...]) -> None:
    """More starts, for callbacks; a sentence is kept where there cannot be more."""
    state = st.session_state
    try:
        PAGE.change(starts=PAGE.current.starts + starts)
    except ValueError as error:
        state["landscape.refused"] = f"{str(error)[:1].upper()}{str(error)[1:]}."
    else:
        state["landscape.refused"], state["landscape.at"] = "", None
