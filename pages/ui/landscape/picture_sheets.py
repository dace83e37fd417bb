"""Many small pictures in one: a sheet that a browser cuts up again."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pages.ui.widgets import pictures

_QUALITY = 60  # of the grid's sheet: hundreds of pictures that are seen one at a time


@dataclass(frozen=True)
class PictureSheet:
    """Pictures of one size in rows: the sheet as a URL, how many columns and rows it has."""

    source: str
    columns: int
    rows: int


def grid_sheet(images: Tensor, shape: Sequence[int]) -> PictureSheet:
    """Images [m, m, n] of a grid, each of `shape` (C, H, W), the row of lowest y on top."""
    rows, columns = images.shape[:2]
    tiles = images.reshape(rows, columns, *shape)
    return PictureSheet(_url(_tiled(tiles), "WEBP", quality=_QUALITY), columns, rows)


def path_sheet(images: Sequence[Tensor], columns: int = 16) -> PictureSheet:
    """Images [1, C, H, W] one after the other, in rows of `columns`; at least one."""
    rows = -(-len(images) // columns)
    shape = images[0].shape[1:]
    canvas = images[0].new_zeros(rows * columns, *shape)
    for place, image in enumerate(images):
        canvas[place] = image[0]
    tiles = canvas.reshape(rows, columns, *shape)
    return PictureSheet(_url(_tiled(tiles), "PNG"), columns, rows)


def _tiled(tiles: Tensor) -> NDArray[np.uint8]:
    """[rows, columns, C, H, W] in [0, 1] as one picture."""
    rows, columns, channels, height, width = tiles.shape
    whole = tiles.permute(2, 0, 3, 1, 4).reshape(channels, rows * height, columns * width)
    return pictures.pixels(whole)


def _url(pixels: NDArray[np.uint8], kind: str, **options: int) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return f"data:image/{kind.lower()};base64," + base64.b64encode(buffer.getvalue()).decode()
