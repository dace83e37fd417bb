"""A page's part of the browser's address: taken over where it is news, written where it changed.

Several pages share a session, and each keeps what it shows in the session under its own name.
Streamlit empties the address when a reader goes to another page, so an empty one says nothing;
the page then writes its own back.
"""

from __future__ import annotations

import time
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_LAG = 3.0  # seconds in which the browser may still send the address from before our last change


def news(page: str, known: bool) -> dict[str, str] | None:
    """The query that the page shall take over; None where what the session holds still stands.

    page: a short name; known: whether the session holds anything for it. A query that the page did
    not write comes with a new session, from a link, or from the browser's back button.
    """
    query = st.query_params.to_dict()
    if not known:
        return query
    link, at = st.session_state.get(f"address.{page}", ({}, 0.0))
    if not query or query == link:
        return None
    context = get_script_run_ctx()
    went_back = context is not None and context.is_history_navigation
    return query if went_back or time.monotonic() - at > _LAG else None


def write(page: str, query: dict[str, str]) -> None:
    """Put the page's state into the browser's address."""
    _, at = st.session_state.get(f"address.{page}", ({}, 0.0))
    if query != st.query_params.to_dict():
        st.query_params.from_dict(query)
        at = time.monotonic()
    st.session_state[f"address.{page}"] = (query, at)


def leave(page: str) -> None:
    """Say, on another page, that `page` is not shown: the next query that comes for it is news."""
    link, _ = st.session_state.get(f"address.{page}", ({}, 0.0))
    st.session_state[f"address.{page}"] = (link, float("-inf"))


def keep(name: str, default: Any) -> Any:
    """The value of a widget that is to outlive a visit to another page.

    Streamlit drops the values of widgets that are not drawn. name: the widget's key; default: its
    first value. Call it before the widget is drawn, and let the widget begin with what it returns.
    """
    state = st.session_state
    kept = f"kept.{name}"
    state[kept] = state.get(name, state.get(kept, default))
    return state[kept]
