"""The way into a page that is not the main one leads through app.py."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from pages.ui.link import entrance

APP = str(Path(__file__).resolve().parents[4] / "app.py")


@pytest.fixture
def listed(monkeypatch) -> list[int]:
    """How often app.py has listed its pages."""
    calls: list[int] = []
    navigation = st.navigation

    def counted(*args, **kwargs):
        calls.append(1)
        return navigation(*args, **kwargs)

    monkeypatch.setattr(st, "navigation", counted)
    return calls


@pytest.mark.parametrize("other_first", [False, True])
def test_a_first_visitor_comes_through_the_app(monkeypatch, listed, other_first: bool):
    """other_first: another session has entered while this one was still on its way."""
    enter = entrance.enter

    def entered() -> None:
        if other_first:
            PagesManager.uses_pages_directory = False
        enter()

    monkeypatch.setattr(entrance, "enter", entered)
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("pages/tables.py").run()
    assert not app.exception
    assert len(app.header) == 4
    assert listed == [1]
