"""Frames in a grid, a caption under each: one picture.

Grey frames make an image of 256 colours, which is small and quickly packed; frames in colour keep
all of theirs. Captions, empty places, the highlight and the clear background are the same in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pages.ui.widgets.pictures import palette as colours
from pages.ui.widgets.pictures.captions import size_of_writing, written
from pages.ui.widgets.pictures.files import palette_png, rgba_png
from pages.ui.widgets.pictures.pixels import Pixels, check_scale, checked, eight_bits

P = TypeVar("P", np.uint8, np.uint32)

INDICES: Pixels = np.arange(256, dtype=np.uint8)  # the palette's own indices


def cell(height: int, width: int, scale: int) -> tuple[int, int]:
    """Height and width of a frame [H, W] in a grid, with its margins and caption, in pixels."""
    gap = _gap(scale)
    return height * scale + 2 * gap + 4 * scale + 3, width * scale + 2 * gap


def _gap(scale: int) -> int:
    return max(2, scale)


def montage(
    frames: NDArray[P],
    captions: Sequence[str],
    columns: int,
    slots: int,
    scale: int,
    highlight: int | None,
    widest: str,
    table: NDArray[P],
) -> NDArray[P]:
    """The frames [F, H, W] in a grid; everything else is looked up in `table` [256]."""
    check_scale(scale)
    if len(frames) != len(captions):
        raise ValueError(f"{len(frames)} images but {len(captions)} captions")
    if len(frames) > slots or columns < 1:
        raise ValueError(f"{len(frames)} images do not fit into {slots} slots")
    if highlight is not None and not 0 <= highlight < slots:
        raise ValueError(f"there is no frame {highlight} to highlight")
    height, width = (side * scale for side in frames.shape[1:])
    gap = _gap(scale)
    frame_h = height + 2 * gap
    cell_h, cell_w = cell(frames.shape[1], frames.shape[2], scale)
    size = size_of_writing([*captions, widest], scale, cell_w)
    rows = -(-slots // columns)
    canvas = np.full((rows * cell_h, columns * cell_w), table[colours.CLEAR])
    large = frames.repeat(scale, axis=1).repeat(scale, axis=2)
    for slot in range(slots):
        top, left = (slot // columns) * cell_h, (slot % columns) * cell_w
        if slot == highlight:
            canvas[top : top + frame_h, left : left + cell_w] = table[colours.MARK]
        box = canvas[top + gap : top + gap + height, left + gap : left + gap + width]
        box[:] = large[slot] if slot < len(frames) else table[colours.EMPTY]
        if slot < len(frames) and captions[slot]:
            word = written(captions[slot], size)[: cell_h - frame_h - scale // 2, :cell_w]
            x = left + (cell_w - word.shape[1]) // 2
            y = top + frame_h + scale // 2
            canvas[y : y + word.shape[0], x : x + word.shape[1]] = table[word]
    return canvas


def greys(values: NDArray[np.float32]) -> Pixels:
    """Grey values in [0, 1] as indices of the palette."""
    indices: Pixels = (values.clip(0, 1) * (colours.OWN - 1) + 0.5).astype(np.uint8)
    return indices


def frame_grid(
    images: Tensor,
    captions: Sequence[str],
    *,
    columns: int = 5,
    slots: int = 25,
    scale: int = 3,
    dark: bool = False,
    highlight: int | None = None,
    widest: str = "",
) -> bytes:
    """Figure 4 as PNG: frames [F, 1, H, W] or [F, 3, H, W] in a grid, a caption under each.

    captions: F short texts, written smaller where they would not fit; slots: places in the grid, F
    of them filled and the others drawn empty, so that the picture's size never changes; scale:
    screen pixels for one of the image's; highlight: the slot with a frame around it; widest: the
    longest caption that is to come, for a size of writing that does not change either. The
    background is transparent.
    Raises ValueError for NaN or infinities, for wrong shapes and for more frames than slots.
    """
    frames, table = checked("images", images, 4), colours.palette(dark)
    rest = captions, columns, slots, scale, highlight, widest
    if frames.ndim == 3:
        return palette_png(montage(greys(frames), *rest, INDICES), table)
    return rgba_png(montage(colours.opaque(eight_bits(frames)), *rest, colours.packed(table)))
