"""Callbacks of widgets that another callback may replace.

A browser may tell of two widgets in one message. Where the first one's callback puts a whole new
request in place, all widgets are renewed, and what the second one said belongs to the past.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st


def unless_renewed(counter: str, callback: Callable[..., object]) -> Callable[..., None]:
    """The callback, doing nothing once the widgets drawn now have been renewed.

    counter: the session's key that counts renewals.
    """
    drawn = st.session_state[counter]

    def call(*args: Any) -> None:
        if st.session_state[counter] == drawn:
            callback(*args)

    return call
