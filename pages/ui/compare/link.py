"""The way from the main page to the comparison of the same image."""

from __future__ import annotations

import streamlit as st

from pages.ui.compare import compare_help_texts as texts
from pages.ui.compare.compare_request import CompareRequest, as_query
from pages.ui.undo.undo_request import Request


def compare_link(current: Request) -> None:
    """A link to the page "Compare" with the main page's present image."""
    query = as_query(CompareRequest(current.settings, current.own))
    st.page_link(
        "compare.py", label="Compare the methods on this image", icon=":material/compare:",
        help=texts.LINK, query_params={"dataset": current.settings.dataset, **query},
    )  # fmt: skip
