"""Widgets that a callback may replace by new ones.

A page that takes over a whole request (a preset, a link) draws new widgets with its values as
defaults. They are never set through the session: a value set there reaches a busy browser only if
it draws that very run of the script.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st


class WidgetKeys:
    """The widgets of one page; `<page>.widgets` in the session counts how often they were renewed.

    page: the prefix of the page's names in the session.
    """

    def __init__(self, page: str) -> None:
        self._page, self._counter = page, f"{page}.widgets"

    def renew(self) -> None:
        """Let new widgets take the old ones' places, with the current request's values."""
        st.session_state[self._counter] = st.session_state.get(self._counter, 0) + 1

    def key(self, name: str) -> str:
        """The key of a widget; a new one each time the widgets are renewed."""
        return f"{self._page}.{st.session_state[self._counter]}.{name}"

    def unless_renewed(self, callback: Callable[..., object]) -> Callable[..., None]:
        """The callback, doing nothing once the widgets drawn now have been renewed.

        A browser may tell of two widgets in one message. Where the first one's callback puts a
        whole new request in place, what the second one said belongs to the past.
        """
        drawn = st.session_state[self._counter]

        def call(*args: Any) -> None:
            if st.session_state[self._counter] == drawn:
                callback(*args)

        return call
