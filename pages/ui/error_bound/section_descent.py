"""Act 2, the descent: distances, mu, what is minimised, and a histogram, as they come."""

from __future__ import annotations

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
from pages.ui.error_bound.error_bound_transport import position, transport
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
from pages.ui.look.page_style import headline
from pages.ui.look.theme import LIGHT
from pages.ui.widgets.live_chart import live_chart
from red_core.synthetic import Instances

_TALL, _LOW = 280, 230  # px


def descent(current: ErrorBoundRequest, instances: Instances, view: ErrorBoundView | None) -> None:
    """Draw the act for one moment of a run, or for none."""
    place = position(view)
    headline(2, "The descent", words.descent_headline(progress_of(view, place, len(instances))))
    transport(current, view)
    if view is not None and view.error:
        st.error(literal(view.error))
    left, right = st.columns(2, gap="medium")
    with left:
        _distance(instances, view, place)
        _value(current, view, place)
    with right:
        _mu(current, instances, view, place)
        _histogram(view, place)
    _said(current, view)
    with st.expander("What am I seeing?"):
        st.markdown(texts.ACT_2)


def _said(current: ErrorBoundRequest, view: ErrorBoundView | None) -> None:
    """The paper's value beside ours, where it states one, and what arriving means."""
    stated = paper_mu(current)
    if stated is not None:
        path = None if view is None else view.path
        ours = least = rate = None
        if view is not None and view.ended and path is not None and view.mu_least is not None:
            ours, least = mean_mu(view), float(view.mu_least.min())
            rate = float(path.success.double().mean())
        with st.container(key="error-bound-stated"):
            st.markdown(words.comparison(*stated, ours, least, rate))
            st.caption(texts.PAPER_LEAVES_OPEN)
    st.caption(texts.SUCCESS if current.method != "proximal" else texts.SUCCESS_PROXIMAL)


def _distance(instances: Instances, view: ErrorBoundView | None, place: int | None) -> None:
    """||(dz, dc_a)|| of every instance beside what is promised."""
    if view is None or view.path is None:
        figure = convergence_figure([], np.empty((0, 1)), "distance", level_at=1e-5)
    else:
        path = view.path
        parts = []
        if instances.k and path.method != "inversion":
            parts = [("‖Δz‖", path.distance_z.numpy()), ("‖Δc_a‖", path.distance_row.numpy())]
        figure = convergence_figure(
            path.k.tolist(),
            path.distance.numpy(),
            "distance",
            bounds=distance_bounds(instances, view) if view.ended else (),
            level_at=path.tolerance,
            parts=parts,
        )
    live_chart(_with_cursor(figure, view, place), key="error-bound-distance", height=_TALL)


def _mu(
    current: ErrorBoundRequest, instances: Instances, view: ErrorBoundView | None, place: int | None
) -> None:
    """mu along every path, its smallest value and its floor."""
    floor = floor_of(instances, None) if current.method == "inversion" else None
    stated = paper_mu(current)
    paper = None if stated is None else stated[1]
    if view is None or view.path is None:
        figure = bound_figure([], np.empty((0, 1)), floor=floor, paper=paper)
    else:
        path = view.path
        rows = None
        if has_kernel(instances) and path.method != "inversion":
            rows = until_arrival(path, path.mu_row)
        mu = until_arrival(path, path.mu)
        figure = bound_figure(path.k.tolist(), mu, mu_row=rows, floor=floor, paper=paper)
    live_chart(_with_cursor(figure, view, place), key="error-bound-mu", height=_TALL)


def _value(current: ErrorBoundRequest, view: ErrorBoundView | None, place: int | None) -> None:
    """f, or L - L*."""
    name = "L − L*" if current.method == "proximal" else "f"
    if view is None or view.path is None:
        figure = convergence_figure([], np.empty((0, 1)), name)
    else:
        values, bounds = value_lines(view)
        figure = convergence_figure(
            view.path.k.tolist(),
            values,
            name,
            bounds=bounds if view.ended else (),
            deepest=-14,
        )
    live_chart(_with_cursor(figure, view, place), key="error-bound-value", height=_LOW)


def _histogram(view: ErrorBoundView | None, place: int | None) -> None:
    """All mu until arrival, and those at the step looked at."""
    if view is None or view.path is None or place is None:
        figure = mu_histogram([])
    else:
        mu = until_arrival(view.path, view.path.mu_row)
        figure = mu_histogram(mu, mu[place], mean_mu(view))
    live_chart(figure, key="error-bound-histogram", height=_LOW)


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
