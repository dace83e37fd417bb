"""Thumbnails travel as one picture of one row."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from pages.ui.widgets.gallery import sprite


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)])
def test_a_sprite_holds_every_image_in_its_place(shape: tuple[int, int, int]) -> None:
    levels = torch.randint(256, (5, *shape), dtype=torch.uint8)
    data = base64.b64decode(sprite(levels.float() / 255).split(",")[1])
    shown = np.asarray(Image.open(io.BytesIO(data)))
    width = shape[2]
    image = levels[3].movedim(0, 2).numpy().squeeze()
    np.testing.assert_array_equal(shown[:, 3 * width : 4 * width], image)
