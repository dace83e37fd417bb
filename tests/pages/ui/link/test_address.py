"""A page's address: taken over where it is new, kept in the session where it is not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.link import address


def page() -> None:
    import streamlit as st

    from pages.ui.link import address

    state = st.session_state
    query = address.incoming_query("one", "request" in state)
    if query is not None:
        state["request"] = query
        state["news"] = state.get("news", 0) + 1
    if state.get("cut short"):
        st.stop()
    if st.button("change"):
        state["request"] = {**state["request"], "changed": "yes"}
    if not state.get("away"):
        speeds = ["slow", "fast"]
        st.selectbox("Speed", speeds, speeds.index(address.keep("speed", "slow")), key="speed")
        address.write("one", state["request"])
    else:
        address.mark_left("one")


def opened(**query: str) -> AppTest:
    app = AppTest.from_function(page)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def test_a_new_session_takes_its_address_over_once() -> None:
    app = opened(a="1")
    assert app.session_state["request"] == {"a": "1"}
    app.run()
    assert app.session_state["news"] == 1


def test_an_empty_address_says_nothing_and_is_written_again() -> None:
    app = opened(a="1")
    app.query_params.clear()
    app.run()
    assert app.session_state["news"] == 1
    assert app.query_params["a"] == "1"


def test_what_a_late_browser_still_sends_is_no_news() -> None:
    app = opened(a="1")
    for _ in range(2):
        app.button[0].click().run()
    assert app.query_params["changed"] == "yes"
    del app.query_params["changed"]  # the browser still sends what it had before
    app.run()
    assert app.session_state["news"] == 1
    assert app.query_params["changed"] == "yes"


def test_a_run_that_is_cut_short_takes_its_address_over_all_the_same() -> None:
    app = AppTest.from_function(page)
    app.session_state["cut short"] = True
    app.query_params["a"] = "1"
    app.run()
    app.session_state["cut short"] = False
    app.session_state["request"] = {"a": "a person's choice, made meanwhile"}
    app.run()
    assert app.session_state["news"] == 1
    assert app.query_params["a"] == "a person's choice, made meanwhile"


def test_an_address_that_the_page_never_had_is_news() -> None:
    app = opened(a="1")
    app.button[0].click().run()
    app.query_params["a"] = "2"
    app.run()
    assert app.session_state["news"] == 2
    assert app.session_state["request"] == {"a": "2", "changed": "yes"}


def test_only_so_many_addresses_are_remembered(monkeypatch) -> None:
    monkeypatch.setattr(address, "_REMEMBERED", 1)
    app = opened(a="1")
    app.button[0].click().run()
    del app.query_params["changed"]
    app.run()
    assert app.session_state["news"] == 2


@pytest.mark.parametrize(("back", "news"), [(True, 2), (False, 1)])
def test_the_back_button_brings_an_address_that_was(monkeypatch, back: bool, news: int) -> None:
    @dataclass
    class Context:
        is_history_navigation: bool

    app = opened(a="1")
    app.button[0].click().run()
    del app.query_params["changed"]
    monkeypatch.setattr(address, "get_script_run_ctx", lambda: Context(back))
    app.run()
    assert app.session_state["news"] == news


def test_a_link_from_another_page_is_news_at_once() -> None:
    app = opened(a="1")
    app.button[0].click().run()
    app.session_state["away"] = True
    app.run()
    app.session_state["away"] = False
    del app.query_params["changed"]  # a link to what was shown before
    app.run()
    assert app.session_state["news"] == 2
    assert app.session_state["request"] == {"a": "1"}


@pytest.mark.parametrize("chosen", ["slow", "fast"])
def test_a_widget_outlives_a_visit_to_another_page(chosen: str) -> None:
    app = opened(a="1")
    app.selectbox[0].set_value(chosen).run()
    app.session_state["away"] = True
    app.run()
    app.session_state["away"] = False
    app.run()
    assert app.selectbox[0].value == chosen
