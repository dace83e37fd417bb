"""What a theorem promises of every step beside what was observed: how tight it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui.charts.cells import Values
from pages.ui.charts.logs import decades, log_axis, positive
from pages.ui.charts.rows import one_a_row, row_lines, row_marks
from pages.ui.look import theme


@dataclass(frozen=True)
class Rates:
    """Factors of one step, each [I]; NaN, or 1 and more, where nothing is promised.

    promised: by the theorem; sharper: by its proof; worst, mean: observed.
    """

    promised: ArrayLike
    sharper: ArrayLike
    worst: ArrayLike
    mean: ArrayLike


def rates_figure(rates: Rates | None, count: int) -> go.Figure:
    """A row for each of `count` instances over the progress a step, 1 - factor, on a log axis.

    A promise holds where its square lies left of the filled dot. None draws the empty axis.
    Raises ValueError where a field has not `count` values.
    """
    colours = theme.LIGHT
    series = (
        ("promised", "■", "square", colours.certificate, "promised"),
        ("sharper", "□", "square-open", colours.certificate, "by its proof"),
        ("worst", "●", "circle", colours.signal, "worst seen"),
        ("mean", "○", "circle-open", colours.signal, "mean seen"),
    )
    traces: list[dict[str, Any]] = []
    ends = decades(np.array([]), (-3, 0))
    if rates is not None:
        found = {
            name: positive(1 - one_a_row(name, getattr(rates, name), count)) for name, *_ in series
        }
        ends = decades(np.concatenate(list(found.values())), (-3, 0))
        size = max(3.5, min(9.0, 110 / count))
        rows = np.arange(count, dtype=np.float64)
        # From the promise to what was observed: the theorem's caution.
        thin = {"color": colours.grid, "width": 2}
        traces = [row_lines(rows, found["promised"], found["worst"], thin, hoverinfo="skip")]
        traces += [
            row_marks(
                rows,
                found[name],
                symbol,
                colour,
                size,
                hovertext=_told(label, found[name]),
                hoverinfo="text",
            )
            for name, _, symbol, colour, label in series
        ]
    layout = theme.layout(
        margin={"l": 48, "r": 16, "t": 30, "b": 38, "pad": 0},
        xaxis=log_axis(*ends, title=theme.title("progress a step, 1 − factor")),
        yaxis=theme.axis(
            range=[count - 0.4, -0.6],
            tickmode="array",
            tickvals=[],
            title=theme.title("instances"),
            showgrid=False,
            fixedrange=True,
        ),
        annotations=[theme.key([(sign, colour, label) for _, sign, _, colour, label in series])],
        hovermode="closest",
    )
    return theme.figure(traces, layout)


def _told(label: str, progress: Values) -> Sequence[str]:
    """A text for each mark."""
    factors = 1 - progress[np.isfinite(progress)]
    return [f"{label}: × {factor:.6g} a step" for factor in factors]
