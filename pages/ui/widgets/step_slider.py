"""The slider over the steps of a run: it follows while the run goes on, and leads once it stands.

A browser answers with the value it last showed, and while a run goes on that is an old one. So the
slider of every stand is a widget of its own, and only that of the present stand is heard.
"""

from __future__ import annotations

import streamlit as st


def step_slider(
    label: str, k: int, ends: tuple[int, int], *, stand: int | None, at: str, help: str
) -> None:
    """Draw the slider at step k.

    ends: of its range; stand: the step at which the run stands, None while it goes on or where
    there is none; at: the name in the session under which the step that a person chooses is kept.
    """
    state = st.session_state
    turn, before = state.get(f"{at}.stand", (0, None))
    turn += stand != before  # two runs may stand at the same step
    state[f"{at}.stand"] = turn, stand
    key = f"{at}.{turn}"

    def choose() -> None:
        if state[f"{at}.stand"][0] == turn:
            state[at] = int(state[key])

    state[key] = k
    st.slider(
        label, *ends, help=help, key=key, disabled=stand is None,
        on_change=None if stand is None else choose,
    )  # fmt: skip
