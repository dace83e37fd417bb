"""The state of the page "Error bound".

In the session beside the request: `error_bound.own` (the last matrix of the user's), `.at` (the
step looked at), `.refused` and `.asks_own` (of the upload).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from pages.ui.error_bound.error_bound_presets import OPENING
from pages.ui.error_bound.error_bound_registry import error_bound_registry
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest, as_query, from_query
from pages.ui.link.page_request import PageRequest
from pages.ui.live.queue_status import in_turn
from red_core.synthetic import Instances


def _opened(query: Mapping[str, str]) -> tuple[ErrorBoundRequest, list[str]]:
    """The request of a link; a first visit without one shows OPENING."""
    return from_query(query) if query else (OPENING, [])


PAGE = PageRequest("error_bound", as_query, _opened)


def read_url() -> ErrorBoundRequest:
    """The request this run of the page begins with."""
    if PAGE.read_url():
        _forget(PAGE.current)
    return PAGE.current


def load_request(request: ErrorBoundRequest) -> None:
    """Take over a whole request and run it, as if its link had been opened."""
    error_bound_registry().clear()
    PAGE.load(request)
    _forget(request)


def exchange(request: ErrorBoundRequest) -> None:
    """Take over a request without a run; the widgets begin anew with its values."""
    PAGE.load(replace(request, run=False))
    _forget(request)


def _forget(request: ErrorBoundRequest) -> None:
    """Forget what was looked at and uploaded before this request."""
    state = st.session_state
    state["error_bound.at"], state["error_bound.refused"] = None, ""
    state["error_bound.asks_own"] = False
    if request.own is not None:
        state["error_bound.own"] = request.own


def update_request(request: ErrorBoundRequest) -> ErrorBoundRequest:
    """Keep what the controls ask for; a change ends the wish to run and old warnings."""
    other = request.key != PAGE.current.key
    return PAGE.keep(replace(request, run=request.run and not other), other=other)


def instances_of(current: ErrorBoundRequest) -> Instances:
    """The instances, made in turn with everybody's computing."""
    return in_turn(
        "make the instances",
        "Making the instances",
        lambda tell: error_bound_registry().instances(current, tell),
    )
