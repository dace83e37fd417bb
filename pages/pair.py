"""The page "Two runs": one x', undone twice, side by side under one scrubber."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from pages.ui.link.page_state import models_of
from pages.ui.link.projects import origin_note
from pages.ui.look import page_style as style
from pages.ui.look.section import section
from pages.ui.look.symbols import legend
from pages.ui.pair import pair_page_state as page_state
from pages.ui.pair.component import pair
from pages.ui.pair.pair_controls import controls
from pages.ui.undo.undo_registry import MAIN, registry

style.whole_screen()
place = st.container()
current = page_state.read_url()
if not current.first.teach:
    with st.sidebar, section("The choice of the other settings"):
        current = page_state.update_request(controls(current))
page_state.PAGE.show_warnings()
with place, section("The two runs"):
    runs = [
        registry().prepare(
            models_of(settings), settings, current.first.own, place=name, origin=origin
        )
        for name, settings, origin in zip(
            (MAIN, "other"), current.settings, current.origins, strict=True
        )
    ]
    pair(current, runs[0], runs[1])
with section("The symbols"):
    legend("pair")
page_state.PAGE.write_link()
if current.first.teach:
    origin_note(current.first.settings.dataset)
else:
    with st.sidebar, section("The link"):
        st.subheader("Link", anchor=False)
        st.caption("This link opens exactly this comparison.")
        link = {**page_state.PAGE.query(), "run": "1"}
        st.code(f"{st.context.url or ''}?{urlencode(link)}", None, wrap_lines=True)
