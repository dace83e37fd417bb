"""Log axes that stay where they are: values they can show, whole decades, a few ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pages.ui.charts.cells import Values
from pages.ui.look import theme

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def positive(values: Sequence[float | None] | Values) -> Values:
    """What a log axis can show; the rest (None, NaN, zero and below) is NaN, a gap in the line."""
    array = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    return np.where(np.isfinite(array) & (array > 0), array, math.nan)


def decades(values: Values, least: tuple[int, int]) -> tuple[int, int]:
    """Whole decades around the values and `least`: the axis moves rarely, and never by a little."""
    shown = values[np.isfinite(values)]
    if not shown.size:
        return least
    low, high = np.log10([shown.min(), shown.max()])
    return min(least[0], math.floor(low)), max(least[1], math.ceil(high))


def power(exponent: int) -> str:
    """10 to a whole exponent, as it is written: "10⁻³"."""
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def log_axis(low: int, high: int, **values: Any) -> dict[str, Any]:
    """A log axis from 10^low to 10^high with at most five ticks, at whole decades."""
    step = max(1, math.ceil((high - low) / 4))
    ticks = list(range(low, high + 1, step))
    return theme.axis(
        type="log",
        range=[low, high],
        tickmode="array",
        tickvals=[10.0**tick for tick in ticks],
        ticktext=[power(tick) for tick in ticks],
        **values,
    )
