"""How the page begins and ends: from the URL to the current request, and from that to the URL.

In the session, so that it is there when a reader comes back from another page, as
`error_bound.request`, `.run` (whether a run was asked for), `.warnings` (about the URL), `.own`
(the last matrix of the user's), `.at` (the step looked at), `.widgets` (how often the widgets were
renewed).
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.ui.error_bound.error_bound_presets import OPENING
from pages.ui.error_bound.error_bound_registry import error_bound_registry
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest, as_query, from_query
from pages.ui.link import address
from pages.ui.live.queue_status import in_turn
from pages.ui.look.literal import literal
from pages.ui.widgets.widget_keys import WidgetKeys
from red_core.synthetic import Instances

PAGE = "error_bound"  # this page's name in the session
WIDGETS = WidgetKeys("error_bound")


def read_url() -> ErrorBoundRequest:
    """The request this run of the page begins with; a first visit without a query shows OPENING."""
    state = st.session_state
    query = address.incoming_query(PAGE, "error_bound.request" in state)
    if query is not None:
        request, warnings = from_query(query) if query else (OPENING, [])
        exchange(request)
        state["error_bound.warnings"], state["error_bound.run"] = warnings, request.run
    current: ErrorBoundRequest = state["error_bound.request"]
    return replace(current, run=state["error_bound.run"])


def load_request(request: ErrorBoundRequest) -> None:
    """Take over a whole request and run it, as if its URL had been opened."""
    error_bound_registry().clear()
    exchange(replace(request, teach=st.session_state["error_bound.request"].teach))
    st.session_state["error_bound.run"] = request.run


def exchange(request: ErrorBoundRequest) -> None:
    """Take over a request without a run; the widgets begin anew with its values."""
    state = st.session_state
    state["error_bound.request"], state["error_bound.run"], state["error_bound.at"] = (
        request,
        False,
        None,
    )
    state["error_bound.warnings"], state["error_bound.refused"], state["error_bound.asks_own"] = (
        [],
        "",
        False,
    )
    if request.own is not None:
        state["error_bound.own"] = request.own
    WIDGETS.renew()


def update_request(request: ErrorBoundRequest) -> ErrorBoundRequest:
    """Keep what the controls ask for; a change ends the wish to run and old warnings."""
    state = st.session_state
    current: ErrorBoundRequest = state["error_bound.request"]
    if request.key != current.key:
        state["error_bound.run"], state["error_bound.warnings"] = False, []
    state["error_bound.request"] = replace(request, run=state["error_bound.run"])
    kept: ErrorBoundRequest = state["error_bound.request"]
    return kept


def instances_of(current: ErrorBoundRequest) -> Instances:
    """The instances, made in turn with everybody's computing."""
    return in_turn(
        "make the instances",
        "Making the instances",
        lambda tell: error_bound_registry().instances(current, tell),
    )


def show_warnings() -> None:
    """Say what was wrong with the link, until the settings change."""
    for warning in st.session_state["error_bound.warnings"]:
        st.warning(literal(warning))


def query_of(current: ErrorBoundRequest) -> dict[str, str]:
    """The URL's strings."""
    return as_query(replace(current, run=bool(st.session_state["error_bound.run"])))


def write_link(current: ErrorBoundRequest) -> None:
    """Put the state into the browser's address."""
    address.write(PAGE, query_of(current))
