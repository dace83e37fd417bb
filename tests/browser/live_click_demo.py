"""A page for test_live_click: a contour and a surface to click on, with a path that grows."""

import numpy as np
import streamlit as st

from pages.ui.look import theme
from pages.ui.widgets.live_chart import Click, live_chart, overlay

SIDE = np.linspace(-2, 2, 25)
HEIGHTS = (SIDE[None, :] ** 2 + 0.5 * SIDE[:, None] ** 2).astype(np.float32)
GRID = {"x": SIDE, "y": SIDE, "z": HEIGHTS, "showscale": False, "name": "loss"}
RANGE = {"range": [-2, 2]}
BOX = {"aspectmode": "cube", "dragmode": "turntable", "xaxis": RANGE, "yaxis": RANGE}


def clicked(name: str, click: Click) -> None:
    """Keep what was clicked."""
    st.session_state.setdefault("clicks", []).append((name, click))


flat = theme.figure(
    [{"type": "contour", **GRID}],
    theme.layout(xaxis=theme.axis(range=[-2, 2]), yaxis=theme.axis(range=[-2, 2])),
)
tall = theme.figure([{"type": "surface", **GRID}], theme.layout(scene=BOX))
left, right = st.columns(2)
with left:
    live_chart(flat, key="flat", height=360, on_click=lambda click: clicked("flat", click))
with right:
    live_chart(tall, key="tall", height=360, on_click=lambda click: clicked("tall", click))


@st.fragment(run_every=0.2)
def moving() -> None:
    """One more point of the path, and the list of clicks."""
    count = st.session_state["count"] = st.session_state.get("count", 0) + 1
    turns = np.linspace(0, min(count, 200) / 20, min(count, 200))
    x, y = np.cos(turns) * 1.5, np.sin(turns) * 1.5
    path = {"mode": "lines+markers", "name": "path", "marker": {"color": theme.LIGHT.accent}}
    steps = {"customdata": np.arange(len(turns)), "x": x, "y": y, **path}
    overlay([{"type": "scatter", **steps}], on="flat")
    overlay([{"type": "scatter3d", "z": x**2 + 0.5 * y**2, **steps}], on="tall")
    lines = [
        f"{name} {click.trace} {click.x:.2f} {click.y:.2f} {click.at[0]:.2f} {click.customdata}"
        for name, click in st.session_state.get("clicks", [])
    ]
    st.text("\n".join([f"clicks: {len(lines)}", *lines]))


moving()
