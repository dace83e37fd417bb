"""A user's own image: uploaded or drawn, made the data set's, with a preview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from pages.ui.live.uploads import show_refusal
from pages.ui.look.literal import literal
from pages.ui.undo import help_texts as texts
from pages.ui.undo.headlines import a
from pages.ui.undo.undo_registry import digest
from pages.ui.widgets import pictures
from pages.ui.widgets.drawing_pad import drawing
from pages.ui.widgets.widget_keys import option_index
from red_core.data.arrays import read_any
from red_core.data.datasets import NOUNS, SHAPES
from red_core.data.intake import Intake, IntakeError, from_canvas
from red_core.data.own_datasets import base_of
from red_core.run.bundle import Bundle
from red_core.run.foreign import guess_attacked

# Of 112: clothes are filled in. A data set without a pen is not drawn.
PENS = {"mnist": 9, "fashion": 18}
TYPES = ["png", "jpg", "jpeg", "webp", "npz", "npy"]


MOST_FILES, MOST_IMAGES = 20, 1000  # of one upload


def take_file(data: bytes, filename: str, dataset: str, as_is: bool = False) -> list[Intake]:
    """The images of an uploaded file; IntakeError, one sentence, where it holds none."""
    taken = read_any(data, filename=filename, dataset=dataset, as_is=as_is)
    numbers = data.startswith((b"PK", b"\x93NUMPY"))
    return taken if numbers else [eight_bits(one) for one in taken]


def eight_bits(intake: Intake) -> Intake:
    """The image in 8 bits, as stored in the data sets: short enough for a link, and exact."""
    levels = np.rint(intake.image.numpy() * 255).astype(np.uint8).astype(np.float32)
    return replace(intake, image=torch.from_numpy(levels / np.float32(255)))


def of_shape(current: Intake | None, dataset: str) -> Intake | None:
    """The image chosen before, unless it is of another data set's shape."""
    fits = current is not None and tuple(current.image.shape) == SHAPES[dataset]
    return current if fits else None


def upload(current: Intake | None, dataset: str, *, key: str) -> Intake | None:
    """The uploader; files that cannot be taken leave the image chosen before as it is.

    Of several images one is chosen; the command line undoes all of them.
    """
    files = st.file_uploader(
        "Your image", TYPES, help=texts.upload(dataset), key=key, accept_multiple_files=True
    )
    show_refusal()
    if files:
        as_is = st.checkbox("As the file stores it", help=texts.AS_IS, key=f"ui.as_is.{dataset}")
        images = _taken(files[:MOST_FILES], dataset, as_is)
        if len(files) > MOST_FILES:
            st.error(f"The first {MOST_FILES} files are taken.")
        if len(images) > 1:
            which = st.selectbox(
                "Which of them",
                range(len(images)),
                format_func=lambda place: images[place].name,
                help=texts.WHICH,
                key=f"ui.which.{dataset}.{len(images)}",
            )
            current = images[which]
        elif images:
            current = images[0]
    preview(current, texts.wanted(dataset))
    return current


def _taken(files: Sequence[Uploaded], dataset: str, as_is: bool) -> list[Intake]:
    """The images of uploaded files, read once a session; a sentence for every file that is none."""
    images: list[Intake] = []
    for file in files:
        kept = st.session_state.get("own.read", {})
        place = (file.file_id, dataset, as_is)
        if place not in kept:
            try:
                kept = {**kept, place: take_file(file.getvalue(), file.name, dataset, as_is)}
            except IntakeError as error:
                kept = {**kept, place: str(error)}
        # What is no longer in the uploader is forgotten.
        present = {one.file_id for one in files}
        st.session_state["own.read"] = {k: v for k, v in kept.items() if k[0] in present}
        read = kept[place]
        if isinstance(read, str):
            st.error(literal(read))
        else:
            images += read
    if len(images) > MOST_IMAGES:
        st.error(f"The first {MOST_IMAGES:,} images are taken.")
    return images[:MOST_IMAGES]


class Uploaded(Protocol):
    """What is needed of Streamlit's uploaded file."""

    file_id: str
    name: str

    def getvalue(self) -> bytes: ...


def draw(current: Intake | None, dataset: str, *, key: str) -> Intake | None:
    """The canvas; while nothing is drawn the image chosen before stays, and that is said."""
    base = base_of(dataset) or dataset
    drawn = drawing(f"Draw {a(NOUNS[dataset].brief)} here", PENS[base], key=key)
    if drawn is not None:
        try:
            current = eight_bits(from_canvas(drawn, dataset=dataset))
        except IntakeError as error:
            st.error(literal(error))
    elif current is not None:
        st.caption(texts.PAD_EMPTY)
    preview(current, texts.DRAWN[base])
    return current


def preview(current: Intake | None, hint: str) -> None:
    """The image as the solver will get it, and the steps that made it so."""
    if current is None:
        st.caption(hint)
        return
    picture, words = st.columns([1, 2], vertical_alignment="center", wrap=False)
    picture.image(pictures.picture(current.image, scale=4), width=3 * current.image.shape[-1])
    words.caption("  \n".join(literal(step) for step in current.steps))


def is_attacked(bundle: Bundle, current: Intake) -> bool:
    """The question whether the image is attacked already; it begins with a guess, which is said."""
    guess, why = guess_attacked(bundle, current)
    state, image = st.session_state, digest(current.image)
    if state.get("own.asked") != image:  # another image: the answer on the last one is not its
        state["own.asked"], state["ui.attacked"] = image, guess
    state.setdefault("ui.attacked", guess)
    answer = st.radio(
        "Is it attacked already?",
        [True, False],
        option_index("ui.attacked", [True, False]),
        format_func=lambda attacked: "Yes: undo it" if attacked else "No: attack it first",
        help=texts.ATTACKED_ALREADY,
        key="ui.attacked",
        horizontal=True,
    )
    st.caption(literal(f"Guessed: {'yes' if guess else 'no'}. {why}"))
    return bool(answer)


def from_link(image: Tensor) -> Intake:
    """An image that came with the URL."""
    return Intake(image, ("taken from the link as it is",))
