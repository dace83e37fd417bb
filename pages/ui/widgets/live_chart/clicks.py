"""Clicks on a live chart: what the browser says of them, validated, and each taken once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import streamlit as st

_TEXT = 200  # characters of a trace's name that are read


@dataclass(frozen=True)
class Click:
    """A click on a point of a trace.

    x, y: the point's data coordinates; on a contour or heat map, those of the pointer. at: the
    pointer's own data coordinates (in a 3-D scene the point's); trace: the trace's name; curve:
    its place in the figure; customdata: the point's, plain values.
    """

    x: float
    y: float
    at: tuple[float, float]
    trace: str
    curve: int
    customdata: Any = None


def new_clicks(key: str, sent: object) -> list[Click]:
    """Those of the clicks that the browser sent for the chart `key` which were not taken yet.

    A browser sends each click with the few before it, numbered from 1 on every mounted chart.
    """
    if not isinstance(sent, dict) or not isinstance(sent.get("clicks"), list):
        return []
    state = st.session_state
    mount, taken = state.get(f"{key}.taken", ("", 0))
    if sent.get("mount") != mount:
        mount, taken = sent.get("mount"), 0
    found = []
    for entry in sent["clicks"]:
        number = entry.get("number") if isinstance(entry, dict) else None
        if not isinstance(number, int) or number <= taken:
            continue
        taken = number
        click = _read(entry)
        if click is not None:
            found.append(click)
    state[f"{key}.taken"] = (mount, taken)
    return found


def _read(entry: dict[str, Any]) -> Click | None:
    """One click, or None where the browser's word makes no sense."""
    try:
        x, y = float(entry["x"]), float(entry["y"])
        left, right = map(float, entry["at"])
        curve = int(entry["curve"])
        name = str(entry["trace"])[:_TEXT]
    except (KeyError, TypeError, ValueError):
        return None
    if not all(map(math.isfinite, (x, y, left, right))):
        return None
    return Click(x, y, (left, right), name, curve, entry.get("customdata"))
