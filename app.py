"""The app: the pages, and beside them the routes of stage and lessons. `streamlit run app.py`."""

import streamlit as st

from pages.ui.learn.routes import routes as lesson_routes
from pages.ui.stage.routes import routes as stage_routes

app = st.App("pages/main.py", routes=[*stage_routes(), *lesson_routes()])
