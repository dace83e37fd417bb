"""How the page begins and ends: from the URL to the held request, and from that to the URL.

In the session, so that it is there when a reader comes back from another page: `lab.held`,
`lab.run` (whether a run was asked for), `lab.complaints` (about the URL), `lab.own` (the last
matrix of the user's), `lab.at` (the step looked at), `lab.widgets` (how often the widgets were
renewed).
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.ui.error_bound.error_bound_registry import error_bound_registry
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest, as_query, from_query
from pages.ui.link import address
from pages.ui.live.queue_status import in_turn
from pages.ui.look.literal import literal
from pages.ui.widgets.widget_keys import WidgetKeys
from red_core.synthetic import Instances

PAGE = "error_bound"  # this page's name in the session
WIDGETS = WidgetKeys("lab")


def read_url() -> ErrorBoundRequest:
    """The request this run of the page begins with."""
    state = st.session_state
    query = address.incoming_query(PAGE, "lab.held" in state)
    if query is not None:
        request, complaints = from_query(query)
        exchange(request)
        state["lab.complaints"], state["lab.run"] = complaints, request.run
    current: ErrorBoundRequest = state["lab.held"]
    return replace(current, run=state["lab.run"])


def load_request(request: ErrorBoundRequest) -> None:
    """Take over a whole request and run it, as if its URL had been opened."""
    error_bound_registry().clear()
    exchange(replace(request, teach=st.session_state["lab.held"].teach))
    st.session_state["lab.run"] = request.run


def exchange(request: ErrorBoundRequest) -> None:
    """Take over a request without a run; the widgets begin anew with its values."""
    state = st.session_state
    state["lab.held"], state["lab.run"], state["lab.at"] = request, False, None
    state["lab.complaints"], state["lab.refused"], state["lab.asks_own"] = [], "", False
    if request.own is not None:
        state["lab.own"] = request.own
    WIDGETS.renew()


def update_request(request: ErrorBoundRequest) -> ErrorBoundRequest:
    """Keep what the controls ask for; a change ends the wish to run and old complaints."""
    state = st.session_state
    current: ErrorBoundRequest = state["lab.held"]
    if request.key != current.key:
        state["lab.run"], state["lab.complaints"] = False, []
    state["lab.held"] = replace(request, run=state["lab.run"])
    kept: ErrorBoundRequest = state["lab.held"]
    return kept


def instances_of(current: ErrorBoundRequest) -> Instances:
    """The instances, made in turn with everybody's computing."""
    return in_turn(
        "make the instances",
        "Making the instances",
        lambda tell: error_bound_registry().instances(current, tell),
    )


def complain() -> None:
    """Say what was wrong with the link, until the settings change."""
    for complaint in st.session_state["lab.complaints"]:
        st.warning(literal(complaint))


def query_of(current: ErrorBoundRequest) -> dict[str, str]:
    """The URL's strings."""
    return as_query(replace(current, run=bool(st.session_state["lab.run"])))


def write_link(current: ErrorBoundRequest) -> None:
    """Put the state into the browser's address."""
    address.write(PAGE, query_of(current))
