"""A picture made one of a data set of somebody's own: square, grey or in colour, of any side.

The middle square is cut out, so that nothing is stretched, and scaled with antialiasing; values
stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from red_core.data.background import MIN_CONTRAST, IntakeError
from red_core.data.cifar_intake import as_photograph, middle_square
from red_core.data.picture_modes import brightness, colours

_Pixels = NDArray[np.float32]  # [H, W], or [H, W, 3]
_Opened = Callable[[Image.Image, list[str]], _Pixels]
_Fitted = Callable[[_Pixels, str, list[str]], _Pixels]


def way_to(shape: tuple[int, int, int]) -> tuple[_Opened, _Fitted]:
    """How a picture becomes one of a data set's [C, S, S]: decoding, and then scaling.

    The first makes of a decoded picture of any mode the middle square at working size, the second
    of that, upright, the data set's pixels [S, S] or [S, S, 3]. Both get a list for a short
    sentence about everything done; the second raises IntakeError for a picture that shows nothing.
    """
    channels, side, _ = shape

    def opened(picture: Image.Image, steps: list[str]) -> _Pixels:
        square = middle_square(picture, steps)
        return colours(square, steps) if channels == 3 else brightness(square, steps)

    def fitted(pixels: _Pixels, name: str, steps: list[str]) -> _Pixels:
        if channels == 3:
            return as_photograph(pixels, name, steps, side)
        field = as_photograph(np.repeat(pixels[..., None], 3, axis=2), name, steps, side)[..., 0]
        if float(field.max() - field.min()) < MIN_CONTRAST:
            raise IntakeError(f"{name} shows nothing: all its pixels have nearly the same value.")
        return field

    return opened, fitted
