"""The studies in the place of acts 1 to 3: a chart that fills part by part, and what it shows."""

from __future__ import annotations

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
from pages.ui.widgets.live_chart import live_chart
from red_core.measure.studies import EXAMPLES, Row
from red_core.theory.growth import power_law

_NAMES = {"figure1": "Figure 1", "figure3": "Figure 3", "examples": "Section 5.1 and B.5"}
_HEIGHT = 400  # px


def study(current: ErrorBoundRequest, view: StudyView | None) -> None:
    """Draw the study for one moment of its run, or for none."""
    names = tuple(part.name for part in models_of(current)) if view is None else view.names
    if view is None:
        said = "Not run yet. Press Run."
    elif len(view.rows) == len(names):
        said = words.study_finding(current.show, list(view.rows))
    else:
        said = words.study_headline(
            current.show, view.state, view.place, len(view.rows), names, view.k
        )
    with st.container(key="headline-2"):
        st.caption(_NAMES[current.show])
        st.header(said, anchor=False)
    study_transport(current, view)
    if view is not None and view.error:
        st.error(literal(view.error))
    rows = () if view is None else view.rows
    if current.show == "examples":
        _examples(rows)
    else:
        _over_m(current, names, rows)
    st.caption(texts.PAPER_LEAVES_OPEN)
    st.caption(texts.SUCCESS)
    with st.expander("What am I seeing?", expanded=False):
        st.markdown(texts.STUDY[current.show])


def _over_m(current: ErrorBoundRequest, names: tuple[str, ...], rows: tuple[Row, ...]) -> None:
    sizes = [int(name) for name in names]
    law = None
    if len(rows) == len(sizes):
        law = power_law(sizes, [row["mu_mean"] for row in rows])
    means, deviations, rates = (
        [row[key] for row in rows] for key in ("mu_mean", "mu_std", "success_rate")
    )
    fitted = [] if law is None else [law(m) for m in sizes]
    figure = expansiveness_figure(sizes, means, deviations, rates, fitted)
    live_chart(figure, key="error-bound-expansiveness", height=_HEIGHT)
    if len(rows) == len(sizes):
        st.markdown(words.trend(sizes, [row["mu_mean"] for row in rows], law))
    else:
        st.markdown("The paper draws μ rising with m. Ours comes with the run.")
    padded = [*rows, *[None] * (len(sizes) - len(rows))]
    st.html(
        html_table(
            ("m", "mean μ", "± std", "smallest μ", "arrived", "steps, median"),
            [_cells(str(m), row) for m, row in zip(sizes, padded, strict=True)],
            "numbers",
        )
    )


def _examples(rows: tuple[Row, ...]) -> None:
    stated = []
    for place, (name, example) in enumerate(EXAMPLES.items()):
        row = rows[place] if place < len(rows) else {}
        assert example.paper_mu is not None
        stated.append(
            Stated(
                EXAMPLE_TITLES[name], example.paper_mu, row.get("mu_mean"), row.get("success_rate")
            )
        )
    live_chart(examples_figure(stated), key="error-bound-examples", height=_HEIGHT - 80)
    padded = [*rows, *[None] * (len(stated) - len(rows))]
    st.html(
        html_table(
            ("", "paper's μ", "mean μ", "± std", "smallest μ", "arrived", "steps, median"),
            [
                [one.name, f"{one.paper:g}", *_cells("", row)[1:]]
                for one, row in zip(stated, padded, strict=True)
            ],
            "numbers",
        )
    )


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
