"""The page "Learn": ten lessons beside the stage, and where the paper's experiments are."""

from __future__ import annotations

import streamlit as st

from pages.ui.learn import view
from pages.ui.learn.component import lessons
from pages.ui.learn.learn_page_state import PAGE, moved_to
from pages.ui.learn.sections import experiments, playlist_maker
from pages.ui.look import page_style as style
from pages.ui.look.section import section

style.whole_screen()
PAGE.read_url()
current = PAGE.current
PAGE.show_warnings()
with section("The lessons"):
    shown = lessons(current, PAGE.renewed)
    current = moved_to(current, shown.at)
    PAGE.write_link()
    link = None if shown.leave is None else view.target(shown.leave)
    if link is not None:
        st.switch_page(link.page, query_params=dict(link.query))
with section("The paper's experiments"):
    experiments()
if not current.teach:
    with section("The playlist"):
        playlist_maker(current)
