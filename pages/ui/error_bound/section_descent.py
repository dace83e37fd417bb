"""Act 2, the descent: distances, mu, what is minimised, and a histogram, as they come."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.ui.charts.bound import bound_figure
from pages.ui.charts.convergence import convergence_figure
from pages.ui.charts.histogram import mu_histogram
from pages.ui.error_bound import error_bound_headlines as words
from pages.ui.error_bound import error_bound_help_texts as texts
from pages.ui.error_bound.error_bound_presets import paper_mu
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest
from pages.ui.error_bound.error_bound_transport import position_at, transport
from pages.ui.error_bound.run import ErrorBoundView
from pages.ui.error_bound.view_model import (
    distance_bounds,
    floor_of,
    has_kernel,
    mean_mu,
    progress_of,
    until_arrival,
    value_lines,
)
from pages.ui.look.literal import literal
from pages.ui.look.theme import LIGHT
from pages.ui.widgets.live_part import LivePart
from red_core.synthetic import Instances

_TALL, _LOW = 280, 230  # px

Live = LivePart[ErrorBoundView | None]


def descent(live: Live, current: ErrorBoundRequest, instances: Instances) -> None:
    """Draw the act."""
    place_of = position_at()
    live.banner(
        "2",
        "Act 2 · The descent",
        lambda view: words.descent_headline(progress_of(view, place_of(view), len(instances))),
    )
    transport(live, current)
    view = live.seen
    if view is not None and view.error:
        st.error(literal(view.error))
    stated, proximal = paper_mu(current), current.method == "proximal"

    def with_cursor(
        draw: Callable[[ErrorBoundView | None], go.Figure],
    ) -> Callable[[ErrorBoundView | None], go.Figure]:
        return lambda view: _with_cursor(draw(view), view, place_of(view))

    left, right = st.columns(2, gap="medium")
    with left:
        live.chart(
            "error-bound-distance",
            with_cursor(lambda view: _distance(instances, view)),
            height=_TALL,
        )
        live.chart(
            "error-bound-value", with_cursor(lambda view: _value(proximal, view)), height=_LOW
        )
    with right:
        live.chart(
            "error-bound-mu",
            with_cursor(lambda view: _mu(current, instances, view)),
            height=_TALL,
        )
        live.chart(
            "error-bound-histogram", lambda view: _histogram(view, place_of(view)), height=_LOW
        )
    if stated is not None:
        with st.container(key="error-bound-stated"):
            live.words("error-bound-ours", lambda view: _said(stated, view), bold=True)
            st.caption(texts.PAPER_LEAVES_OPEN)
    st.caption(texts.SUCCESS_PROXIMAL if proximal else texts.SUCCESS)
    with st.expander("What am I seeing?"):
        st.markdown(texts.ACT_2)


def _said(stated: tuple[str, float], view: ErrorBoundView | None) -> str:
    """The paper's value beside ours."""
    ours = least = rate = None
    if view is not None and view.ended and view.path is not None and view.mu_least is not None:
        ours, least = mean_mu(view), float(view.mu_least.min())
        rate = float(view.path.success.double().mean())
    return words.comparison(*stated, ours, least, rate)


def _distance(instances: Instances, view: ErrorBoundView | None) -> go.Figure:
    """||(dz, dc_a)|| of every instance beside what is promised."""
    if view is None or view.path is None:
        return convergence_figure([], np.empty((0, 1)), "distance", level_at=1e-5)
    path = view.path
    parts = []
    if instances.k and path.method != "inversion":
        parts = [("‖Δz‖", path.distance_z.numpy()), ("‖Δc_a‖", path.distance_row.numpy())]
    return convergence_figure(
        path.k.tolist(),
        path.distance.numpy(),
        "distance",
        bounds=distance_bounds(instances, view) if view.ended else (),
        level_at=path.tolerance,
        parts=parts,
    )


def _mu(current: ErrorBoundRequest, instances: Instances, view: ErrorBoundView | None) -> go.Figure:
    """mu along every path, its smallest value and its floor."""
    floor = floor_of(instances, None) if current.method == "inversion" else None
    stated = paper_mu(current)
    paper = None if stated is None else stated[1]
    if view is None or view.path is None:
        return bound_figure([], np.empty((0, 1)), floor=floor, paper=paper)
    path = view.path
    rows = None
    if has_kernel(instances) and path.method != "inversion":
        rows = until_arrival(path, path.mu_row)
    mu = until_arrival(path, path.mu)
    return bound_figure(path.k.tolist(), mu, mu_row=rows, floor=floor, paper=paper)


def _value(proximal: bool, view: ErrorBoundView | None) -> go.Figure:
    """f, or L - L*."""
    name = "L − L*" if proximal else "f"
    if view is None or view.path is None:
        return convergence_figure([], np.empty((0, 1)), name)
    values, bounds = value_lines(view)
    return convergence_figure(
        view.path.k.tolist(), values, name, bounds=bounds if view.ended else (), deepest=-14
    )


def _histogram(view: ErrorBoundView | None, place: int | None) -> go.Figure:
    """All mu until arrival, and those at the step looked at."""
    if view is None or view.path is None or place is None:
        return mu_histogram([])
    mu = until_arrival(view.path, view.path.mu_row)
    return mu_histogram(mu, mu[place], mean_mu(view))


def _with_cursor(figure: go.Figure, view: ErrorBoundView | None, place: int | None) -> go.Figure:
    """A line at the iterate looked at, once the run stands still."""
    if view is None or view.path is None or place is None or view.state == "running":
        return figure
    k = int(view.path.k[place])
    figure.add_shape(
        type="line", x0=k, x1=k, y0=0, y1=1, yref="paper",
        line={"color": LIGHT.accent, "width": 1.5},
    )  # fmt: skip
    return figure
