"""A decoded picture's mode, transparency and orientation, resolved to brightness or colours."""

from __future__ import annotations

import math
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from red_core.data.background import Grey

Colours = NDArray[np.float32]  # red, green, blue [H, W, 3] in [0, 1]

_WORKING_SIDE: Final = 400  # larger pictures are averaged down first: at most 32 are wanted
_ORIENTATION: Final = 0x0112  # EXIF's tag
_Pixels = TypeVar("_Pixels", bound=NDArray[np.float32])


def brightness(picture: Image.Image, steps: list[str]) -> Grey:
    """Brightness [H, W] in [0, 1] at the working size, on an opaque ground.

    steps: gets a short sentence for everything done.
    """
    if _is_deep(picture):
        steps.append("16 bits a pixel reduced to brightness")
        return _deep(picture)
    if not _is_clear(picture):
        if picture.mode == "CMYK":
            steps.append("CMYK converted to brightness")
        # Palettes and bits cannot be averaged; everything else is made small first.
        plain = picture.convert("RGB") if picture.mode in ("1", "P") else picture
        shrunk = _shrunk(plain).convert("RGB").convert("L")
        return np.asarray(shrunk, dtype=np.float32) / np.float32(255)
    layers: Grey = np.asarray(_shrunk(picture.convert("RGBA")), dtype=np.float32) / np.float32(255)
    alpha = layers[..., 3]
    bright: Grey = layers[..., :3] @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    if float(alpha.min()) > 0.999:
        return bright
    ground = _fitting_ground(bright, alpha)
    steps.append(f"transparent parts put on {'white' if ground else 'black'}")
    return bright * alpha + np.float32(ground) * (1 - alpha)


def colours(picture: Image.Image, steps: list[str]) -> Colours:
    """Red, green and blue [H, W, 3] in [0, 1] at the working size; what is transparent is white.

    steps: gets a short sentence for everything done.
    """
    if _is_deep(picture):
        steps.append("16 bits of grey a pixel, the same in red, green and blue")
        return np.repeat(_deep(picture)[..., None], 3, axis=2)
    if picture.mode == "CMYK":
        steps.append("CMYK converted to red, green and blue")
    elif picture.mode in ("1", "L", "LA"):
        steps.append("grey, the same in red, green and blue")
    layers = _shrunk(picture.convert("RGBA" if _is_clear(picture) else "RGB"))
    values: Colours = np.asarray(layers, dtype=np.float32) / np.float32(255)
    if values.shape[2] == 3:
        return values
    alpha = values[..., 3:]
    if float(alpha.min()) > 0.999:
        return np.ascontiguousarray(values[..., :3])
    steps.append("transparent parts put on white")
    return values[..., :3] * alpha + (1 - alpha)


def upright(pixels: _Pixels, picture: Image.Image) -> _Pixels:
    """Pixels [H, W] or [H, W, 3] turned as the file's EXIF orientation asks; themselves if not."""
    try:
        orientation = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # a broken EXIF block is no reason to refuse the picture
        return pixels
    if orientation not in range(2, 9):
        return pixels
    turned = pixels.swapaxes(0, 1) if orientation >= 5 else pixels
    # After the transposition of 5 to 8, what is left is a flip of the axes below.
    flips = {2: (1,), 3: (0, 1), 4: (0,), 5: (), 6: (1,), 7: (0, 1), 8: (0,)}[orientation]
    return np.ascontiguousarray(np.flip(turned, flips))  # type: ignore[return-value]


def _is_deep(picture: Image.Image) -> bool:
    return picture.mode.startswith("I") or picture.mode == "F"


def _deep(picture: Image.Image) -> Grey:
    """16 bits, which Pillow's own conversion to 8 would clip; 32-bit files fill theirs."""
    values = np.asarray(picture, dtype=np.float32)
    scale = 65535 if values.max() <= 65535 else float(values.max())
    return np.asarray(_shrunk(Image.fromarray(values / np.float32(scale))))


def _is_clear(picture: Image.Image) -> bool:
    """Whether a pixel may be transparent."""
    bands = picture.getbands()
    return "A" in bands or "a" in bands or "transparency" in picture.info


def _shrunk(picture: Image.Image) -> Image.Image:
    """Averaged down to the working size, so that memory stays small from here on."""
    factor = math.ceil(max(picture.size) / _WORKING_SIDE)
    return picture.reduce(factor) if factor > 1 else picture


def _fitting_ground(brightness: Grey, alpha: Grey) -> float:
    """0 or 1: the ground on which the visible part of a transparent picture shows.

    Visible pixels of one brightness are the ink itself, and need the opposite ground; visible
    pixels of two are ink with its paper, and the ground continues the paper, the larger part.
    """
    weight = float(alpha.sum())
    if weight == 0:
        return 0.0
    mean = float((brightness * alpha).sum()) / weight
    spread = math.sqrt(float(((brightness - mean) ** 2 * alpha).sum()) / weight)
    bright = mean > 0.5
    return float(bright if spread > 0.15 else not bright)
