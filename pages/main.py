"""Page config and navigation: the script that `app.py` serves."""

from pathlib import Path

import streamlit as st

from pages.ui.live import limits
from pages.ui.look.literal import literal
from pages.ui.look.section import section

st.set_page_config(
    page_title="Reverse engineering of deceptions",
    page_icon=str(Path(__file__).parent / "ui/look/icon.png"),
    layout="wide",
    initial_sidebar_state=340,
)
if not limits.ADMITTED.admit(limits.session_id()):
    st.error(literal(limits.too_many_visitors()))
    st.stop()
pages = [
    st.Page("undo.py", title="Undo an attack", default=True),
    st.Page("learn.py", title="Learn"),
    st.Page("compare.py", title="Compare"),
    st.Page("tables.py", title="Tables"),
    st.Page("landscape.py", title="Landscape"),
    st.Page("error_bound.py", title="Error bound"),
    st.Page("pair.py", title="Two runs", visibility="hidden"),  # a run or a link leads there
]
shown = st.navigation(pages, position="top" if len(pages) > 1 else "hidden")
with section("This page"):
    shown.run()
