"""The current request of a page: from its link to the session and the widgets, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import streamlit as st

from pages.ui.link import address
from pages.ui.look.literal import literal
from pages.ui.widgets.widget_keys import WidgetKeys

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")


class PageRequest(WidgetKeys, Generic[R]):
    """The request of one page, kept in the session for a visitor who comes back from another page.

    In the session: `<page>.request`, `<page>.warnings` (sentences about the link), and what
    `WidgetKeys` counts. page: its name there; as_query, from_query: from a request to the link's
    strings, and back with the sentences; leads_to: pages to which this one's links lead, so that
    such a link counts as new there.
    """

    def __init__(
        self,
        page: str,
        as_query: Callable[[R], dict[str, str]],
        from_query: Callable[[Mapping[str, str]], tuple[R, list[str]]],
        leads_to: Sequence[str] = (),
    ) -> None:
        super().__init__(page)
        self._as_query, self._from_query, self._leads_to = as_query, from_query, leads_to
        self._request, self._warnings = f"{page}.request", f"{page}.warnings"

    def read_url(self) -> bool:
        """Take over the browser's link where it is new; whether it was."""
        for other in self._leads_to:
            address.mark_left(other)
        query = address.incoming_query(self.page, self._request in st.session_state)
        if query is None:
            return False
        st.session_state[self._request], st.session_state[self._warnings] = self._from_query(query)
        self.renew()
        return True

    @property
    def known(self) -> R | None:
        """The present request; None where the page was not visited in this session."""
        return st.session_state.get(self._request)

    @property
    def current(self) -> R:
        """The present request."""
        request: R = st.session_state[self._request]
        return request

    @current.setter
    def current(self, request: R) -> None:
        st.session_state[self._request] = request

    def change(self, **values: Any) -> R:
        """Change fields of the request; the widgets stay as they are."""
        self.current = replace(self.current, **values)
        return self.current

    def load(self, request: R) -> None:
        """Take over a whole request, as if its link had been opened; hidden controls stay so."""
        if any(field.name == "teach" for field in fields(request)):
            now: Any = self.current  # of the same class
            request = replace(request, teach=now.teach)
        self.current, st.session_state[self._warnings] = request, []
        self.renew()

    def keep(self, request: R, *, other: bool | None = None) -> R:
        """Keep what the controls ask for.

        other: whether what the link was warned of belongs to the past; where the request is
        another one, unless it is given.
        """
        if request != self.current if other is None else other:
            st.session_state[self._warnings] = []
        self.current = request
        return request

    def warn(self, *sentences: str) -> None:
        """Add sentences to those about the link."""
        st.session_state[self._warnings] = [*st.session_state[self._warnings], *sentences]

    def show_warnings(self) -> None:
        """Say what was wrong with the link, until something else is chosen."""
        for warning in st.session_state[self._warnings]:
            st.warning(literal(warning))

    def query(self) -> dict[str, str]:
        """The strings of the link to the present request."""
        return self._as_query(self.current)

    def write_link(self) -> None:
        """Put the request into the browser's address."""
        address.write(self.page, self.query())
