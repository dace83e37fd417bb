"""Pictures as PNG and GIF bytes: one montage costs a few milliseconds, many chart traces far more.

Images are [1, H, W], grey, or [3, H, W], red, green and blue; values in [0, 1].
"""

from pages.ui.widgets.pictures.gif import gif
from pages.ui.widgets.pictures.montage import cell, frame_grid
from pages.ui.widgets.pictures.pixels import pixels
from pages.ui.widgets.pictures.single import picture, signed

__all__ = ["cell", "frame_grid", "gif", "picture", "pixels", "signed"]
