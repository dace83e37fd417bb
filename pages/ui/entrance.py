"""The way into a page that is not the main one.

Streamlit finds the scripts of a folder named pages by itself until `st.navigation` is called for
the first time, so the first visitor of a new server who follows a link to such a page would not
come through app.py.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def enter() -> None:
    """Begin again through app.py where Streamlit has found the page by itself."""
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
