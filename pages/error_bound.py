"""The page "Error bound": when the paper's guarantee holds, what it promises, what is observed."""

from __future__ import annotations

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
from pages.ui.live.redrawn import redrawn
from pages.ui.look import page_style as style
from pages.ui.look.section import section
from pages.ui.look.symbols import legend
from red_core.synthetic import Instances


def look(current: ErrorBoundRequest) -> ErrorBoundView | StudyView | None:
    """The request's run as it stands, if there is one."""
    worker = error_bound_registry().worker(current)
    return None if worker is None else worker.view()


def draw(
    current: ErrorBoundRequest,
    instances: Instances | None,
    view: ErrorBoundView | StudyView | None,
) -> None:
    """Acts 2 and 3, or the study, for one moment of a run or for none."""
    if instances is None:
        with section("The study"):
            study(current, view if isinstance(view, StudyView) else None)
        return
    shown = view if isinstance(view, ErrorBoundView) else None
    with section("Act 2, the descent,"):
        descent(current, instances, shown)
    with section("Act 3, the theorem,"):
        theorem(current, instances, shown)


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
view = look(current)  # as all of this run of the page shows it, the sidebar too
redrawn(
    view,
    lambda: look(current),
    lambda view: draw(current, instances, view),
    lambda view: (view is not None and view.busy,),
)
with section("The trained generators"):
    trained()
with section("The symbols"):
    legend("error_bound")
page_state.PAGE.write_link()
if not current.teach:
    with st.sidebar, section("The link and the export"):
        export(current, instances, view, page_state.PAGE.query())
