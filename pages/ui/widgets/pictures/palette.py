"""The colours of a montage: of its frames, its writing and its background.

A picture in few colours has 200 of its own; the writing uses the theme's text colour at 50
opacities, so that a montage lies on any background.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pages.ui.look import theme
from pages.ui.widgets.pictures.pixels import Pixels

OWN = 200  # colours of the frames, the palette's first
INK = 50  # opacities of the text colour, after them
EMPTY, MARK, CLEAR = OWN + INK, OWN + INK + 1, 255

GREYS: Pixels = np.linspace(0, 255, OWN).round().astype(np.uint8)[:, None].repeat(3, axis=1)


@lru_cache(maxsize=2)
def palette(dark: bool) -> Pixels:
    """The palette as RGBA [256, 4], its frames grey."""
    colours = theme.palette(dark)
    table = np.full((256, 4), 255, np.uint8)
    table[:, :3] = theme.rgb(colours.background)
    table[:OWN, :3] = GREYS
    table[OWN:EMPTY, :3] = theme.rgb(colours.text)
    table[OWN:EMPTY, 3] = np.linspace(0, 255, INK).round()
    table[EMPTY, :3], table[MARK, :3] = theme.rgb(colours.surface), theme.rgb(colours.accent)
    table[CLEAR, 3] = 0
    return table


def packed(rgba: Pixels) -> NDArray[np.uint32]:
    """RGBA [..., 4] as one number a pixel, [...], which is copied at a quarter of the cost."""
    return np.ascontiguousarray(rgba).view(np.uint32)[..., 0]


def opaque(frames: Pixels) -> NDArray[np.uint32]:
    """RGB [..., 3] as `packed`, fully opaque."""
    rgba = np.full((*frames.shape[:-1], 4), 255, np.uint8)
    rgba[..., :3] = frames
    return packed(rgba)
