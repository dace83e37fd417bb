"""Reverse engineering of deceptions: the paper's solver, its models, data and measurements.

The public functions are below (`docs/library.md` describes them); they are imported at their first
use, so that `import red_core` itself loads neither torch nor weights. The core imports neither
streamlit nor plotly. docs/map.md leads from the paper's terms to files and functions.

>>> import red_core
>>> parts = red_core.load("mnist")
>>> images, labels = parts.examples.images[:1], parts.examples.labels[:1]
>>> found = red_core.undo(parts, red_core.craft(parts.psi, images, labels, "l2"))
>>> found.labels.item() == labels.item(), found.attacks
(True, ('l2',))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from red_core.api import (
        Attack,
        Dictionary,
        Options,
        Problem,
        block_residuals,
        bsd_gan,
        bsd_gan_ad,
        craft,
        judge,
        load,
        observe,
        presets,
        solve,
        undo,
    )

__all__ = [
    "Attack",
    "Dictionary",
    "Options",
    "Problem",
    "block_residuals",
    "bsd_gan",
    "bsd_gan_ad",
    "craft",
    "judge",
    "load",
    "observe",
    "presets",
    "solve",
    "undo",
]


def __getattr__(name: str) -> object:
    """A public name, from `red_core.api`, which is imported at the first use."""
    if name not in __all__:
        raise AttributeError(f"module 'red_core' has no attribute {name!r}")
    return getattr(importlib.import_module("red_core.api"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
