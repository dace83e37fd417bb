"""The background of a picture, estimated at its frame."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]  # brightness [H, W] in [0, 1]

SIDE: Final = 28
MIN_CONTRAST: Final = 0.1


class IntakeError(ValueError):
    """The user's image cannot be taken; the message says why in one sentence."""


def frame(grey: Grey) -> Grey:
    """The outermost pixels, as a row."""
    return np.concatenate((grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]))


def is_bright(grey: Grey) -> bool:
    """Whether a picture of the data set's size has a bright background, by the middle of its frame.

    Of MNIST's and Fashion-MNIST's images none has one, attacked with the paper's budgets or not.
    """
    return float(np.median(frame(grey))) > 0.5


def spread(values: Grey) -> float:
    """A standard deviation that a few strokes of ink do not move (1.48 x the median deviation)."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def plane(grey: Grey, background: float | None = None) -> Grey:
    """The plane [H, W] through the frame's pixels near `background` (their median, if None).

    What touches the frame and is no background is left out of the fit.
    """
    rows, columns = np.meshgrid(*(np.linspace(-1, 1, n) for n in grey.shape), indexing="ij")
    basis = np.stack((np.ones_like(rows), rows, columns), axis=-1).astype(np.float32)
    sides, values = np.stack([frame(basis[..., i]) for i in range(3)], axis=1), frame(grey)
    centre = float(np.median(values)) if background is None else background
    kept = np.abs(values - centre) <= max(3 * spread(values), 0.05)
    return basis @ np.linalg.lstsq(sides[kept], values[kept], rcond=None)[0]
