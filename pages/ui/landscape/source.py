"""Where the run of a slice comes from: the main page, or an image of this page's own."""

from __future__ import annotations

import streamlit as st

from pages.ui.landscape.landscape_page_state import PAGE
from pages.ui.landscape.landscape_registry import landscape_registry
from pages.ui.landscape.landscape_request import LandscapeRequest
from pages.ui.link.page_state import acceptable, models_of
from pages.ui.live.runner import Runner
from pages.ui.undo.undo_registry import RunContext, registry
from pages.ui.undo.undo_request import Request


def within_examples(current: LandscapeRequest) -> LandscapeRequest:
    """The request, with example 0 in the place of one that there is not."""
    if current.show != "image":
        return current
    there, _, changes = acceptable(Request(current.run_settings()))
    if not changes:
        return current
    PAGE.warn(*changes)
    PAGE.renew()
    return PAGE.change(index=there.settings.index)


def run_of(current: LandscapeRequest) -> Runner | None:
    """The run that the slice follows; one of an image is begun where there is none yet."""
    if current.show == "run":
        return registry().present
    settings = current.run_settings()
    parts = models_of(settings)
    runs = landscape_registry().runs
    with st.container(key="status"), st.spinner("Crafting the attack"):
        made = runs.craft(parts, settings, None, lambda place: None)
    context = RunContext(settings, parts, made, (settings, ""))
    return runs.runner(context) or runs.start(context)
