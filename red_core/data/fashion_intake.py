"""A picture made an article of Fashion-MNIST's, by that data set's own steps.

Xiao, Rasul and Vollgraf 2017, Section 2, made shop photographs on white into 28 x 28 pictures:
edges near the colour of the corners trimmed, the longest edge resized to 28, sharpened with a
Gaussian of deviation 1, the shorter edge extended so that the article is in the middle, and
negated. Here the background may also be grey, unevenly lit or dark: it becomes 0 whatever it was.
What is dark on a bright background comes out bright, as there; a picture on a dark background keeps
its tones. They resize by skipping pixels; here pixels are averaged, since photographs are larger.
The brightest pixel is made 1: in 99% of the data set it is above 0.99.
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

_CLOSE: Final = 0.05  # to the background's colour, of all intensities: trimmed
_FILLS: Final = 26  # pixels; the longest edge of every article in the data set is at least this
_NEGATED: Final = "negated: the background was bright"
_MIN_EDGE: Final = 8  # pixels; a smaller speck is dust, not an article


def as_article(grey: Grey, name: str, steps: list[str]) -> Grey:
    """Brightness [H, W] in [0, 1] to an article on black, in the middle of [28, 28].

    name: of the picture, for messages; steps: gets a short sentence for everything done. Raises
    IntakeError where nothing stands out from the background.
    """
    if float(grey.max()) - float(grey.min()) < MIN_CONTRAST:
        raise IntakeError(
            f"{name} shows no article: all its pixels have nearly the same brightness."
        )
    if grey.shape == (SIDE, SIDE):
        article = 1 - grey if is_bright(grey) else grey
        if _fills(article):  # the data set's own format: not even noise on the background is ours
            if article is not grey:
                steps.append(_NEGATED)
            steps.append("already 28 x 28 and filled by the article: neither trimmed nor scaled")
            return article
    grey, background = _negated(grey, steps)
    article, grain = _on_black(grey, background, steps)
    top, bottom, left, right = _edges(article, name, grain)
    box = article[top:bottom, left:right]
    if box.shape != article.shape:
        steps.append("trimmed to the article")
    box = np.where(box > grain, box, np.float32(0))
    height, width = box.shape
    if max(height, width) != SIDE:
        scale = SIDE / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        # Hamming's kernel is never negative here, so no ringing outside [0, 1].
        box = np.asarray(Image.fromarray(box).resize(size, Image.Resampling.HAMMING))
        steps.append(f"longest edge scaled to {SIDE} pixels")
        box = _sharpened(box)
        steps.append("sharpened")
    steps.append("put in the middle by its edges")
    return _in_the_middle(box / max(float(box.max()), 1e-6))


def _negated(grey: Grey, steps: list[str]) -> tuple[Grey, float]:
    """The article brighter than its background, and the background's brightness."""
    background = float(np.median(_corners(grey)))
    darker, brighter = (float(np.clip(sign * (grey - background), 0, 1).sum()) for sign in (-1, 1))
    if darker <= brighter:
        return grey, background
    steps.append(_NEGATED)
    return 1 - grey, 1 - background


def _fills(grey: Grey) -> bool:
    """Whether a 28 x 28 picture was made by the data set's steps (or attacked afterwards)."""
    there = grey > _CLOSE
    return any(np.ptp(np.flatnonzero(there.any(axis=axis))) + 1 >= _FILLS for axis in (0, 1))


def _on_black(grey: Grey, background: float, steps: list[str]) -> tuple[Grey, float]:
    """How far each pixel is above the background, in [0, 1], and what its grain reaches."""
    if background == 0:
        return grey, 0.0  # a clean picture keeps every grey of its edges
    # A wall is grey, unevenly lit and grainy: the background is the plane through the frame.
    level = np.clip(plane(grey, background), 0, 0.9)
    article = np.clip((grey - level) / (1 - level), 0, 1).astype(np.float32)
    article /= max(float(article.max()), 1e-6)
    steps.append("background made black")
    return article, min(3 * spread(frame(article)), 0.3)


def _corners(grey: Grey) -> Grey:
    """The pixels of the four corners, as a row; no article of the data set reaches there."""
    rows, columns = (max(1, length // 28) for length in grey.shape)
    ends = (slice(None, rows), slice(-rows, None)), (slice(None, columns), slice(-columns, None))
    return np.concatenate([grey[row, column].ravel() for row in ends[0] for column in ends[1]])


def _edges(article: Grey, name: str, grain: float) -> tuple[int, int, int, int]:
    """top, bottom, left, right of what is not close to the background."""
    there = article > max(_CLOSE, grain)
    # On a large picture a few pixels of a row may be dust, or JPEG's ringing.
    rows, columns = (
        np.flatnonzero(there.sum(axis=axis) > there.shape[axis] // 100) for axis in (1, 0)
    )
    if not len(rows) or not len(columns) or max(np.ptp(rows), np.ptp(columns)) + 1 < _MIN_EDGE:
        raise IntakeError(f"{name} shows no article: nothing large stands out from the background.")
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _sharpened(box: Grey) -> Grey:
    """The picture plus what a Gaussian of deviation 1 would blur away."""
    weights = np.exp(-0.5 * np.arange(-2, 3, dtype=np.float32) ** 2)
    weights /= weights.sum()
    blurred = np.pad(box, 2, mode="edge")
    for axis in (0, 1):
        blurred = np.apply_along_axis(np.convolve, axis, blurred, weights, mode="valid")
    return np.clip(2 * box - blurred, 0, 1).astype(np.float32)


def _in_the_middle(box: Grey) -> Grey:
    field = np.zeros((SIDE, SIDE), dtype=np.float32)
    top, left = ((SIDE - length) // 2 for length in box.shape)
    field[top : top + box.shape[0], left : left + box.shape[1]] = box
    return field
