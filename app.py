"""The app: page config and navigation only."""

from pathlib import Path

import streamlit as st

from pages.ui.widgets.hear_once import hear_clicks_once

hear_clicks_once()  # Streamlit's browser side tells some clicks twice
st.set_page_config(
    page_title="Reverse engineering of deceptions",
    page_icon=str(Path(__file__).parent / "pages/ui/look/icon.png"),
    layout="wide",
    initial_sidebar_state=340,
)
pages = [
    st.Page("pages/undo.py", title="Undo an attack", default=True),
    st.Page("pages/compare.py", title="Compare"),
    st.Page("pages/tables.py", title="Tables"),
    st.Page("pages/landscape.py", title="Landscape"),
    st.Page("pages/error_bound.py", title="Error bound"),
]
st.navigation(pages, position="top" if len(pages) > 1 else "hidden").run()
