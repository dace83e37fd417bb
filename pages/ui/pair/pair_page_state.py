"""The state of the page "Two runs": from the URL to the current request, and back to the URL.

In the session, so that it is there after a visit to another page: `pair.request`, `pair.warnings`
(about the URL).
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.ui.link import address
from pages.ui.link import page_state as main_page
from pages.ui.look.literal import literal
from pages.ui.pair.pair_request import PairRequest, as_query, from_query
from pages.ui.undo.solver_controls import seed_solver
from pages.ui.undo.undo_request import Request

PAGE = "pair"  # this page's name in the session
WIDGETS = "pair"  # prefix of the keys of its widgets


def read_url() -> PairRequest:
    """The request this run of the page begins with; without a link, the main page's run twice."""
    state = st.session_state
    address.mark_left(main_page.PAGE)
    query = address.incoming_query(PAGE, "pair.request" in state)
    fresh = query is not None
    if query is not None:
        state["pair.request"], state["pair.warnings"] = from_query(query)
        if not query and "request" in state:
            main: Request = state["request"]
            state["pair.request"] = PairRequest(main, main.settings)
    current: PairRequest = state["pair.request"]
    first, _, more = main_page.acceptable(current.first)
    other, _, _ = main_page.acceptable(Request(current.other, first.own))
    current = PairRequest(first, other.settings, current.starts)
    state["pair.request"], state["pair.warnings"] = current, [*state["pair.warnings"], *more]
    if fresh or f"{WIDGETS}.preset" not in state:
        seed_widgets(current)
    return current


def seed_widgets(request: PairRequest) -> None:
    """Set every widget to the request's values; call it before the widgets are drawn."""
    state = st.session_state
    for key in [str(key) for key in state if str(key).startswith(f"{WIDGETS}.")]:
        if key not in ("pair.request", "pair.warnings"):
            del state[key]
    seed_solver(request.other, WIDGETS)
    state[f"{WIDGETS}.start"] = request.starts[1]


def update_request(request: PairRequest) -> PairRequest:
    """Keep what the controls ask for; a change ends the wish to run and old warnings."""
    state = st.session_state
    current: PairRequest = state["pair.request"]
    if (request.settings, request.origins) != (current.settings, current.origins):
        request = replace(request, first=replace(request.first, run=False))
        state["pair.warnings"] = []
    state["pair.request"] = request
    return request


def show_warnings() -> None:
    """Say what was wrong with the link, until the settings change."""
    for warning in st.session_state["pair.warnings"]:
        st.warning(literal(warning))


def write_link(current: PairRequest) -> None:
    """Put the state into the browser's address."""
    address.write(PAGE, as_query(current))
