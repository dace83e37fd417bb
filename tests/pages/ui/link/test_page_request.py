"""The current request of a page: from its link, from its widgets, and back to its link."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def script() -> None:
    from dataclasses import replace

    import streamlit as st

    from pages.ui.learn.learn_request import LearnRequest, as_query, from_query
    from pages.ui.link.page_request import PageRequest

    page = PageRequest("page", as_query, from_query)
    page.read_url()
    step = st.number_input("step", 1, 4, page.current.step, key=page.key("step"))
    st.button("load", on_click=lambda: page.load(LearnRequest("norms", 2)))
    st.button("change", on_click=lambda: page.change(step=3))
    st.button("nothing")
    page.keep(replace(page.current, step=int(step)))
    page.show_warnings()
    page.write_link()


def opened(**query: str) -> AppTest:
    app = AppTest.from_function(script, default_timeout=60)
    for name, text in query.items():
        app.query_params[name] = text
    return app.run()


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def said(app: AppTest) -> list[str]:
    return [warning.value.split(":")[0] for warning in app.warning]


LEFT_OUT = ["The link's lesson is left out"]


def test_a_link_is_taken_over_and_written_back() -> None:
    app = opened(lesson="norms", step="4")
    assert app.number_input[0].value == 4
    assert said(app) == []
    assert app.query_params == {"lesson": "norms", "step": "4"}


def test_a_link_is_warned_of_until_something_else_is_asked_for() -> None:
    app = opened(lesson="nothing", step="2")
    assert said(app) == LEFT_OUT
    assert said(press(app, "nothing")) == LEFT_OUT
    app.number_input[0].set_value(3).run()
    assert said(app) == []
    assert app.query_params["step"] == "3"


def test_a_whole_request_comes_to_the_widgets_and_hidden_controls_stay_hidden() -> None:
    app = press(opened(lesson="nothing", step="3", teach="1"), "load")
    assert app.number_input[0].value == 2
    assert app.query_params == {"lesson": "norms", "step": "2", "teach": "1"}
    assert said(app) == []


def test_a_changed_field_leaves_the_widgets_alone() -> None:
    app = press(opened(lesson="norms", step="1"), "change")
    assert app.number_input[0].value == 1  # which then decides again
    assert app.query_params["step"] == "1"
