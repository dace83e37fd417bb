"""What figures with one row an instance share: its values, marks at them, lines between two."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pages.ui.charts.cells import Values


def one_a_row(name: str, values: ArrayLike, count: int) -> Values:
    """The values as an array [count]; ValueError with the name where they are not so many."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (count,):
        raise ValueError(f"{name} must have {count} values, not {list(array.shape)}")
    return array


def row_lines(
    rows: Values, low: Values, high: Values, line: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """A trace with a line from low to high in every row that has both."""
    there = np.isfinite(low) & np.isfinite(high)
    gap = np.full(int(there.sum()), np.nan)
    return {
        "type": "scatter",
        "x": np.stack((low[there], high[there], gap), 1).ravel(),
        "y": np.repeat(rows[there], 3).astype(np.float32),
        "mode": "lines",
        "line": line,
        **more,
    }


def row_marks(
    rows: Values, values: Values, symbol: str, colour: str, size: float, **more: Any
) -> dict[str, Any]:
    """A trace with a mark at the value of every row that has one."""
    there = np.isfinite(values)
    return {
        "type": "scatter",
        "x": values[there],
        "y": rows[there].astype(np.float32),
        "mode": "markers",
        "marker": {
            "color": colour,
            "symbol": symbol,
            "size": size,
            "line": {"width": 1.5, "color": colour},
        },
        "cliponaxis": False,
        **more,
    }
