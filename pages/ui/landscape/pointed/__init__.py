"""Pictures in a row, the first G(z) of whatever is pointed at: a small Components v2 component.

The pictures travel once, in two sheets: one of the slice's grid, one of the path. Which of them is
shown follows the pointer in the browser alone (`red-hover` of live_chart/pointer.js), so nothing
waits for the server.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui.landscape.slice import Sheets
from pages.ui.widgets.picture_row import RowPicture

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "red_pointed",
    html='<div class="row"></div>',
    css=(_HERE / "pointed.css").read_text(encoding="utf-8"),
    js=(_HERE / "pointed.js").read_text(encoding="utf-8"),
)


def sheets_of(sheets: Sheets | None, bounds: tuple[float, float, float, float]) -> dict[str, Any]:
    """The pictures over `bounds` (left, right, low, high), and those of the path."""
    grid = frames = None
    if sheets is not None:
        grid, frames = asdict(sheets.grid), asdict(sheets.frames)
    ks = () if sheets is None else sheets.ks
    return {"grid": grid, "bounds": list(bounds), "frames": frames, "ks": list(ks)}


def pictures_of(shown: int, beside: Sequence[RowPicture]) -> dict[str, Any]:
    """The path's picture where nothing is pointed at, by position; those that stand next to it."""
    return {
        "shown": shown,
        "beside": [
            {
                "source": "data:image/png;base64," + base64.b64encode(still.png).decode(),
                "name": still.name,
                "caption": still.caption,
                "alt": still.alt,
            }
            for still in beside
        ],
    }


def pointed(
    sheets: Mapping[str, Any], pictures: Mapping[str, Any], *, charts: Sequence[str], key: str
) -> None:
    """The picture under the pointer, or the path's where nothing is pointed at.

    sheets, pictures: of `sheets_of` and `pictures_of`, with the names of the slots that bring more;
    charts: the live charts that are listened to.
    """
    with st.container(key="overlays-pointed"):
        # Large, and the same for every iterate looked at: in a message of their own they are sent
        # once, and after that only their name.
        _mount(key=f"{key}-sheets", data={"of": key, **sheets})
    _mount(key=key, data={"name": key, "charts": list(charts), **pictures})
