"""The app: the pages, and beside them the routes of the stage. `streamlit run app.py` starts it."""

import streamlit as st

from pages.ui.stage.routes import routes

app = st.App("pages/main.py", routes=routes())
