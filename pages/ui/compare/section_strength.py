"""The first part of the page: at which strength of the attack each method breaks."""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go
import streamlit as st

from pages.ui.charts.compare_strip import strip_figure, strip_height
from pages.ui.compare import compare_headlines as words
from pages.ui.compare import compare_help_texts as texts
from pages.ui.compare.attempt import Attempt
from pages.ui.compare.compare_page_state import PAGE, load_request
from pages.ui.compare.compare_registry import compare_registry
from pages.ui.compare.compare_request import CompareRequest, image_of
from pages.ui.compare.outcome import Outcome, outcome_of
from pages.ui.compare.section_methods import runs_of
from pages.ui.compare.strip import row_of
from pages.ui.compare.sweep import FACTORS, SweepView, base, strength
from pages.ui.compare.truth import truth_of
from pages.ui.look.literal import literal
from pages.ui.look.page_style import banner
from pages.ui.undo.run_time import warning
from pages.ui.undo.undo_registry import RunContext
from pages.ui.widgets import pictures
from pages.ui.widgets.live_chart import Click
from pages.ui.widgets.live_part import LivePart
from pages.ui.widgets.transport import begin_button, row, stop_button

_CAPTION = "The strength"


def why_not(current: CompareRequest) -> str:
    """Why this image has no strengths to go through; "" where it has."""
    settings = current.settings
    if settings.attack == "none":
        return texts.NO_SWEEP["none"]
    return texts.NO_SWEEP["realizable"] if settings.source == "realizable" else ""


def strengths(
    current: CompareRequest, context: RunContext, live: LivePart[SweepView | None]
) -> None:
    """Draw the headline, the buttons and the strip."""
    if refused := why_not(current):
        banner("strength", _CAPTION, refused)
        return
    label = truth_of(context.settings, context.example).label
    names = context.parts.bundle.class_names
    name = None if label is None else names[label]
    attack, paper = current.settings.attack_settings(), base(current.settings)
    if live.seen is not None:
        compare_registry().keep_sweep(current, live.seen)

    def rows(view: SweepView | None) -> list[Attempt]:
        known = {} if view is None else {row.key: row for row in view.rows}
        return [known.get(key, Attempt(key)) for key in current.methods]

    def outcomes(view: SweepView | None) -> list[Outcome]:
        return [outcome_of(row, current.settings, label) for row in rows(view)]

    def figure(view: SweepView | None) -> go.Figure:
        found = zip(rows(view), outcomes(view), strict=True)
        return strip_figure(
            FACTORS,
            paper.eps,
            [] if view is None else [pictures.picture(image, 2) for image in view.images],
            [row_of(row, outcome, names) for row, outcome in found],
            None if attack is None else attack.eps / paper.eps,
        )

    def take_over(click: Click) -> None:
        take(current, round(click.x))

    live.banner("strength", _CAPTION, lambda view: words.sweep_headline(view, outcomes(view), name))
    live.words("compare-swept", lambda view: words.sweep_line(outcomes(view), name), "small")
    _buttons(current, context, live.seen, rows(live.seen))
    height = strip_height(len(current.methods))
    live.chart("strip", figure, height=height, on_click=take_over)
    with st.expander("What does the strip show?"):
        st.markdown(texts.STRENGTH_TAUGHT)


def take(current: CompareRequest, place: int) -> None:
    """Take the strength in this place over for the cards; the first is no attack at all."""
    if 0 < place < len(FACTORS):
        load_request(
            replace(
                current, settings=image_of(strength(current.settings, FACTORS[place])), run=False
            )
        )


def _buttons(
    current: CompareRequest, context: RunContext, view: SweepView | None, rows: list[Attempt]
) -> None:
    busy = view is not None and view.busy
    again = bool(rows) and all(row.over for row in rows)
    with row("sweep-transport"):
        begin_button(
            "Sweep", again, shortcut="W", help=texts.SWEEP, key="compare.sweep",
            disabled=busy or not rows, begin=begin_sweep, args=(current,),
        )  # fmt: skip
        stop_button(
            "Stop the sweep", help=texts.STOP, shortcut="X", key="compare.sweep.stop",
            disabled=not busy, stop=_stop, args=(current,),
        )  # fmt: skip
    takes = runs_of(current.settings, [row.key for row in rows if again or not row.over])
    if not busy and (said := warning(context.parts.bundle, takes, len(FACTORS))):
        st.warning(literal(said))


# --- callbacks -------------------------------------------------------------------------------


def begin_sweep(current: CompareRequest, anew: bool = False) -> None:
    """Sweep with the methods that have no row yet, or all anew; the link now repeats it."""
    compare_registry().begin_sweep(current, anew)
    PAGE.change(sweep=True)


def _stop(current: CompareRequest) -> None:
    sweep = compare_registry().sweep(current)
    if sweep is not None:
        sweep.stop()
