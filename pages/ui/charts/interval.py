"""The step sizes that Theorems 3 and 6 admit, on one axis of eta, beside the one that was used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui.charts.cells import Values
from pages.ui.charts.logs import decades, log_axis, positive
from pages.ui.charts.rows import one_a_row, row_lines, row_marks
from pages.ui.look import theme

_INTERVAL, _EPSILON, _USED = "admissible", "1/(4ε)", "η used"


@dataclass(frozen=True)
class StepSizes:
    """One value an instance, each [I]; NaN or infinite where there is none.

    eta: used; low, high: the ends of the admissible interval; rho_limit = 3/(2 rho), or what
    rho_name says instead; epsilon_limit = 1/(4 epsilon).
    """

    eta: ArrayLike
    low: ArrayLike
    high: ArrayLike
    rho_limit: ArrayLike
    epsilon_limit: ArrayLike
    rho_name: str = "3/(2ρ)"


def interval_figure(steps: StepSizes | None, count: int) -> go.Figure:
    """A row for each of `count` instances over a log axis of eta; None draws the empty axis.

    A thick bar is the admissible interval; a row without one has no admissible step size. Raises
    ValueError where a field has not `count` values.
    """
    colours = theme.LIGHT
    rho_name = StepSizes.rho_name if steps is None else steps.rho_name
    entries = [
        ("■", colours.certificate, _INTERVAL),
        ("|", colours.text, rho_name),
        ("◇", colours.residual, _EPSILON),
        ("●", colours.accent, _USED),
    ]
    traces: list[dict[str, Any]] = []
    ends = decades(np.array([]), (-3, 1))
    if steps is not None:
        eta, low, high, rho, epsilon = (
            positive(one_a_row(name, getattr(steps, name), count))
            for name in ("eta", "low", "high", "rho_limit", "epsilon_limit")
        )
        # With epsilon = 0 the interval begins at 0, which a log axis has not: it runs off it.
        open_below = np.isfinite(high) & ~np.isfinite(low)
        shown = np.concatenate((eta, low, high, rho))
        far = epsilon[epsilon < 1e3 * np.nanmax(np.append(rho, 1e-300))]
        ends = decades(np.concatenate((shown, far)), (-1, 0))
        low = np.where(open_below, 10.0 ** (ends[0] - 1), low)
        rows = np.arange(count, dtype=np.float64)
        traces = [_bars(rows, low, high, max(2.0, min(9.0, 100 / count)))]
        traces += [
            row_marks(
                rows,
                values,
                symbol,
                colour,
                size,
                hovertemplate=name + " = %{x:.3g}<extra></extra>",
            )
            for values, symbol, colour, name, size in (
                (rho, "line-ns-open", colours.text, rho_name, max(4.0, min(11.0, 130 / count))),
                (epsilon, "diamond-open", colours.residual, _EPSILON, 6),
                (eta, "circle", colours.accent, _USED, max(3.0, min(9.0, 110 / count))),
            )
        ]
    layout = theme.layout(
        margin={"l": 48, "r": 16, "t": 30, "b": 38, "pad": 0},
        xaxis=log_axis(*ends, title=theme.title("step size η")),
        yaxis=theme.axis(
            range=[count - 0.4, -0.6],
            tickmode="array",
            tickvals=[],
            title=theme.title("instances"),
            showgrid=False,
            fixedrange=True,
        ),
        annotations=[theme.key(entries)],
        hovermode="closest",
    )
    return theme.figure(traces, layout)


def _bars(rows: Values, low: Values, high: Values, width: float) -> dict[str, Any]:
    """A thick line from low to high in every row that has both."""
    return row_lines(
        rows,
        low,
        high,
        {"color": theme.LIGHT.certificate, "width": width},
        opacity=0.55,
        hovertemplate="an end of the interval: %{x:.3g}<extra></extra>",
    )
