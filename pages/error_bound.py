"""The page "Error bound": when the paper's guarantee holds, what it promises, what is observed."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.ui.error_bound import error_bound_page_state as page_state
from pages.ui.error_bound.error_bound_controls import controls
from pages.ui.error_bound.error_bound_export import export
from pages.ui.error_bound.error_bound_registry import error_bound_registry
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest
from pages.ui.error_bound.error_bound_transport import begin
from pages.ui.error_bound.preset_gallery import gallery
from pages.ui.error_bound.run import ErrorBoundView
from pages.ui.error_bound.section_descent import descent
from pages.ui.error_bound.section_problem import problem
from pages.ui.error_bound.section_study import study
from pages.ui.error_bound.section_theorem import theorem
from pages.ui.error_bound.section_trained import trained
from pages.ui.error_bound.study import StudyView
from pages.ui.look import page_style as style
from pages.ui.look.section import section
from pages.ui.look.symbols import legend
from pages.ui.widgets.live_part import LivePart, live_part
from red_core.synthetic import Instances


def draw_acts(
    current: ErrorBoundRequest, instances: Instances, live: LivePart[ErrorBoundView | None]
) -> None:
    """Acts 2 and 3."""
    with section("Act 2, the descent,"):
        descent(live, current, instances)
    with section("Act 3, the theorem,"):
        theorem(live, current, instances)


def draw_study(current: ErrorBoundRequest, live: LivePart[StudyView | None]) -> None:
    """The study in their place."""
    with section("The study"):
        study(live, current)


def busy(view: ErrorBoundView | StudyView | None) -> tuple[int, ...]:
    """What the rest of the page depends on."""
    return (view is not None and view.busy,)


style.apply("error_bound/error_bound.css")
current = page_state.read_url()
if not current.teach:
    with st.sidebar, section("The choice of problem"):
        current = page_state.update_request(controls(current))
page_state.PAGE.show_warnings()
with section("The presets"):
    gallery(current)
instances = None
if current.show == "descent":
    instances = page_state.instances_of(current)
if current.run and error_bound_registry().worker(current) is None:
    begin(current)
if instances is not None:
    with section("Act 1, the problem,"):
        problem(current, instances)
registry = error_bound_registry()
view: ErrorBoundView | StudyView | None
if instances is not None:
    view = live_part(
        "error-bound",
        lambda: registry.descent(current),
        partial(draw_acts, current, instances),
        busy,
    )
else:
    view = live_part(
        "error-bound-study", lambda: registry.study(current), partial(draw_study, current), busy
    )
with section("The trained generators"):
    trained()
with section("The symbols"):
    legend("error_bound")
page_state.PAGE.write_link()
if not current.teach:
    with st.sidebar, section("The link and the export"):
        export(current, instances, view, page_state.PAGE.query())
