"""What a replaced widget says is not heard."""

from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st

    from pages.ui.widgets.widget_keys import WidgetKeys

    widgets, state = WidgetKeys("page"), st.session_state
    if "page.widgets" not in state:
        state["heard"] = []
        widgets.renew()

    def hear() -> None:
        state["heard"].append(state["page.widgets"])

    st.checkbox("renew", key=widgets.key("renew"), on_change=widgets.renew)
    st.checkbox("hear", key=widgets.key("hear"), on_change=widgets.unless_renewed(hear))


def test_a_callback_is_heard_while_its_widgets_stand() -> None:
    app = AppTest.from_function(script).run()
    app.checkbox[1].check().run()
    assert app.session_state["heard"] == [1]


def test_a_callback_after_a_renewal_in_the_same_message_is_not() -> None:
    app = AppTest.from_function(script).run()
    app.checkbox[0].check()
    app.checkbox[1].check()
    app.run()
    assert app.session_state["page.widgets"] == 2
    assert app.session_state["heard"] == []
    app.checkbox[1].check().run()
    assert app.session_state["heard"] == [2]


def test_renewed_widgets_show_the_defaults_again() -> None:
    app = AppTest.from_function(script).run()
    app.checkbox[1].check().run()
    assert app.checkbox[1].value
    app.checkbox[0].check().run()
    assert not app.checkbox[1].value
