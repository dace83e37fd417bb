"""From tensors to the pixels that files hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

MAX_SCALE = 40

Pixels = NDArray[np.uint8]


def checked(name: str, images: Tensor, dimensions: int) -> NDArray[np.float32]:
    """Images [..., 1, H, W] as float32 [..., H, W], or [..., 3, H, W] as [..., H, W, 3].

    `dimensions` of them all told. Raises ValueError for other shapes, NaN and infinities.
    """
    if images.ndim != dimensions or images.shape[-3] not in (1, 3):
        raise ValueError(
            f"{name} must have shape [..., 1, H, W] or [..., 3, H, W], not {list(images.shape)}"
        )
    array = images.detach().cpu().numpy().astype(np.float32)
    array = array[..., 0, :, :] if array.shape[-3] == 1 else np.moveaxis(array, -3, -1)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite")
    return array


def eight_bits(values: NDArray[np.float32]) -> Pixels:
    """Values in [0, 1], or cut off to them, in 256 steps."""
    rounded: Pixels = (values.clip(0, 1) * 255 + 0.5).astype(np.uint8)
    return rounded


def pixels(image: Tensor) -> Pixels:
    """An image [1, H, W] in [0, 1] as [H, W], or [3, H, W] as [H, W, 3]; ValueError otherwise."""
    return eight_bits(checked("the image", image, 3))


def check_scale(scale: int) -> None:
    """ValueError for a number of screen pixels that no picture takes."""
    if not 1 <= scale <= MAX_SCALE:
        raise ValueError(f"scale must lie between 1 and {MAX_SCALE}, not {scale}")
