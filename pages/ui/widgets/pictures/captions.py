"""Captions: lines of text as indices of a montage's palette."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pages.ui.widgets.pictures.palette import CLEAR, INK, OWN
from pages.ui.widgets.pictures.pixels import Pixels

_SMALLEST = 9  # pixels


@lru_cache(maxsize=4096)
def written(text: str, size: int) -> Pixels:
    """A line of text as indices of the palette, on clear background, [height, width]."""
    font = ImageFont.load_default(size)
    left, _, right, bottom = font.getbbox(text)
    top = font.getbbox("0")[1]  # the line begins where its figures do: every row counts
    canvas = Image.new("L", (max(1, int(right - left)), max(1, int(bottom - top))))
    ImageDraw.Draw(canvas).text((-left, -top), text, fill=255, font=font)
    coverage = np.asarray(canvas, dtype=np.uint16)
    index = (OWN + (coverage * (INK - 1) + 127) // 255).astype(np.uint8)
    index[coverage == 0] = CLEAR
    return index


def size_of_writing(captions: Sequence[str], scale: int, width: int) -> int:
    """The size at which every caption fits into `width` pixels, for frames enlarged by `scale`."""
    longest = max(captions, key=len, default="")
    size = max(_SMALLEST, 5 * scale if scale <= 4 else 14 + 3 * scale // 2)
    while size > _SMALLEST and ImageFont.load_default(size).getlength(longest) > width:
        size -= 1
    return size
