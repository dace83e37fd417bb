"""The state of the page "Two runs"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from pages.ui.link import page_state as main_page
from pages.ui.link.page_request import PageRequest
from pages.ui.pair.pair_request import PairRequest, as_query, from_query
from pages.ui.undo.solver_controls import seed_solver
from pages.ui.undo.undo_request import Request

WIDGETS = "pair"  # prefix of the keys of its widgets


def _opened(query: Mapping[str, str]) -> tuple[PairRequest, list[str]]:
    """The request of a link; without one, the main page's run twice."""
    main = main_page.PAGE.known
    if not query and main is not None:
        return PairRequest(main, main.settings), []
    return from_query(query)


PAGE = PageRequest("pair", as_query, _opened, leads_to=(main_page.PAGE.page,))


def read_url() -> PairRequest:
    """The request this run of the page begins with."""
    fresh = PAGE.read_url()
    current = PAGE.current
    first, _, more = main_page.acceptable(current.first)
    other, _, _ = main_page.acceptable(Request(current.other, first.own))
    PAGE.current = current = PairRequest(first, other.settings, current.starts)
    PAGE.warn(*more)
    if fresh or f"{WIDGETS}.preset" not in st.session_state:
        seed_widgets(current)
    return current


def seed_widgets(request: PairRequest) -> None:
    """Set every widget to the request's values; call it before the widgets are drawn."""
    state = st.session_state
    for key in [str(key) for key in state if str(key).startswith(f"{WIDGETS}.")]:
        if key not in ("pair.request", "pair.warnings", "pair.widgets"):
            del state[key]
    seed_solver(request.other, WIDGETS)
    state[f"{WIDGETS}.start"] = request.starts[1]


def update_request(request: PairRequest) -> PairRequest:
    """Keep what the controls ask for; a change ends the wish to run and old warnings."""
    before = PAGE.current
    other = (request.settings, request.origins) != (before.settings, before.origins)
    if other:
        request = replace(request, first=replace(request.first, run=False))
    return PAGE.keep(request, other=other)
