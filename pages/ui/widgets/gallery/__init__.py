"""The example images of one class as thumbnails to choose from: a small Components v2 component."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from pages.ui.widgets import pictures
from red_core.data.datasets import ImageSet

MOST = 60  # thumbnails of a class
_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "red_gallery",
    html='<div class="thumbnails" role="group" aria-label="Example images"></div>',
    css=(_HERE / "gallery.css").read_text(encoding="utf-8"),
    js=(_HERE / "gallery.js").read_text(encoding="utf-8"),
)


def indices_of(examples: ImageSet, label: int) -> list[int]:
    """The first MOST examples of a class, as indices into the examples."""
    found: list[int] = (examples.labels == label).nonzero().flatten()[:MOST].tolist()
    return found


def sprite(images: Tensor) -> str:
    """Images [N, 1, H, W] or [N, 3, H, W] in [0, 1] side by side, as the URL of a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pictures.pixels(torch.cat(tuple(images), dim=2))).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def gallery(
    examples: ImageSet,
    label: int,
    name: str,
    chosen: int,
    on_choose: Callable[[int], None],
    *,
    key: str,
) -> None:
    """Thumbnails of class `label`, the chosen index marked; `on_choose` gets a clicked index."""
    thumbnails(examples, indices_of(examples, label), name, chosen, on_choose, key=key)


def thumbnails(
    examples: ImageSet,
    indices: Sequence[int],
    name: str,
    chosen: int | None,
    on_choose: Callable[[int], None],
    *,
    key: str,
) -> None:
    """Thumbnails of these examples, the chosen index marked; `on_choose` gets a clicked index.

    name: what all of them are, for those who cannot see them.
    """

    def choose() -> None:
        index = st.session_state[key].chosen
        if index in indices:
            on_choose(index)

    _mount(
        key=key,
        data={
            "sprite": sprite(examples.images[list(indices)]),
            "side": examples.images.shape[-1],
            "indices": list(indices),
            "label": name,
            "chosen": chosen,
        },
        on_chosen_change=choose,
    )
