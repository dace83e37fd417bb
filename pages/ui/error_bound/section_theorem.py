"""Act 3, the theorem: does it apply, what does it promise, and how tight is it?"""

from __future__ import annotations

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
from pages.ui.look.page_style import headline
from pages.ui.widgets.live_chart import live_chart
from red_core.synthetic import Instances

_HEIGHT = 250  # px


def theorem(current: ErrorBoundRequest, instances: Instances, view: ErrorBoundView | None) -> None:
    """Draw the act for one moment of a run, or for none."""
    found = outcome_of(instances, view)
    ended = view is not None and view.ended and not view.error
    headline(3, "The theorem", words.theorem_headline(found, ended))
    left, right = st.columns(2, gap="medium")
    count = len(instances)
    with left:
        live_chart(
            interval_figure(step_sizes_of(view, count), count),
            key="error-bound-interval",
            height=_HEIGHT,
        )
    with right:
        live_chart(
            rates_figure(rates_of(view, count), count), key="error-bound-rates", height=_HEIGHT
        )
    with st.container(key="error-bound-said"):
        for sentence in words.theorem_sentences(found):
            st.markdown(sentence)
    if current.method != "proximal":
        _proof(instances, view)
    _tables(current, view)
    with st.expander("What am I seeing?"):
        st.markdown(texts.ACT_3)


def _proof(instances: Instances, view: ErrorBoundView | None) -> None:
    """What the theorem rests on, along the path, and what its promise depends on."""
    left, right = st.columns(2, gap="medium")
    found, around = cocoercivity_of(instances, view), dependence_of(view)
    with left:
        st.caption("**Lemma 9**, inequality (14), over the squared distance", help=texts.LEMMA_9)
        ks, sides = ([], None) if found is None else (found[0].tolist(), found[1])
        nothing = torch.empty(0, len(instances))
        both = (nothing, nothing) if sides is None else (sides.left, sides.right)
        live_chart(
            cocoercivity_figure(ks, *(side.numpy() for side in both)),
            key="error-bound-lemma-9",
            height=_HEIGHT,
        )
        with st.container(key="error-bound-lemma-9-said"):
            st.caption(words.cocoercivity_line(sides))
    with right:
        st.caption("**The rate** if one constant changed", help=texts.DEPENDENCE)
        live_chart(rate_panels(around), key="error-bound-dependence", height=_HEIGHT)
        with st.container(key="error-bound-dependence-said"):
            st.caption(words.dependence_line(around))


def _tables(current: ErrorBoundRequest, view: ErrorBoundView | None) -> None:
    left, right = st.columns(2, gap="medium")
    findings = None if view is None else view.findings
    with left:
        st.caption("**The constants**, over the instances", help=texts.CONSTANTS)
        st.html(constants_table(findings))
        st.caption(texts.SAMPLED_PROXIMAL if current.method == "proximal" else texts.SAMPLED)
    with right:
        st.caption("**Lemma 14**, at the recorded steps", help=texts.LEMMA)
        st.html(lemma_table(None if view is None else view.lemma))
        st.caption(words.lemma_line(None if view is None else view.lemma))
        st.caption("**The Weight Distribution Condition** (Definition 12)", help=texts.WDC)
        done = view is not None and view.phase == "done"
        with st.container(key="error-bound-wdc"):
            st.markdown(words.wdc_line(None if view is None else view.wdc, done))
