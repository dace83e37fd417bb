"""The way into a page that is not the main one.

Streamlit finds the scripts of a folder named pages by itself until `st.navigation` is called for
the first time, so the first visitor of a new server who follows a link to such a page would not
come through app.py.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx


def enter() -> None:
    """Begin again through app.py where Streamlit has found the page by itself."""
    astray = PagesManager.uses_pages_directory or _unlisted()
    PagesManager.uses_pages_directory = False
    if astray and not st.session_state.get("entrance.tried"):
        st.session_state["entrance.tried"] = True  # a page that is run alone has no app.py
        st.rerun()


def _unlisted() -> bool:
    """Whether app.py has not listed its pages: then Streamlit takes app.py for one of them.

    So it is for a visitor who comes while the first one is still on the way.
    """
    context = get_script_run_ctx()
    if context is None:
        return False
    manager = context.pages_manager
    listed = manager.get_pages().values()
    return any(page["script_path"] == manager.main_script_path for page in listed)
