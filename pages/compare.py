"""The page "Compare": the tables' methods side by side on one attacked image."""

from __future__ import annotations

import streamlit as st

from pages.ui import entrance, style
from pages.ui.compare import arrival
from pages.ui.compare import style as compare_style
from pages.ui.compare.controls import controls
from pages.ui.compare.page import page

entrance.enter()
style.apply()
compare_style.apply()
held = arrival.arrive()
if not held.teach:
    with st.sidebar:
        held = arrival.hold(controls(held))
arrival.complain()
held = page(held)
arrival.write_link(held)
