"""A page for test_live_chart: three live charts, brought up to date five times a second."""

import math

import plotly.graph_objects as go
import streamlit as st

from pages.ui.look import theme
from pages.ui.widgets.live_chart import live_chart

TOTAL = 400


def line(ks: list[int], values: list[float], colour: str) -> go.Figure:
    """Values over the steps k, on a log axis."""
    trace = {"type": "scatter", "x": ks, "y": values, "mode": "lines", "line": {"color": colour}}
    layout = theme.layout(
        xaxis=theme.axis(range=[0, TOTAL], nticks=6, title=theme.title("step k")),
        yaxis=theme.axis(type="log", range=[-3, 2]),
        hovermode="x unified",
        dragmode="zoom",
    )
    return theme.figure([trace], layout)


@st.fragment(run_every=0.2)
def charts() -> None:
    """One more step in every chart."""
    count = st.session_state["count"] = st.session_state.get("count", 0) + 1
    ks = list(range(min(count, TOTAL) + 1))
    losses = [30 * math.exp(-k / 25) + 1 for k in ks]
    gaps = [3 * math.exp(-k / 15) + 1e-3 for k in ks]
    sines = [1.5 + math.sin(count / 9 + k / 20) for k in ks]
    live_chart(line(ks, losses, theme.LIGHT.signal), key="loss", height=230)
    live_chart(line(ks, sines, theme.LIGHT.linf), key="energies", height=230)
    live_chart(line(ks, gaps, theme.LIGHT.certificate), key="mu", height=190)


charts()
