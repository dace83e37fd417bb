"""The page "Compare": the tables' methods side by side on one attacked image."""

from __future__ import annotations

import streamlit as st

from pages.ui.compare import compare_page_state as page_state
from pages.ui.compare.compare_controls import controls
from pages.ui.compare.page import page
from pages.ui.link.projects import origin_note
from pages.ui.look import page_style as style
from pages.ui.look.section import section
from pages.ui.look.symbols import legend

style.apply("compare/compare.css")
current = page_state.read_url()
if not current.teach:
    with st.sidebar, section("The choice of image and attack"):
        current = page_state.update_request(controls(current))
else:
    origin_note(current.settings.dataset)
page_state.PAGE.show_warnings()
with section("The image and the methods"):
    current = page(current)
with section("The symbols"):
    legend("compare")
page_state.PAGE.write_link()
