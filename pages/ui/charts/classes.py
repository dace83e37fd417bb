"""The axis of the classes: digits stand upright, names lean, and both keep their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pages.ui.look import theme
from red_core.data.datasets import short_name

_LEAN = -45  # degrees
_WIDE = 6.3  # pixels of a letter of size 12, on average


def class_axis(names: Sequence[str], **values: Any) -> dict[str, Any]:
    """The axis of `names` at 0, 1, ...; `values` are Plotly's own and win.

    Names that speak for themselves need no title.
    """
    titled = {} if _lean(names) else {"title": theme.title("class")}
    return theme.axis(
        **{
            "tickmode": "array",
            "tickvals": list(range(len(names))),
            "ticktext": [short_name(name) for name in names],
            "tickangle": _LEAN if _lean(names) else 0,
            "showgrid": False,
            "fixedrange": True,
            **titled,
            **values,
        }
    )


def said(name: str) -> str:
    """A class within a line of small writing: "class 7", "boot"."""
    return f"class {name}" if len(name) <= 2 else short_name(name)


def room(names: Sequence[str], upright: int = 40) -> int:
    """Pixels below a chart for the names; upright: what single characters need."""
    if not _lean(names):
        return upright
    longest = max(len(short_name(name)) for name in names)
    return max(upright, round(0.71 * _WIDE * longest + 16))


def _lean(names: Sequence[str]) -> bool:
    return any(len(name) > 2 for name in names)
