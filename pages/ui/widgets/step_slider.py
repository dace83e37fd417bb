"""The slider over the steps of a run: it follows while the run goes on, and leads at a pause.

A browser answers with the value it last showed, and while a run goes on that is an old one. So the
slider of every pause is a widget of its own, and only that of the present pause counts.
"""

from __future__ import annotations

import streamlit as st


def step_slider(
    label: str, k: int, ends: tuple[int, int], *, paused_at: int | None, at: str, help: str
) -> None:
    """Draw the slider at step k.

    ends: of its range; paused_at: the step at which the run is paused, None while it goes on or
    where there is none; at: the name in the session that keeps the chosen step.
    """
    state = st.session_state
    count, before = state.get(f"{at}.paused_at", (0, None))
    count += paused_at != before  # two runs may pause at the same step
    state[f"{at}.paused_at"] = count, paused_at
    key = f"{at}.{count}"

    def choose() -> None:
        if state[f"{at}.paused_at"][0] == count:
            state[at] = int(state[key])

    state[key] = k
    st.slider(
        label, *ends, help=help, key=key, disabled=paused_at is None,
        on_change=None if paused_at is None else choose,
    )  # fmt: skip
