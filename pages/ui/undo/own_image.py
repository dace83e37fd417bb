"""A user's own image: uploaded or drawn, made the data set's, with a preview."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from pages.ui.undo import help_texts as texts
from pages.ui.undo.headlines import a
from pages.ui.widgets import pictures
from pages.ui.widgets.drawing_pad import drawing
from red_core.data.arrays import read_npz
from red_core.data.datasets import NOUNS, SHAPES
from red_core.data.intake import Intake, IntakeError, from_canvas, read_image

# Of 112: clothes are filled in. A data set without a pen is not drawn.
PENS = {"mnist": 9, "fashion": 18}
TYPES = ["png", "jpg", "jpeg", "webp", "npz", "npy"]


def take_file(data: bytes, filename: str, dataset: str) -> Intake:
    """An uploaded file as an image; IntakeError, one sentence, where it is none."""
    if filename.lower().endswith((".npz", ".npy")):
        return read_npz(data, filename=filename, dataset=dataset)
    return eight_bits(read_image(data, filename=filename, dataset=dataset))


def eight_bits(intake: Intake) -> Intake:
    """The image in 8 bits, as stored in the data sets: short enough for a link, and exact."""
    levels = np.rint(intake.image.numpy() * 255).astype(np.uint8).astype(np.float32)
    return replace(intake, image=torch.from_numpy(levels / np.float32(255)))


def fitting(held: Intake | None, dataset: str) -> Intake | None:
    """The image held before, unless it is of another data set's shape."""
    fits = held is not None and tuple(held.image.shape) == SHAPES[dataset]
    return held if fits else None


def upload(held: Intake | None, dataset: str, *, key: str) -> Intake | None:
    """The uploader; a file that cannot be taken leaves the image held before as it is."""
    file = st.file_uploader("Your image", type=TYPES, help=texts.UPLOAD[dataset], key=key)
    if file is not None:
        try:
            held = take_file(file.getvalue(), file.name, dataset)
        except IntakeError as error:
            st.error(str(error))
    preview(held, texts.WANTED[dataset])
    return held


def draw(held: Intake | None, dataset: str, *, key: str) -> Intake | None:
    """The canvas; while nothing is drawn the image held before stays."""
    ink = drawing(f"Draw {a(NOUNS[dataset].brief)} here", PENS[dataset], key=key)
    if ink is not None:
        try:
            held = eight_bits(from_canvas(ink, dataset=dataset))
        except IntakeError as error:
            st.error(str(error))
    preview(held, texts.DRAWN[dataset])
    return held


def preview(held: Intake | None, hint: str) -> None:
    """The image as the solver will get it, and the steps that made it so."""
    if held is None:
        st.caption(hint)
        return
    picture, words = st.columns([1, 2], vertical_alignment="center", wrap=False)
    picture.image(pictures.picture(held.image, scale=4), width=3 * held.image.shape[-1])
    words.caption("  \n".join(held.steps))


def from_link(image: Tensor) -> Intake:
    """An image that came with the URL."""
    return Intake(image, ("taken from the link as it is",))
