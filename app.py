"""The app: page config and navigation only."""

import streamlit as st

st.set_page_config(
    page_title="Reverse engineering of deceptions",
    page_icon=":material/frame_inspect:",
    layout="wide",
)
pages = [
    st.Page("pages/reverse.py", title="Undo an attack", icon=":material/undo:", default=True),
]
st.navigation(pages, position="top" if len(pages) > 1 else "hidden").run()
