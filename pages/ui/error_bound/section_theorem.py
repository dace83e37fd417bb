"""Act 3, the theorem: does it apply, what does it promise, and how tight is it?"""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st
import torch

from pages.ui.charts.cocoercivity import cocoercivity_figure
from pages.ui.charts.interval import interval_figure
from pages.ui.charts.rate_panels import rate_panels
from pages.ui.charts.rates import rates_figure
from pages.ui.error_bound import error_bound_headlines as words
from pages.ui.error_bound import error_bound_help_texts as texts
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest
from pages.ui.error_bound.number_tables import constants_table, lemma_table
from pages.ui.error_bound.run import ErrorBoundView
from pages.ui.error_bound.view_model import (
    cocoercivity_of,
    dependence_of,
    outcome_of,
    rates_of,
    step_sizes_of,
)
from pages.ui.widgets.live_part import LivePart
from red_core.synthetic import Instances

_HEIGHT = 250  # px

Live = LivePart[ErrorBoundView | None]


def theorem(live: Live, current: ErrorBoundRequest, instances: Instances) -> None:
    """Draw the act."""
    live.banner("3", "Act 3 · The theorem", lambda view: _headline(instances, view))
    left, right = st.columns(2, gap="medium")
    count = len(instances)
    with left:
        live.chart(
            "error-bound-interval",
            lambda view: interval_figure(step_sizes_of(view, count), count),
            height=_HEIGHT,
        )
    with right:
        live.chart(
            "error-bound-rates",
            lambda view: rates_figure(rates_of(view, count), count),
            height=_HEIGHT,
        )
    live.words(
        "error-bound-said",
        lambda view: words.theorem_sentences(outcome_of(instances, view)),
        bold=True,
    )
    if current.method != "proximal":
        _proof(live, instances)
    _tables(live, current)
    with st.expander("What am I seeing?"):
        st.markdown(texts.ACT_3)


def _headline(instances: Instances, view: ErrorBoundView | None) -> str:
    ended = view is not None and view.ended and not view.error
    return words.theorem_headline(outcome_of(instances, view), ended)


def _proof(live: Live, instances: Instances) -> None:
    """What the theorem rests on, along the path, and what its promise depends on."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.caption("**Lemma 9**, inequality (14), over the squared distance", help=texts.LEMMA_9)
        live.chart(
            "error-bound-lemma-9", lambda view: _cocoercivity(instances, view), height=_HEIGHT
        )
        live.words("error-bound-lemma-9-said", lambda view: _lemma_9(instances, view), "small")
    with right:
        st.caption("**The rate** if one constant changed", help=texts.DEPENDENCE)
        live.chart(
            "error-bound-dependence",
            lambda view: rate_panels(dependence_of(view)),
            height=_HEIGHT,
        )
        live.words(
            "error-bound-dependence-said",
            lambda view: words.dependence_line(dependence_of(view)),
            "small",
        )


def _cocoercivity(instances: Instances, view: ErrorBoundView | None) -> go.Figure:
    found = cocoercivity_of(instances, view)
    nothing = torch.empty(0, len(instances)).numpy()
    if found is None:
        return cocoercivity_figure([], nothing, nothing)
    ks, sides = found
    return cocoercivity_figure(ks.tolist(), sides.left.numpy(), sides.right.numpy())


def _lemma_9(instances: Instances, view: ErrorBoundView | None) -> str:
    found = cocoercivity_of(instances, view)
    return words.cocoercivity_line(None if found is None else found[1])


def _tables(live: Live, current: ErrorBoundRequest) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.caption("**The constants**, over the instances", help=texts.CONSTANTS)
        live.html(
            "error-bound-constants",
            lambda view: constants_table(None if view is None else view.findings),
        )
        st.caption(texts.SAMPLED_PROXIMAL if current.method == "proximal" else texts.SAMPLED)
    with right:
        st.caption("**Lemma 14**, at the recorded steps", help=texts.LEMMA)
        live.html(
            "error-bound-lemma", lambda view: lemma_table(None if view is None else view.lemma)
        )
        live.words(
            "error-bound-lemma-said",
            lambda view: words.lemma_line(None if view is None else view.lemma),
            "small",
        )
        st.caption("**The Weight Distribution Condition** (Definition 12)", help=texts.WDC)
        live.words("error-bound-wdc", _wdc, bold=True)


def _wdc(view: ErrorBoundView | None) -> str:
    if view is None:
        return words.wdc_line(None, False)
    return words.wdc_line(view.wdc, view.phase == "done")
