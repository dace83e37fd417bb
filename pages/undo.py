"""The main page: choose an image, attack it, watch Algorithm 1 undo it, read the verdict.

Everything that a run shows is drawn by the stage, from a socket of its own: the script runs when
somebody chooses, never while a run goes on.
"""

from __future__ import annotations

import streamlit as st

from pages.ui.compare.link import compare_link
from pages.ui.landscape import landscape_help_texts as landscape_texts
from pages.ui.link import address, page_state
from pages.ui.link.projects import origin_note
from pages.ui.live.live_run import LIVE_RUNS, LiveRun
from pages.ui.look import page_style as style
from pages.ui.look.section import section
from pages.ui.look.symbols import legend
from pages.ui.stage import files, stage
from pages.ui.undo import help_texts as texts
from pages.ui.undo.run_time import warning
from pages.ui.undo.undo_controls import controls
from pages.ui.undo.undo_export import export
from pages.ui.undo.undo_registry import registry
from pages.ui.undo.undo_request import from_query

style.whole_screen()
stories = files.stories()
state = st.session_state
if "undo.recorded" not in state and stories and not st.query_params.to_dict():
    # The first picture must not wait for the models: the recorded run plays while they load.
    state["undo.recorded"] = True
    stage(None, stories, recorded=True)
    with st.sidebar:  # its place from the start, so that nothing moves when it is filled
        st.subheader("Image", anchor=False)
        page_state.read_url()
    st.rerun()
state.setdefault("undo.recorded", False)
place = st.container()
address.mark_left("pair")  # this page leads there, to what may have been there before
current = page_state.read_url()[0]
if not current.teach:
    galleries = page_state.galleries_of(current.settings)
    with st.sidebar, section("The choice of image, attack and solver"):
        current = page_state.update_request(
            *controls(current, galleries, page_state.load_request, page_state.switch)
        )
page_state.PAGE.show_warnings()
run: LiveRun | None = None
asked: dict[str, str] | None = None
with place, section("The run of these settings"):
    models = page_state.models_of(current.settings)
    run = registry().prepare(models, current.settings, current.own)
    if "undo.earlier" not in state:  # has somebody run already what this visitor's link asks for?
        state["undo.earlier"] = LIVE_RUNS.record_of(run.identity) if current.run else None
        state["undo.recorded"] |= state["undo.earlier"] is not None
    if state["undo.recorded"] and state.setdefault("undo.first", run.key) != run.key:
        state["undo.recorded"] = False  # a choice was made: the recorded run makes way
with place, section("The stage"):
    asked = stage(
        run, stories, begin=current.run, pace=current.pace, recorded=state["undo.recorded"],
        earlier=state.get("undo.earlier") if state["undo.recorded"] else None, teach=current.teach,
        query=page_state.PAGE.query(), labels=texts.OPTION_LABELS,
        takes=warning(models.bundle, [current.settings]),
    )  # fmt: skip
if asked is not None and (asked["to"] == "pair" or any("other." in name for name in asked)):
    st.switch_page("pair.py", query_params={k: v for k, v in asked.items() if k != "to"})
if asked is not None:
    request, _ = from_query({**asked, "run": "1"})
    page_state.load_request(request)
    state["undo.recorded"] = False
    st.rerun()
if current.teach:  # there is no sidebar, where it stands otherwise
    origin_note(current.settings.dataset)
with section("The explanation"), st.expander("What am I seeing?"):
    st.markdown(texts.explained(current.settings))
with section("The symbols"):
    legend("undo")
page_state.PAGE.write_link()
if not current.teach:
    with st.sidebar, section("The link and the command"):
        compare_link(current)
        st.page_link(
            "landscape.py", label="Look at its landscape", icon=":material/landscape:",
            query_params={"show": "run"}, help=landscape_texts.CUT,
        )  # fmt: skip
        if run is not None:
            export(run, page_state.PAGE.query())
