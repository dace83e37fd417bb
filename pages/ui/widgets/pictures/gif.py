"""Frames as an endless film."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pages.ui.look import theme
from pages.ui.widgets.pictures import palette as shades
from pages.ui.widgets.pictures.montage import INDICES, greys, montage
from pages.ui.widgets.pictures.pixels import Pixels, checked, eight_bits


def gif(
    images: Tensor, captions: Sequence[str], ms: int = 120, *, scale: int = 8, dark: bool = False
) -> bytes:
    """Frames [F, 1, H, W] or [F, 3, H, W] as an endless GIF with captions, `ms` milliseconds each.

    The last frame stays for a second. Raises ValueError as `frame_grid`, and for no frames.
    """
    if not len(images):
        raise ValueError("a GIF needs at least one frame")
    if len(images) != len(captions):
        raise ValueError(f"{len(images)} images but {len(captions)} captions")
    if not 20 <= ms <= 10_000:
        raise ValueError(f"a frame lasts between 20 and 10000 ms, not {ms}")
    widest = max(captions, key=len)
    values = checked("images", images, 4)
    film = []
    for frame, caption in zip(values, captions, strict=True):
        own, colours = (greys(frame), shades.GREYS) if values.ndim == 3 else _reduced(frame)
        pixels = montage(own[None], [caption], 1, 1, scale, None, widest, INDICES)
        image = Image.frombytes("P", (pixels.shape[1], pixels.shape[0]), pixels.tobytes())
        image.putpalette(_on_ground(colours, dark).tobytes())
        film.append(image)
    buffer = io.BytesIO()
    durations = [ms] * (len(film) - 1) + [max(ms, 1000)]
    film[0].save(buffer, "GIF", save_all=True, append_images=film[1:], duration=durations, loop=0)
    return buffer.getvalue()


def _reduced(frame: NDArray[np.float32]) -> tuple[Pixels, Pixels]:
    """A frame [H, W, 3] in 200 colours: their indices [H, W], and the colours themselves [200, 3].

    Its own 200: one palette for all frames of a run that begins far from its end shows them worse
    (by 3 to 6 dB), and what a still pixel changes by from palette to palette (1% of full) is not
    seen. Nothing is dithered, for that would flicker.
    """
    reduced = Image.fromarray(eight_bits(frame)).quantize(shades.OWN, dither=Image.Dither.NONE)
    colours = np.zeros((shades.OWN, 3), np.uint8)
    found = np.array(reduced.getpalette(), np.uint8).reshape(-1, 3)[: shades.OWN]
    colours[: len(found)] = found
    return np.asarray(reduced), colours


def _on_ground(own: Pixels, dark: bool) -> Pixels:
    """The palette [256, 3] with `own` [200, 3] for the frames, and the writing on the background.

    A GIF's pixels are clear or not, so the opacities have to be mixed here.
    """
    table = shades.palette(dark)
    alpha = table[:, 3:] / 255
    background = np.array(theme.rgb(theme.palette(dark).background))
    flat: Pixels = (alpha * table[:, :3] + (1 - alpha) * background).round().astype(np.uint8)
    flat[: shades.OWN] = own
    return flat
