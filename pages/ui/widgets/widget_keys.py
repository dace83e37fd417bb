"""Widgets with values that their visitor did not choose: a preset's, a link's.

A value set through the session reaches a busy browser only if it draws that very run of the
script; a widget's default reaches it with any run. So a page gives its widgets the values as
defaults: new widgets with `WidgetKeys`, or the same ones with `widget_value` beside the session
(.streamlit/config.toml keeps Streamlit from warning of it).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st


class WidgetKeys:
    """The widgets of one page; `<page>.widgets` in the session counts how often they were renewed.

    page: the prefix of the page's names in the session.
    """

    def __init__(self, page: str) -> None:
        self.page, self._counter = page, f"{page}.widgets"

    @property
    def renewed(self) -> int:
        """How often the widgets were renewed."""
        return int(st.session_state[self._counter])

    def renew(self) -> None:
        """Let new widgets take the old ones' places, with the current request's values."""
        st.session_state[self._counter] = st.session_state.get(self._counter, 0) + 1

    def key(self, name: str) -> str:
        """The key of a widget; a new one each time the widgets are renewed."""
        return f"{self.page}.{self.renewed}.{name}"

    def unless_renewed(self, callback: Callable[..., object]) -> Callable[..., None]:
        """The callback, doing nothing once the widgets drawn now have been renewed.

        A browser may tell of two widgets in one message. Where the first one's callback puts a
        whole new request in place, what the second one said belongs to the past.
        """
        drawn = self.renewed

        def call(*args: Any) -> None:
            if self.renewed == drawn:
                callback(*args)

        return call

    def whole(
        self, label: str, name: str, value: int, least: int, most: int, help: str, step: int = 1,
        disabled: bool = False,
    ) -> int:  # fmt: skip
        """A field for a whole number; name: of its widget on the page."""
        return int(
            st.number_input(
                label, least, most, value, step, help=help, key=self.key(name), disabled=disabled
            )
        )

    def real(
        self, label: str, name: str, value: float, least: float, most: float, step: float,
        help: str,
    ) -> float:  # fmt: skip
        """A field for a number, rounded to 12 digits: 0.1 + 0.05 is 0.15."""
        chosen = st.number_input(
            label, float(least), float(most), value, step=float(step), format="%g", help=help,
            key=self.key(name),
        )  # fmt: skip
        return float(f"{chosen:.12g}")


def widget_value(key: str, new: Any = None) -> Any:
    """The value of a widget of this key, to be its default too; `new` where it has none yet."""
    return st.session_state.setdefault(key, new)


def option_index(key: str, options: Sequence[Any]) -> int:
    """As `widget_value`, for a select box: the index of its value, 0 where it has none."""
    value = st.session_state.get(key)
    return options.index(value) if value in options else 0
