"""The studies in the place of acts 1 to 3: a chart that fills part by part, and what it shows."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from pages.ui.charts.examples_chart import Stated, examples_figure
from pages.ui.charts.expansiveness import expansiveness_figure
from pages.ui.error_bound import error_bound_headlines as words
from pages.ui.error_bound import error_bound_help_texts as texts
from pages.ui.error_bound.error_bound_presets import EXAMPLE_TITLES, models_of
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest
from pages.ui.error_bound.error_bound_transport import study_transport
from pages.ui.error_bound.number_tables import html_table, short
from pages.ui.error_bound.study import StudyView
from pages.ui.look.literal import literal
from pages.ui.widgets.live_part import LivePart
from red_core.measure.studies import EXAMPLES, Row
from red_core.theory.growth import PowerLaw, power_law

_NAMES = {"figure1": "Figure 1", "figure3": "Figure 3", "examples": "Section 5.1 and B.5"}
_HEIGHT = 400  # px

Live = LivePart[StudyView | None]


def study(live: Live, current: ErrorBoundRequest) -> None:
    """Draw the study."""
    names = tuple(part.name for part in models_of(current))
    live.banner("2", _NAMES[current.show], lambda view: _headline(current.show, names, view))
    study_transport(current, live.seen)
    if live.seen is not None and live.seen.error:
        st.error(literal(live.seen.error))
    if current.show == "examples":
        _examples(live)
    else:
        _over_m(live, names)
    st.caption(texts.PAPER_LEAVES_OPEN)
    st.caption(texts.SUCCESS)
    with st.expander("What am I seeing?", expanded=False):
        st.markdown(texts.STUDY[current.show])


def _headline(show: str, names: tuple[str, ...], view: StudyView | None) -> str:
    if view is None:
        return "Not run yet. Press Run."
    if len(view.rows) == len(names):
        return words.study_finding(show, list(view.rows))
    return words.study_headline(show, view.state, view.place, len(view.rows), names, view.k)


def _rows(view: StudyView | None) -> tuple[Row, ...]:
    return () if view is None else view.rows


def _over_m(live: Live, names: tuple[str, ...]) -> None:
    sizes = [int(name) for name in names]

    def law_of(rows: tuple[Row, ...]) -> PowerLaw | None:
        done = len(rows) == len(sizes)
        return power_law(sizes, [row["mu_mean"] for row in rows]) if done else None

    def figure(view: StudyView | None) -> go.Figure:
        rows = _rows(view)
        law = law_of(rows)
        means, deviations, rates = (
            [row[key] for row in rows] for key in ("mu_mean", "mu_std", "success_rate")
        )
        fitted = [] if law is None else [law(m) for m in sizes]
        return expansiveness_figure(sizes, means, deviations, rates, fitted)

    def trend(view: StudyView | None) -> str:
        rows = _rows(view)
        if len(rows) < len(sizes):
            return "The paper draws μ rising with m. Ours comes with the run."
        return words.trend(sizes, [row["mu_mean"] for row in rows], law_of(rows))

    def table(view: StudyView | None) -> str:
        rows = _rows(view)
        padded = [*rows, *[None] * (len(sizes) - len(rows))]
        return html_table(
            ("m", "mean μ", "± std", "smallest μ", "arrived", "steps, median"),
            [_cells(str(m), row) for m, row in zip(sizes, padded, strict=True)],
            "numbers",
        )

    live.chart("error-bound-expansiveness", figure, height=_HEIGHT)
    live.words("error-bound-trend", trend, bold=True)
    live.html("error-bound-rows", table)


def _examples(live: Live) -> None:
    def stated_of(view: StudyView | None) -> list[Stated]:
        rows, stated = _rows(view), []
        for place, (name, example) in enumerate(EXAMPLES.items()):
            row = rows[place] if place < len(rows) else {}
            assert example.paper_mu is not None
            stated.append(
                Stated(
                    EXAMPLE_TITLES[name],
                    example.paper_mu,
                    row.get("mu_mean"),
                    row.get("success_rate"),
                )
            )
        return stated

    def table(view: StudyView | None) -> str:
        rows, stated = _rows(view), stated_of(view)
        padded = [*rows, *[None] * (len(stated) - len(rows))]
        return html_table(
            ("", "paper's μ", "mean μ", "± std", "smallest μ", "arrived", "steps, median"),
            [
                [one.name, f"{one.paper:g}", *_cells("", row)[1:]]
                for one, row in zip(stated, padded, strict=True)
            ],
            "numbers",
        )

    live.chart(
        "error-bound-examples", lambda view: examples_figure(stated_of(view)), height=_HEIGHT - 80
    )
    live.html("error-bound-rows", table)


def _cells(name: str, row: Row | None) -> list[str]:
    if row is None:
        return [name, "–", "–", "–", "–", "–"]
    steps = row["median_steps"]
    return [
        name,
        short(row["mu_mean"]),
        short(row["mu_std"]),
        short(row["mu_min"]),
        f"{row['success_rate']:.0%}",
        "–" if steps is None else f"{steps:,.0f}",
    ]
