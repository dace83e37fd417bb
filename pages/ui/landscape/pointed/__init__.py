"""Pictures in a row, the first G(z) of whatever is pointed at: a small Components v2 component.

The pictures travel once, in two sheets: one of the slice's grid, one of the path. Which of them is
shown follows the pointer in the browser alone (`red-hover` of live_chart/pointer.js), so nothing
waits for the server.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import streamlit as st

from pages.ui.landscape.picture_sheets import PictureSheet
from pages.ui.widgets.picture_row import RowPicture

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "red_pointed",
    html='<div class="row"></div>',
    css=(_HERE / "pointed.css").read_text(encoding="utf-8"),
    js=(_HERE / "pointed.js").read_text(encoding="utf-8"),
)


def pointed(
    *,
    charts: Sequence[str],
    grid: PictureSheet | None,
    bounds: tuple[float, float, float, float],
    frames: PictureSheet | None,
    ks: Sequence[int],
    shown: int,
    beside: Sequence[RowPicture],
    key: str,
) -> None:
    """The picture under the pointer, or the path's at position `shown` where nothing is pointed at.

    charts: the live charts that are listened to; grid: pictures over `bounds` (left, right, low,
    high); frames: those of the path, one for each of `ks`; beside: pictures that stand next to it.
    """
    with st.container(key="overlays-pointed"):
        # Large, and the same for every iterate looked at: in a message of their own they are sent
        # once, and after that only their name.
        _mount(
            key=f"{key}-sheets",
            data={
                "of": key,
                "grid": None if grid is None else asdict(grid),
                "bounds": list(bounds),
                "frames": None if frames is None else asdict(frames),
                "ks": list(ks),
            },
        )
    _mount(
        key=key,
        data={
            "name": key,
            "charts": list(charts),
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
        },
    )
