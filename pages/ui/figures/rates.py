"""What a theorem promises of every step beside what was observed: how tight it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui import theme
from pages.ui.figures.cells import Values
from pages.ui.figures.logs import decades, log_axis, positive


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
        found = {name: _progress(name, getattr(rates, name), count) for name, *_ in series}
        ends = decades(np.concatenate(list(found.values())), (-3, 0))
        size = max(3.5, min(9.0, 110 / count))
        rows = np.arange(count, dtype=np.float64)
        traces = [_span(rows, found["promised"], found["worst"])]
        traces += [
            _marks(rows, found[name], symbol, colour, label, size)
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


def _progress(name: str, factors: ArrayLike, count: int) -> Values:
    array = np.asarray(factors, dtype=np.float64)
    if array.shape != (count,):
        raise ValueError(f"{name} must have {count} values, not {list(array.shape)}")
    return positive(1 - array)


def _span(rows: Values, low: Values, high: Values) -> dict[str, Any]:
    """A thin line from the promise to what was observed: the theorem's caution."""
    there = np.isfinite(low) & np.isfinite(high)
    gap = np.full(int(there.sum()), np.nan)
    return {
        "type": "scatter",
        "x": np.stack((low[there], high[there], gap), 1).ravel(),
        "y": np.repeat(rows[there], 3),
        "mode": "lines",
        "line": {"color": theme.LIGHT.grid, "width": 2},
        "hoverinfo": "skip",
    }


def _marks(
    rows: Values, values: Values, symbol: str, colour: str, label: str, size: float
) -> dict[str, Any]:
    there = np.isfinite(values)
    return {
        "type": "scatter",
        "x": values[there],
        "y": rows[there],
        "mode": "markers",
        "marker": {
            "color": colour,
            "symbol": symbol,
            "size": size,
            "line": {"width": 1.5, "color": colour},
        },
        "cliponaxis": False,
        "hovertext": _told(label, 1 - values[there]),
        "hoverinfo": "text",
    }


def _told(label: str, factors: Values) -> Sequence[str]:
    return [f"{label}: × {factor:.6g} a step" for factor in factors]
