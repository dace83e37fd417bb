"""How the page begins and ends: from the URL to the current request, and from that to the URL.

In the session, so that it is there when a reader comes back from another page: `compare.request`,
`compare.warnings` (about the URL), `compare.widgets` (how often the widgets were renewed).
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.ui.compare.compare_registry import compare_registry, image_key
from pages.ui.compare.compare_request import CompareRequest, as_query, from_query, image_of
from pages.ui.compare.opening import opening
from pages.ui.link import address
from pages.ui.link.page_state import OWN_TARGET, models_of, with_image, without_own_target
from pages.ui.live.queue_status import in_turn
from pages.ui.look.literal import literal
from pages.ui.undo.undo_registry import RunContext, devices
from pages.ui.undo.undo_request import Request
from pages.ui.widgets.widget_keys import WidgetKeys
from red_core.run.settings import RunSettings

PAGE = "compare"  # this page's name in the session
WIDGETS = WidgetKeys("compare")


def read_url() -> CompareRequest:
    """The request this run of the page begins with.

    A first visit without a query begins with the main page's present image, or, where none was
    chosen there, with an example on which the methods differ (`opening`).
    """
    state = st.session_state
    query = address.incoming_query(PAGE, "compare.request" in state)
    if query is not None:
        request, warnings = from_query(query)
        if not query:
            request = _opening(main_request())
        if request.settings.device not in devices():
            warnings.append(
                f"This machine has no {request.settings.device} device: auto takes its place."
            )
            request = replace(request, settings=replace(request.settings, device="auto"))
        state["compare.request"], state["compare.warnings"] = request, warnings
        WIDGETS.renew()
    return _within_examples()


def _opening(there: Request | None) -> CompareRequest:
    """What a visit without a query begins with; there: what the main page holds."""
    chosen = there is not None and image_of(there.settings) != image_of(RunSettings())
    if there is not None and (chosen or there.own is not None):
        return CompareRequest(there.settings, there.own)
    usual = RunSettings()
    return opening(usual.dataset, len(models_of(usual).bundle.examples))


def main_request() -> Request | None:
    """What the main page holds, if it has been visited in this session."""
    current: Request | None = st.session_state.get("request")
    return current


def _within_examples() -> CompareRequest:
    """The current request, with example 0 in the place of one that there is not."""
    state = st.session_state
    current: CompareRequest = state["compare.request"]
    settings, warnings = with_image(current.settings)
    if settings != current.settings:
        state["compare.warnings"] += warnings
        current = state["compare.request"] = replace(current, settings=settings)
        WIDGETS.renew()
    bundle = models_of(current.settings).bundle
    settings = without_own_target(current.settings, current.own, bundle)
    if settings != current.settings:
        state["compare.warnings"].append(OWN_TARGET)
        current = state["compare.request"] = replace(current, settings=settings)
        WIDGETS.renew()
    return current


def load_request(request: CompareRequest) -> None:
    """Take over a whole request, as if its URL had been opened."""
    state = st.session_state
    state["compare.request"] = replace(request, teach=state["compare.request"].teach)
    state["compare.warnings"] = []
    WIDGETS.renew()


def update_request(request: CompareRequest) -> CompareRequest:
    """Keep what the controls ask for; another image ends the wish to run, and old warnings."""
    state = st.session_state
    current: CompareRequest = state["compare.request"]
    if image_key(request) != image_key(current):
        state["compare.warnings"] = []
        request = replace(request, run=False, sweep=False)
    state["compare.request"] = request
    return request


def context_of(current: CompareRequest) -> RunContext:
    """Load the models and craft x', in turn with everybody's computing."""
    parts = models_of(current.settings)
    made = in_turn(
        "craft the attack",
        "Crafting the attack",
        lambda tell: compare_registry().images.craft(parts, current.settings, current.own, tell),
    )
    return RunContext(current.settings, parts, made, image_key(current))


def show_warnings() -> None:
    """Say what was wrong with the link, until the image changes."""
    for warning in st.session_state["compare.warnings"]:
        st.warning(literal(warning))


def write_link(current: CompareRequest) -> None:
    """Put the state into the browser's address."""
    address.write(PAGE, as_query(current))
