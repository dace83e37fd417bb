"""How the page begins and ends: from the URL to the current request, and from that to the URL.

In the session, so that it is there when a reader comes back from another page: as
`landscape.request`, `.warnings` (about the URL), `.refused` (about a start that cannot be),
`.widgets` (how often the widgets were renewed).
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.ui.landscape.landscape_request import LandscapeRequest, Start, as_query, from_query
from pages.ui.link import address
from pages.ui.look.literal import literal
from pages.ui.widgets.widget_keys import WidgetKeys

PAGE = "landscape"  # this page's name in the session
WIDGETS = WidgetKeys("landscape")


def read_url() -> LandscapeRequest:
    """The request this run of the page begins with."""
    state = st.session_state
    query = address.incoming_query(PAGE, "landscape.request" in state)
    if query is not None:
        state["landscape.request"], state["landscape.warnings"] = from_query(query)
        state["landscape.at"], state["landscape.k"], state["landscape.refused"] = None, None, ""
        WIDGETS.renew()
    current: LandscapeRequest = state["landscape.request"]
    return current


def load_request(request: LandscapeRequest) -> None:
    """Take over a whole request, as if its URL had been opened."""
    state = st.session_state
    state["landscape.request"] = replace(request, teach=state["landscape.request"].teach)
    state["landscape.at"], state["landscape.warnings"], state["landscape.refused"] = None, [], ""
    WIDGETS.renew()


def update_request(request: LandscapeRequest) -> LandscapeRequest:
    """Keep what the controls ask for; a change ends old warnings."""
    state = st.session_state
    if request != state["landscape.request"]:
        state["landscape.warnings"], state["landscape.refused"] = [], ""
        if replace(request, log=False, basins=False, starts=(), wdc=0.0) != replace(
            state["landscape.request"], log=False, basins=False, starts=(), wdc=0.0
        ):
            state["landscape.at"] = None
        if replace(request, plane="pca", log=False) != replace(
            state["landscape.request"], plane="pca", log=False
        ):
            state["landscape.k"] = None
    state["landscape.request"] = request
    return request


def update_show(request: LandscapeRequest, show: str) -> LandscapeRequest:
    """Keep what the page's own switch asks to look at."""
    return update_request(replace(request, show=show))


def update_plane(request: LandscapeRequest, plane: str) -> LandscapeRequest:
    """Keep the plane that the page's own switch asks for."""
    return update_request(replace(request, plane=plane))


def begin_at(starts: tuple[Start, ...]) -> None:
    """More starts, for callbacks; a sentence is kept where there cannot be more."""
    state = st.session_state
    current: LandscapeRequest = state["landscape.request"]
    try:
        state["landscape.request"] = replace(current, starts=current.starts + starts)
    except ValueError as error:
        state["landscape.refused"] = f"{str(error)[:1].upper()}{str(error)[1:]}."
    else:
        state["landscape.refused"], state["landscape.at"] = "", None


def show_warnings() -> None:
    """Say what was wrong with the link, until something changes."""
    for warning in st.session_state["landscape.warnings"]:
        st.warning(literal(warning))


def write_link(current: LandscapeRequest) -> None:
    """Put the state into the browser's address."""
    address.write(PAGE, as_query(current))
