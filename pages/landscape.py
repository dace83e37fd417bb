"""The page "Landscape": the loss over two dimensions, and paths that cross it."""

from __future__ import annotations

import streamlit as st

from pages.ui import entrance, style
from pages.ui.landscape import arrival
from pages.ui.landscape.controls import controls
from pages.ui.landscape.synthetic import synthetic

entrance.enter()
style.apply()
held = arrival.arrive()
if not held.teach:
    with st.sidebar:
        held = arrival.hold(controls(held))
arrival.complain()
synthetic(held)
arrival.write_link(st.session_state["land.held"])
