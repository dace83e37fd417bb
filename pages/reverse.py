"""The main page: choose an image, attack it, watch Algorithm 1 undo it, read the verdict."""

from __future__ import annotations

import streamlit as st

from pages.ui import arrival, style
from pages.ui.act_deception import deception
from pages.ui.act_undoing import undoing
from pages.ui.act_verdict import verdict
from pages.ui.controls import controls
from pages.ui.export import export
from pages.ui.session import Scene, desk
from pages.ui.transport import begin

REFRESH = 0.2  # seconds between two looks at a run


def watch(scene: Scene) -> None:
    """Acts 2 and 3, redrawn by themselves while the run is busy."""
    runner = desk().runner(scene)
    busy = runner is not None and runner.view().busy

    @st.fragment(run_every=REFRESH if busy else None)
    def acts() -> None:
        runner = desk().runner(scene)
        view = None if runner is None else runner.view()
        undoing(scene, runner, view)
        verdict(scene, view)
        if busy != (view is not None and view.busy):
            st.rerun()  # begin or end the refreshing, and let the sidebar know

    acts()


style.apply()
held, bundle = arrival.arrive()
if held.teach:
    scene = arrival.scene_of(held)
else:
    with st.sidebar:
        settings, own = controls(held, bundle, arrival.adopt)
        held = arrival.hold(settings, own)
    scene = arrival.scene_of(held)
if held.run and desk().runner(scene) is None:
    begin(scene)
deception(scene)
watch(scene)
arrival.write_link(held)
if not held.teach:
    with st.sidebar:
        runner = desk().runner(scene)
        export(scene, runner, None if runner is None else runner.view(), arrival.query_of(held))
