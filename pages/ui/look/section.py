"""A part of a page that fails says so in its own place, and the rest of the page works."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.logger import get_logger

from pages.ui.look.literal import literal

FAILED = "{name} cannot be shown: an error in the app. Its terminal says more."
BEGIN_ANEW = "Begin anew"
HELP = "Forgets what this tab has chosen, and opens the page as a first visit does."
# Set by the tests: there a fault in a part of a page is to fail the test.
raise_again = os.environ.get("RED_RAISE_IN_SECTIONS") == "1"

_log = get_logger("red.pages")


@contextmanager
def section(name: str) -> Iterator[None]:
    """Draw a part of a page; an exception in it ends this part only.

    name: the part's name, which begins the sentence that stands in its place. Beside the sentence
    a button begins anew without the settings that led there. The traceback goes to the terminal.
    What Streamlit itself raises, to stop or rerun a script, passes.
    """
    try:
        yield
    except Exception as error:
        if raise_again:
            raise
        _report(name, error)
        st.error(literal(FAILED.format(name=name)))
        if st.button(BEGIN_ANEW, key=f"begin-anew-{_slug(name)}", help=HELP):
            st.session_state.clear()
            st.query_params.clear()
            st.rerun()


def _report(name: str, error: Exception) -> None:
    """Write the traceback to the terminal: once, though a part is drawn after every choice."""
    reported = st.session_state.setdefault("sections.reported", {})
    if reported.get(name) != repr(error):
        reported[name] = repr(error)
        _log.exception("%s failed", name)


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name.lower())
