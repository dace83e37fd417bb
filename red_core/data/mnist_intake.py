"""A picture made a digit of MNIST's, the way its own digits went (LeCun et al. 1998).

White ink on black, the ink's longer side scaled to 20 pixels with antialiasing, its centre of mass
put at pixel (14, 14) of a 28 x 28 field.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image

from red_core.data.background import (
    MIN_CONTRAST,
    SIDE,
    Grey,
    IntakeError,
    frame,
    is_bright,
    plane,
    spread,
)

INK_SIDE: Final = 20
CENTRE: Final = 14  # where the 5,000 bundled digits have their centre of mass (14.0 +- 0.3)
_MIN_INK: Final = 4  # pixels; a smaller speck is dust, not a digit


def as_digit(grey: Grey, name: str, steps: list[str]) -> Grey:
    """Brightness [H, W] in [0, 1] to white ink on black, centred, [28, 28].

    name: of the picture, for messages; steps: gets a short sentence for everything done. Raises
    IntakeError where there is no ink.
    """
    _check_contrast(grey, name)
    if grey.shape == (SIDE, SIDE):
        digit = 1 - grey if is_bright(grey) else grey
        if _is_centred(
            digit
        ):  # the data set's own format: not even noise on the background is ours
            if digit is not grey:
                steps.append("inverted: the background was bright")
            steps.append("already 28 x 28 and centred: neither cropped, scaled nor stretched")
            return digit
    ink = _ink(grey, steps)
    box = _crop(ink, name)
    if box.shape != ink.shape:
        steps.append("cropped to the ink")
    height, width = box.shape
    if max(height, width) != INK_SIDE:
        scale = INK_SIDE / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        # Hamming's kernel is never negative here, so no ringing outside [0, 1].
        box = np.asarray(Image.fromarray(box).resize(size, Image.Resampling.HAMMING))
        steps.append(f"scaled to {INK_SIDE} pixels on the longer side")
        box = box / max(float(box.max()), 1e-6)  # a thin stroke pales when averaged
    steps.append("centred by its centre of mass")
    return _centred(box)


def _check_contrast(grey: Grey, name: str) -> None:
    if float(grey.max()) - float(grey.min()) < MIN_CONTRAST:
        raise IntakeError(f"{name} shows no digit: all its pixels have nearly the same brightness.")


def _ink(grey: Grey, steps: list[str]) -> Grey:
    """How much ink each pixel holds, in [0, 1]: 0 on the background, 1 at the strongest."""
    low, high = float(grey.min()), float(grey.max())
    background = float(np.median(frame(grey)))
    if background > (low + high) / 2:
        steps.append("inverted: the background was bright")
        grey, background, high = 1 - grey, 1 - background, 1 - low
    if background == 0 and high > 0.9:
        return grey  # a clean picture keeps every grey of its edges
    # A photograph's paper is grey, unevenly lit and grainy: the background is the plane through its
    # frame, and what the frame's own grain reaches is no ink.
    above = grey - plane(grey)
    strongest = max(float(above.max()), 1e-6)
    ink = np.clip(above / strongest, 0, 1)
    ink[ink <= min(3 * spread(frame(above)) / strongest, 0.3)] = 0
    if background > 0.02 or high < 0.98:
        steps.append("contrast stretched from the background to the ink")
    return ink


def _centre_of_mass(ink: Grey) -> tuple[float, float]:
    mass = float(ink.sum())
    rows, columns = (np.arange(length, dtype=np.float32) for length in ink.shape)
    return float(ink.sum(1) @ rows) / mass, float(ink.sum(0) @ columns) / mass


def _is_centred(ink: Grey) -> bool:
    """Whether a 28 x 28 picture was made by MNIST's conventions (or attacked afterwards).

    The paper's attacks move the centre of mass by up to 1.3 pixels, larger budgets by more.
    """
    return all(abs(place - CENTRE) <= 2.5 for place in _centre_of_mass(ink))


def _crop(ink: Grey, name: str) -> Grey:
    # On a picture of MNIST's size every grey counts; on others a tenth keeps JPEG's ringing out.
    floor = 0.001 if ink.shape == (SIDE, SIDE) else 0.1
    rows = np.flatnonzero((ink > floor).any(axis=1))
    columns = np.flatnonzero((ink > floor).any(axis=0))
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if max(box.shape) < _MIN_INK:
        raise IntakeError(f"{name} shows no digit: its ink is only {max(box.shape)} pixels long.")
    return box


def _centred(box: Grey) -> Grey:
    """The box in a 28 x 28 field with its centre of mass at CENTRE, moved by whole pixels."""
    field = np.zeros((SIDE, SIDE), dtype=np.float32)
    top, left = (
        min(max(CENTRE - round(place), 0), SIDE - length)
        for place, length in zip(_centre_of_mass(box), box.shape, strict=True)
    )
    field[top : top + box.shape[0], left : left + box.shape[1]] = box
    return field
