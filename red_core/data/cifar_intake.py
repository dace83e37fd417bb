"""A picture made one of CIFAR-10's: colour photographs of 32 x 32 pixels, the subject filling them.

Krizhevsky 2009, Section 3, took them from the tiny images of Torralba, Fergus and Freeman 2008:
pictures from the web, squared and scaled down. Here the middle square is cut out, so that nothing
is stretched, and scaled with antialiasing; colours stay what they are.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image

from red_core.data.background import IntakeError
from red_core.data.picture_modes import Colours, colours

SIDE: Final = 32
MIN_COLOUR_CONTRAST: Final = 0.05  # of one colour; every image of the data set has above 0.25


def squared(picture: Image.Image, steps: list[str]) -> Colours:
    """The middle square of a decoded picture of any mode, [S, S, 3] in [0, 1] at working size.

    steps: gets a short sentence for everything done.
    """
    return colours(middle_square(picture, steps), steps)


def middle_square(picture: Image.Image, steps: list[str]) -> Image.Image:
    """The middle square of a picture, or itself; steps: gets a sentence where it was cropped."""
    width, height = picture.size
    side = min(width, height)
    if width != height:
        left, top = (width - side) // 2, (height - side) // 2
        picture = picture.crop((left, top, left + side, top + side))
        steps.append("cropped to the square in the middle")
    return picture


def as_photograph(square: Colours, name: str, steps: list[str], size: int = SIDE) -> Colours:
    """Red, green and blue [S, S, 3] in [0, 1], scaled to [size, size, 3].

    name: of the picture, for messages; steps: gets a short sentence for everything done. Raises
    IntakeError where all pixels have nearly the same colour.
    """
    side = len(square)
    if side == size:
        steps.append(f"already {size} x {size}: not scaled")
    elif side > size:
        steps.append(f"scaled to {size} x {size} pixels")
    else:
        steps.append(f"enlarged to {size} x {size} pixels, which adds no detail")
    field = square if side == size else _scaled(square, size)
    if float((field.max((0, 1)) - field.min((0, 1))).max()) < MIN_COLOUR_CONTRAST:
        raise IntakeError(f"{name} shows nothing: all its pixels have nearly the same colour.")
    return field


def _scaled(square: Colours, size: int) -> Colours:
    """Lanczos's kernel keeps edges sharp; what it rings beyond [0, 1] is cut."""
    planes = [
        Image.fromarray(np.ascontiguousarray(square[..., channel])).resize(
            (size, size), Image.Resampling.LANCZOS
        )
        for channel in range(3)
    ]
    return np.clip(np.stack([np.asarray(plane) for plane in planes], axis=2), 0, 1)
