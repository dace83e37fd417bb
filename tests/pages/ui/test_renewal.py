"""What a replaced widget says is not heard."""

from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st

    from pages.ui.renewal import unless_renewed

    state = st.session_state
    state.setdefault("count", 0)
    state.setdefault("heard", [])

    def renew() -> None:
        state["count"] += 1

    def hear() -> None:
        state["heard"].append(state["count"])

    st.checkbox("renew", key=f"renew.{state['count']}", on_change=renew)
    st.checkbox("hear", key=f"hear.{state['count']}", on_change=unless_renewed("count", hear))


def test_a_callback_is_heard_while_its_widgets_stand() -> None:
    app = AppTest.from_function(script).run()
    app.checkbox[1].check().run()
    assert app.session_state["heard"] == [0]


def test_a_callback_after_a_renewal_in_the_same_message_is_not() -> None:
    app = AppTest.from_function(script).run()
    app.checkbox[0].check()
    app.checkbox[1].check()
    app.run()
    assert app.session_state["count"] == 1
    assert app.session_state["heard"] == []
    app.checkbox[1].check().run()
    assert app.session_state["heard"] == [1]
