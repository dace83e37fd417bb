"""Figures: pure functions from numbers to `go.Figure`, in the house style of `theme`.

None of them knows Streamlit. What is not known yet (None) is drawn empty, with its axes in place.
"""
