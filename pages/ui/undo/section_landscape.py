"""Act 2's landscape: the run's own slice through the latent space, its point moving over it."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
import torch

from pages.ui.charts.landscape import Relief, Trail, above_figure, above_trails
from pages.ui.landscape import landscape_help_texts as texts
from pages.ui.live.run_view import RunView
from pages.ui.live.slice_plane import SlicePlane
from pages.ui.widgets.live_chart import Click, live_chart

HEIGHT = 390
DRAWN = 160  # points of the trail, at most
NAMES = ("a", "b")
LIMITS = (-1.0, 1.0, -1.0, 1.0)  # before the slice plane is known


def landscape(view: RunView | None, place: int | None, latent: bool = True) -> None:
    """f over the slice with c_a as in the iterate looked at, and the path so far.

    A click on the path looks at that iterate, once the run stands. latent: whether the run has a
    latent space to slice.
    """
    slice_plane = None if view is None else view.slice_plane
    relief, limits, over = None, LIMITS, list[dict[str, Any]]()
    note = "f over a slice through z"
    if view is not None and slice_plane is not None and place is not None:
        bounds = slice_plane.bounds
        limits = bounds.left, bounds.right, bounds.low, bounds.high
        # The latest iterate may not have been located yet; those of the start never are.
        located = [i for i, spot in enumerate(view.spots) if spot is not None]
        seen = max((i for i in located if i <= place), default=located[0])
        surface = slice_plane.surface(view.frames[seen])
        x, y = surface.x.numpy(), surface.y.numpy()
        relief = Relief(x, y, surface.values.double().numpy(), NAMES, log=True, tight=True)
        over = above_trails([trail_of(view, slice_plane, place)])
        note = f"f over a slice through z, with c_a of step {view.frames[seen].k}"
        if not bool(bounds.contains(torch.tensor(view.spots[seen]))):
            note = "the start that leads now lies beyond this window"
    figure = above_figure(relief, names=NAMES, limits=limits, note=note, over=over)
    live_chart(figure, key="landscape", height=HEIGHT, on_click=_look)
    with st.container(key="landscape-line", horizontal=True, gap="small"):
        told = texts.SLICE_PLANE_LATER if slice_plane is None else texts.SLICE_PLANE
        told = told if latent else texts.NO_LATENT
        words = "" if slice_plane is None else f"\n\n{slice_plane.plane.words}"
        st.caption(told, help=f"{texts.SLICE_PLANE_HELP}{words}")
        st.page_link(
            "pages/landscape.py", label="Cut it otherwise", icon=":material/landscape:",
            query_params={"show": "run"}, help=texts.CUT,
            disabled=view is None or not view.ended or not latent,
        )  # fmt: skip


def trail_of(view: RunView, slice_plane: SlicePlane, place: int) -> Trail:
    """The path up to the iterate looked at, thinned, with a gap where another start took over."""
    chosen = [i for i, spot in enumerate(view.spots[: place + 1]) if spot is not None]
    stride = -(-len(chosen) // DRAWN)
    chosen = chosen[: -1 : max(stride, 1)] + chosen[-1:]
    rows: list[tuple[float, float, float, int]] = []
    leader = None
    for i in chosen:
        frame, spot = view.frames[i], view.spots[i]
        assert spot is not None
        if leader is not None and int(frame.leader[0]) != leader:
            rows.append((np.nan, np.nan, np.nan, frame.k))
        leader = int(frame.leader[0])
        rows.append((*spot, float(frame.residual.square().sum()), frame.k))
    x, y, values, ks = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    return Trail(x, y, values, ks.astype(np.int64))


def _look(click: Click) -> None:
    """Look at the iterate of a point of the path."""
    data = click.customdata
    if click.trace == "path" and isinstance(data, list) and data:
        st.session_state["at"] = int(data[0])
