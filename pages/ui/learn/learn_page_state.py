"""The state of the page Learn: from the URL to the current request, and back to the URL.

In the session, so that it is there after a visit to another page: `learn.request`,
`learn.warnings` (about the URL), `learn.opened` (how many addresses were opened: what the
component reports of an older one no longer counts).
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.ui.learn.learn_request import LearnRequest, as_query, from_query, read_place
from pages.ui.link import address
from pages.ui.look.literal import literal

PAGE = "learn"  # this page's name in the session


def read_url() -> LearnRequest:
    """The request this run of the page begins with."""
    state = st.session_state
    for other in ("reverse", "tables", "landscape", "error_bound"):  # the lessons lead there
        address.mark_left(other)
    query = address.incoming_query(PAGE, "learn.request" in state)
    if query is not None:
        state["learn.request"], state["learn.warnings"] = from_query(query)
        state["learn.opened"] = state.get("learn.opened", 0) + 1
    current: LearnRequest = state["learn.request"]
    return current


def opened() -> int:
    """The number of the address that was opened last."""
    number: int = st.session_state["learn.opened"]
    return number


def moved_to(current: LearnRequest, reported: str | None) -> LearnRequest:
    """Keep the step that the component shows; reported: "2:norms.3", None before the first."""
    state = st.session_state
    number, _, text = (reported or "").partition(":")
    if number != str(opened()):
        return current
    try:
        lesson, step = read_place(text)
    except ValueError:  # not from our component
        return current
    if (lesson, step) != (current.lesson, current.step):
        state["learn.warnings"] = []
        state["learn.request"] = current = replace(current, lesson=lesson, step=step)
    return current


def show_warnings() -> None:
    """Show what was wrong with the link, until another step is chosen."""
    for warning in st.session_state["learn.warnings"]:
        st.warning(literal(warning))


def write_link(current: LearnRequest) -> None:
    """Put the state into the browser's address."""
    address.write(PAGE, as_query(current))
