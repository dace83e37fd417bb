"""A canvas to draw on: a small Components v2 component."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

SIDE = 112  # pixels of the canvas, as drawing.js has it
_HERE = Path(__file__).parent
_HTML = f"""
<canvas width="{SIDE}" height="{SIDE}"></canvas>
<div class="tools">
  <button type="button" class="undo">Undo stroke</button>
  <button type="button" class="clear">Clear</button>
</div>
"""

_mount = st.components.v2.component(
    "red_drawing",
    html=_HTML,
    css=(_HERE / "drawing.css").read_text(encoding="utf-8"),
    js=(_HERE / "drawing.js").read_text(encoding="utf-8"),
)


def drawing(label: str, pen: int, *, key: str) -> NDArray[np.uint8] | None:
    """The canvas; returns its ink [112, 112], 0 to 255, or None while nothing is drawn.

    label: what is to be drawn, for those who do not see it; pen: the width of new strokes.
    """
    state = _mount(
        key=key,
        data={"label": label, "pen": pen},
        default={"ink": ""},
        on_ink_change=lambda: None,
    )
    return decode_ink(state.ink)


def decode_ink(text: object) -> NDArray[np.uint8] | None:
    """Ink from the browser's base64; None for an empty canvas and for anything malformed."""
    if not isinstance(text, str) or not text or len(text) > 2 * SIDE * SIDE:
        return None
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != SIDE * SIDE:
        return None
    return np.frombuffer(raw, np.uint8).reshape(SIDE, SIDE)
