"""The state of the page "Tables"."""

from __future__ import annotations

from pages.ui.link.page_request import PageRequest
from pages.ui.tables.tables_request import TablesRequest, as_query, from_query

PAGE = PageRequest("tables", as_query, from_query, leads_to=("reverse", "compare"))


def load_request(request: TablesRequest) -> None:
    """Take over another request, for callbacks; the widgets follow it."""
    if request != PAGE.current:
        PAGE.load(request)
