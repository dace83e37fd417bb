"""A page for test_busy: choices that take a second, and how many were under way at once."""

import time

import streamlit as st

count = st.session_state.setdefault("count", {"now": 0, "most": 0, "told": []})


def chosen(name: str) -> None:
    """Take a second, as a page's callback may on a busy machine."""
    count["now"] += 1
    count["most"] = max(count["most"], count["now"])
    time.sleep(1)
    count["told"].append(name)
    count["now"] -= 1


first = st.checkbox("first", key="first", on_change=chosen, args=("first",))
second = st.checkbox("second", key="second", on_change=chosen, args=("second",))
st.text(f"first: {first}, second: {second}, told: {count['told']}, at once: {count['most']}")
