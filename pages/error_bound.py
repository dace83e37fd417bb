"""The page "Error bound": when the paper's guarantee holds, what it promises, what is observed."""

from __future__ import annotations

import streamlit as st

from pages.ui.error_bound import error_bound_page_state as arrival
from pages.ui.error_bound import error_bound_style as lab_style
from pages.ui.error_bound.error_bound_controls import controls
from pages.ui.error_bound.error_bound_export import export
from pages.ui.error_bound.error_bound_registry import lab_desk
from pages.ui.error_bound.error_bound_request import LabRequest
from pages.ui.error_bound.error_bound_transport import begin
from pages.ui.error_bound.preset_gallery import gallery
from pages.ui.error_bound.run import LabView
from pages.ui.error_bound.section_descent import descent
from pages.ui.error_bound.section_problem import problem
from pages.ui.error_bound.section_study import study
from pages.ui.error_bound.section_theorem import theorem
from pages.ui.error_bound.study import StudyView
from pages.ui.link import entrance
from pages.ui.live.compute_queue import COURTESY
from pages.ui.look import page_style as style
from red_core.synthetic import Instances

REFRESH = 0.25  # seconds between two looks at a run


def look(held: LabRequest) -> LabView | StudyView | None:
    """The request's run as it stands, if there is one."""
    worker = lab_desk().worker(held)
    return None if worker is None else worker.view()


def watch(held: LabRequest, instances: Instances | None, busy: bool) -> None:
    """Acts 2 and 3; they redraw themselves while the run is busy."""
    by_itself = False  # not yet: the first time, the fragment runs as a part of the page

    @st.fragment(run_every=REFRESH if busy else None)
    def live() -> None:
        with COURTESY.drawing():
            view = look(held)
            if instances is None:
                study(held, view if isinstance(view, StudyView) else None)
            else:
                shown = view if isinstance(view, LabView) else None
                descent(held, instances, shown)
                theorem(held, instances, shown)
        nonlocal by_itself
        if by_itself and _busy(view) != busy:
            st.rerun()  # begin or end the refreshing, and let the sidebar know
        by_itself = True

    live()


def _busy(view: LabView | StudyView | None) -> bool:
    return view is not None and view.busy


entrance.enter()
style.apply()
lab_style.apply()
held = arrival.arrive()
if not held.teach:
    with st.sidebar:
        held = arrival.hold(controls(held))
arrival.complain()
gallery(held)
instances = None
if held.show == "descent":
    instances = arrival.instances_of(held)
if held.run and lab_desk().worker(held) is None:
    begin(held)
if instances is not None:
    problem(held, instances)
view = look(held)  # as all of this run of the page shows it, the sidebar too
watch(held, instances, _busy(view))
arrival.write_link(held)
if not held.teach:
    with st.sidebar:
        export(held, instances, view, arrival.query_of(held))
