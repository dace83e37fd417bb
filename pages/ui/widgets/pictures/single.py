"""One image as a picture; a perturbation, which has a sign."""

from __future__ import annotations

import numpy as np
from PIL import Image
from torch import Tensor

from pages.ui.look import theme
from pages.ui.widgets.pictures.files import png
from pages.ui.widgets.pictures.pixels import Pixels, check_scale, checked, eight_bits, pixels


def picture(image: Tensor, scale: int = 8) -> bytes:
    """One image [1, H, W] or [3, H, W] in [0, 1] as PNG, `scale` pixels for each of its own.

    Raises ValueError for NaN or infinities and for other shapes.
    """
    check_scale(scale)
    return png(_enlarged(pixels(image), scale))


def signed(delta: Tensor, limit: float, scale: int = 8, *, dark: bool = False) -> bytes:
    """A signed image [1, H, W] or [3, H, W] as PNG; values beyond +-limit are cut off.

    With one channel in the diverging map: zero neutral, +-limit its ends. With three, whose signs
    one map cannot show, on mid-grey: 0.5 + delta / (2 limit), zero grey, each of red, green and
    blue brighter where delta adds to it and darker where it takes away.
    Raises ValueError for NaN or infinities and for a limit that is not positive.
    """
    check_scale(scale)
    if not (np.isfinite(limit) and limit > 0):
        raise ValueError(f"the limit of a signed picture must be positive, not {limit}")
    values = (checked("delta", delta, 3) / limit).clip(-1, 1)
    if values.ndim == 3:
        return png(_enlarged(eight_bits((0.5 + 0.5 * values).astype(np.float32)), scale))
    table = theme.diverging_table(dark)
    half = len(table) // 2
    image = _enlarged((np.rint(values * half) + half).astype(np.uint8), scale)
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette(table.tobytes())
    return png(image)


def _enlarged(small: Pixels, scale: int) -> Image.Image:
    height, width = small.shape[:2]
    image = Image.fromarray(small)
    return image.resize((width * scale, height * scale), Image.Resampling.NEAREST)
