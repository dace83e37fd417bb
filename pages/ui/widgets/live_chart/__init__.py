"""A Plotly chart that lives through its updates: `Plotly.react` on one DOM node.

`st.plotly_chart` mounts a new chart whenever its data change, so it flickers and forgets zoom and
camera. This Components v2 component keeps node, zoom and camera, follows the theme of the page,
and resizes with its place. Plotly's own plotly.min.js comes from the installed wheel, once for a
page and by its own URL: no network beyond the app's server is needed, and an update carries the
figure's numbers only. A large figure that stays (a surface) and what moves over it (a path) are
sent apart: `overlay`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plotly
import plotly.graph_objects as go
import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from pages.ui.look import theme
from pages.ui.widgets.live_chart.clicks import Click, new_clicks

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

# Streamlit imports it with the first component that is drawn, and Plotly looks at what is there of
# it: in the thread of another session that would be half of a module.
importlib.import_module("pandas")

__all__ = ["Click", "chart_slot", "live_chart", "overlay", "overlay_slot"]

_FOLDERS = {
    "plotly": (Path(plotly.__file__).parent, "package_data"),  # plotly.min.js; draws nothing
    "live_chart": (Path(__file__).parents[1], "live_chart"),  # live_chart.js
}


def _declare() -> None:
    """Let Streamlit serve the folders, each under its component's name ("red.plotly", ...).

    Streamlit reads such declarations from installed packages only; the app runs from its
    checkout, so we hand them over ourselves. A second call on the same runtime changes nothing.
    """
    manager = get_bidi_component_manager()
    for name, (root, folder) in _FOLDERS.items():
        if manager.get_component_asset_root(f"red.{name}") is None:
            config = ComponentConfig(name=name, asset_dir=folder)
            manager.register_from_manifest(ComponentManifest("red", "1", [config]), root)


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("red.live_chart", js="live_chart.js", isolate_styles=False)


def chart_slot(figure: go.Figure) -> dict[str, Any]:
    """What a live chart shows, in plain values."""
    return {"figure": figure.to_json(validate=False)}


def overlay_slot(traces: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What an overlay shows, in plain values; traces: Plotly's plain dictionaries."""
    # With a template, or Plotly's own would travel along.
    return chart_slot(theme.figure(traces, {"template": {}}))


def live_chart(
    shown: go.Figure | Mapping[str, Any],
    *,
    key: str,
    height: int,
    on_click: Callable[[Click], None] | None = None,
) -> None:
    """Draw a figure in the page, or bring the chart of this key up to date.

    shown: a figure, or its `chart_slot` with the name of the slot that brings more; key: names the
    chart, one place in the page for each; height: in CSS pixels, the width is the
    container's. Zoom and camera are kept while the figure's uirevision stays the same, and nothing
    is redrawn under a pressed pointer. Colours of theme.LIGHT become theme.DARK's in a dark page,
    without another run of the script. on_click: called, before the script runs again, once for
    every click or tap on a point of a trace (not of those with hoverinfo "skip"); on a contour or
    heat map anywhere counts.
    """
    _declare()  # a new runtime (a test's) knows nothing of the last one's
    data = {
        "name": key,
        "height": height,
        "dark": theme.DARK_OF,
        "library": "../red.plotly/plotly.min.js",
        "clicks": on_click is not None,
        **(chart_slot(shown) if isinstance(shown, go.Figure) else shown),
    }

    if on_click is None:
        _component()(key=key, data=data, height=height)
        return
    answer = on_click

    def clicked() -> None:
        for click in new_clicks(key, st.session_state[key].clicks):
            answer(click)

    _component()(key=key, data=data, height=height, on_clicks_change=clicked)


def overlay(shown: Sequence[dict[str, Any]] | Mapping[str, Any], *, on: str) -> None:
    """Draw traces above those of the live chart with key `on`.

    shown: the traces, or their `overlay_slot` with the name of the slot that brings more. The chart
    itself is not sent again: it may stand outside of a part that brings its overlay up to date many
    times a second. An overlay goes when it is no longer drawn.
    """
    _declare()
    slot = shown if isinstance(shown, Mapping) else overlay_slot(shown)
    _component()(key=f"{on}-overlay", data={"overlay": on, **slot})
