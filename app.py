"""The app: the pages, and beside them the routes of stage and lessons. `streamlit run app.py`.

`streamlit run app.py -- --project DIR` shows a project too (`python -m red_core project new`).
"""

import sys

import streamlit as st
from starlette.middleware import Middleware

from pages.ui.learn.routes import routes as lesson_routes
from pages.ui.link.projects import StartError, open_named
from pages.ui.live.uploads import UploadLimit
from pages.ui.stage.routes import routes as stage_routes
from pages.ui.stage.streamlit_server import DroppedConnections, without_delay

try:
    open_named(sys.argv[1:])
except StartError as error:
    sys.exit(f"error: {error}")
app = st.App(
    "pages/main.py",
    routes=[*stage_routes(), *lesson_routes()],
    middleware=[Middleware(UploadLimit), Middleware(DroppedConnections)],
    lifespan=without_delay,
)
