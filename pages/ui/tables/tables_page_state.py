"""How the page begins and ends: from the URL to the current request, and from that to the URL.

In the session, so that it is there when a reader comes back from another page: `tables.request`,
`tables.warnings` (about the URL), `tables.widgets` (how often the widgets were renewed).
"""

from __future__ import annotations

import streamlit as st

from pages.ui.link import address
from pages.ui.look.literal import literal
from pages.ui.tables.tables_request import TablesRequest, as_query, from_query
from pages.ui.widgets.widget_keys import WidgetKeys

PAGE = "tables"  # this page's name in the session
WIDGETS = WidgetKeys("tables")


def read_url() -> TablesRequest:
    """The request this run of the page begins with."""
    state = st.session_state
    for other in ("reverse", "compare"):  # this page's links lead there
        address.mark_left(other)
    query = address.incoming_query(PAGE, "tables.request" in state)
    if query is not None:
        state["tables.request"], state["tables.warnings"] = from_query(query)
        WIDGETS.renew()
    return current_request()


def current_request() -> TablesRequest:
    """The request as it stands."""
    request: TablesRequest = st.session_state["tables.request"]
    return request


def load_request(request: TablesRequest) -> None:
    """Take over a request, for callbacks; the widgets follow it."""
    if update_request(request):
        WIDGETS.renew()


def update_request(request: TablesRequest) -> bool:
    """Keep what a widget asks for; whether it is new. Old warnings end with it."""
    state = st.session_state
    incoming_query: bool = request != current_request()
    if incoming_query:
        state["tables.warnings"], state["tables.request"] = [], request
    return incoming_query


def show_warnings() -> None:
    """Say what was wrong with the link, until something else is chosen."""
    for warning in st.session_state["tables.warnings"]:
        st.warning(literal(warning))


def write_link() -> None:
    """Put the state into the browser's address."""
    address.write(PAGE, as_query(current_request()))
