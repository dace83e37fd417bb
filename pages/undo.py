"""The main page: choose an image, attack it, watch Algorithm 1 undo it, read the verdict."""

from __future__ import annotations

import streamlit as st

from pages.ui.compare.link import compare_link
from pages.ui.link import page_state
from pages.ui.live.compute_queue import DRAW_PRIORITY
from pages.ui.live.run_view import RunView
from pages.ui.look import page_style as style
from pages.ui.undo.section_attack import attack_section
from pages.ui.undo.section_undoing import undoing
from pages.ui.undo.section_verdict import parts, verdict
from pages.ui.undo.undo_controls import controls
from pages.ui.undo.undo_export import export
from pages.ui.undo.undo_registry import RunContext, registry
from pages.ui.undo.undo_transport import begin

REFRESH = 0.2  # seconds between two looks at a run


def watch(context: RunContext, view: RunView | None) -> None:
    """Sections 2 and 3; what changes with every step redraws itself while the run is busy.

    view: the run as this whole run of the page shows it, the sidebar too.
    """
    drawn = _marks(view)
    by_itself = False  # not yet: the first time, the fragment runs as a part of the page
    upper = st.container()
    place = verdict(context, view)

    @st.fragment(run_every=REFRESH if drawn[0] else None)
    def live() -> None:
        with DRAW_PRIORITY.drawing():
            view = look(context)
            undoing(context, registry().runner(context), view)
            with place:
                parts(context, view)
        nonlocal by_itself
        if by_itself and _marks(view) != drawn:
            st.rerun()  # begin or end the refreshing, and let the verdict and the sidebar know
        by_itself = True

    with upper:
        live()


def look(context: RunContext) -> RunView | None:
    """The current state of the run, if there is one."""
    runner = registry().runner(context)
    return None if runner is None else runner.view()


def _marks(view: RunView | None) -> tuple[bool, bool]:
    """What the page outside of the fragment shows of a run: whether it is busy, and judged."""
    return (False, False) if view is None else (view.busy, view.verdict is not None)


style.apply()
current, bundle = page_state.read_url()
if not current.teach:
    with st.sidebar:
        current = page_state.update_request(
            *controls(current, bundle, page_state.load_request, page_state.switch)
        )
page_state.complain()
context = page_state.context_of(current)
if current.run and registry().runner(context) is None:
    begin(context)
attack_section(context)
view = look(context)
watch(context, view)
compare_link(current)
page_state.write_link(current)
if not current.teach:
    with st.sidebar:
        export(context, registry().runner(context), view, page_state.query_of(current))
