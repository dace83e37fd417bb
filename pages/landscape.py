"""The page "Landscape": the loss over two dimensions, or over a slice through many."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.ui.landscape import landscape_help_texts as texts
from pages.ui.landscape import landscape_page_state as page_state
from pages.ui.landscape.landscape_controls import controls
from pages.ui.landscape.landscape_request import SHOWS
from pages.ui.landscape.real import real
from pages.ui.landscape.source import run_of, within_examples
from pages.ui.landscape.synthetic import synthetic
from pages.ui.look import page_style as style
from pages.ui.look.section import section
from pages.ui.look.symbols import legend

SHOW_LABELS = {"synthetic": "Two dimensions", "image": "An image", "run": "The main page's run"}

style.apply()
current = within_examples(page_state.read_url())
shown = st.segmented_control(
    "What to look at", SHOWS, format_func=SHOW_LABELS.__getitem__, required=True,
    default=current.show, help=texts.SHOW, key=page_state.PAGE.key("show"),
    label_visibility="collapsed",
)  # fmt: skip
current = within_examples(page_state.update_request(replace(current, show=str(shown))))
if not current.teach:
    with st.sidebar, section("The choice of network or image"):
        current = page_state.update_request(controls(current))
page_state.PAGE.show_warnings()
with section("The landscape"):
    if current.show == "synthetic":
        synthetic(current)
    else:
        real(current, run_of(current))
with section("The symbols"):
    legend("landscape")
page_state.PAGE.write_link()
