"""A page's part of the browser's address: taken over where it is new, written where it changed.

Several pages share a session, and each keeps what it shows in the session under its own name.
Streamlit empties the address when a visitor goes to another page, so an empty one says nothing;
the page then writes its own back. A busy browser may still send an address from before the last
changes, however late; so what the page has shown before is not new either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_REMEMBERED = 100  # addresses of a page: more than a browser can be behind


@dataclass(frozen=True)
class _Past:
    """What a page's address was, the last one last, and whether another page is shown since."""

    links: tuple[dict[str, str], ...] = ()
    left: bool = False


def incoming_query(page: str, known: bool) -> dict[str, str] | None:
    """The query that the page shall take over; None where the session already has it.

    page: a short name; known: whether the session has anything for it. A query that is new
    comes with a new session, from another page's link, or from the browser's back button.
    """
    query = st.query_params.to_dict()
    past = _past(page)
    if known:
        context = get_script_run_ctx()
        went_back = context is not None and context.is_history_navigation
        if not query or query in past.links[-1:]:
            return None
        if query in past.links and not (went_back or past.left):
            return None
    _remember(page, query)  # now: this run of the script may be cut short before it writes
    return query


def write(page: str, query: dict[str, str]) -> None:
    """Put the page's state into the browser's address."""
    shown = st.query_params.to_dict()
    if query != shown:
        st.query_params.from_dict(query)
    _remember(page, shown, query)


def mark_left(page: str) -> None:
    """Mark, on another page, that `page` is not shown: its next query counts as new."""
    st.session_state[f"address.{page}"] = replace(_past(page), left=True)


def _past(page: str) -> _Past:
    past: _Past = st.session_state.get(f"address.{page}", _Past())
    return past


def _remember(page: str, *queries: dict[str, str]) -> None:
    older = [link for link in _past(page).links if link not in queries]
    st.session_state[f"address.{page}"] = _Past((*older, *queries)[-_REMEMBERED:])


def keep(name: str, default: Any) -> Any:
    """The value of a widget that is to outlive a visit to another page.

    Streamlit drops the values of widgets that are not drawn. name: the widget's key; default: its
    first value. Call it before the widget is drawn, and let the widget begin with what it returns.
    """
    state = st.session_state
    kept = f"kept.{name}"
    state[kept] = state.get(name, state.get(kept, default))
    return state[kept]
