"""Pictures in a row that change in place, such as x + delta = x': a small Components v2 component.

`st.image` fetches every new picture over HTTP and lets it jump when it arrives; here the picture
travels with the update and is exchanged once it is decoded.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import streamlit as st
from PIL import Image

from pages.ui.look.theme import palette

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "red_stills",
    html='<div class="row"></div>',
    css=(_HERE / "stills.css").read_text(encoding="utf-8"),
    js=(_HERE / "stills.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class RowPicture:
    """One picture: PNG, its name, a caption, what it shows in words, the sign before it."""

    png: bytes
    name: str
    caption: str
    alt: str
    sign: str = ""


def picture_row(
    items: Sequence[RowPicture],
    *,
    key: str,
    side: int = 168,
    aspect: float = 1.0,
    pixelated: bool = True,
) -> None:
    """The pictures in a row, `side` pixels wide or as narrow as the page asks for.

    aspect: width over height; pixelated: whether enlarged pixels keep their edges.
    """
    _mount(
        key=key,
        data={
            "side": side,
            "aspect": aspect,
            "rendering": "pixelated" if pixelated else "auto",
            "items": [
                {
                    "source": "data:image/png;base64," + base64.b64encode(item.png).decode(),
                    "name": item.name,
                    "caption": item.caption,
                    "alt": item.alt,
                    "sign": item.sign,
                }
                for item in items
            ],
        },
    )


@lru_cache(maxsize=2)
def nothing_yet(dark: bool) -> bytes:
    """An empty place, as PNG of one pixel: what is not known yet is drawn empty, not absent."""
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1), palette(dark).surface).save(buffer, "PNG")
    return buffer.getvalue()
