"""How the page begins and ends: from the URL to the held request, and from that to the URL.

In the session, so that it is there when a reader comes back from another page: `land.held`,
`land.complaints` (about the URL), `land.refused` (about a start that cannot be), `land.widgets`
(how often the widgets were renewed).
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.ui.landscape.landscape_request import LandscapeRequest, Start, as_query, from_query
from pages.ui.link import address
from pages.ui.look.literal import literal
from pages.ui.widgets.widget_keys import WidgetKeys

PAGE = "landscape"  # this page's name in the session
WIDGETS = WidgetKeys("land")


def read_url() -> LandscapeRequest:
    """The request this run of the page begins with."""
    state = st.session_state
    query = address.incoming_query(PAGE, "land.held" in state)
    if query is not None:
        state["land.held"], state["land.complaints"] = from_query(query)
        state["land.at"], state["land.k"], state["land.refused"] = None, None, ""
        WIDGETS.renew()
    current: LandscapeRequest = state["land.held"]
    return current


def load_request(request: LandscapeRequest) -> None:
    """Take over a whole request, as if its URL had been opened."""
    state = st.session_state
    state["land.held"] = replace(request, teach=state["land.held"].teach)
    state["land.at"], state["land.complaints"], state["land.refused"] = None, [], ""
    WIDGETS.renew()


def update_request(request: LandscapeRequest) -> LandscapeRequest:
    """Keep what the controls ask for; a change ends old complaints."""
    state = st.session_state
    if request != state["land.held"]:
        state["land.complaints"], state["land.refused"] = [], ""
        if replace(request, log=False, basins=False, starts=()) != replace(
            state["land.held"], log=False, basins=False, starts=()
        ):
            state["land.at"] = None
        if replace(request, plane="pca", log=False) != replace(
            state["land.held"], plane="pca", log=False
        ):
            state["land.k"] = None
    state["land.held"] = request
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
    current: LandscapeRequest = state["land.held"]
    try:
        state["land.held"] = replace(current, starts=current.starts + starts)
    except ValueError as error:
        state["land.refused"] = f"{str(error)[:1].upper()}{str(error)[1:]}."
    else:
        state["land.refused"], state["land.at"] = "", None


def complain() -> None:
    """Say what was wrong with the link, until something changes."""
    for complaint in st.session_state["land.complaints"]:
        st.warning(literal(complaint))


def write_link(current: LandscapeRequest) -> None:
    """Put the state into the browser's address."""
    address.write(PAGE, as_query(current))
