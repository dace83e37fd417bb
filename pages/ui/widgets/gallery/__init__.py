"""The example images of one class as thumbnails to choose from: a small Components v2 component."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from pages.ui.look.literal import literal
from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.undo import help_texts as texts
from pages.ui.widgets import pictures
from red_core.attacks.pgd import ATTACKS
from red_core.data.datasets import ImageSet
from red_core.run.bundle import Bundle
from red_core.run.photographs import photographs_entry

MOST = 60  # thumbnails of a class
_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "red_gallery",
    html='<div class="thumbnails" role="group" aria-label="Example images"></div>',
    css=(_HERE / "gallery.css").read_text(encoding="utf-8"),
    js=(_HERE / "gallery.js").read_text(encoding="utf-8"),
)


def indices_of(bundle: Bundle, label: int) -> list[int]:
    """MOST examples of a class, as indices into the examples, in one order for every attack.

    First those on which every attack fools psi, where that is known, so that whichever attack is
    chosen works on the first picture.
    """
    found: list[int] = (bundle.examples.labels == label).nonzero().flatten().tolist()
    fooled = bundle.fooled
    if fooled is not None:
        found.sort(key=lambda index: -int(fooled[index].sum()))
    return found[:MOST]


def first_of(bundles: Mapping[str, Bundle], label: int) -> tuple[str, int]:
    """The source and the index of the first picture of a class that `galleries` shows."""
    found = [(source, indices_of(bundle, label)) for source, bundle in bundles.items()]
    return next((source, indices[0]) for source, indices in found if indices)


def galleries(
    bundles: Mapping[str, Bundle],
    label: int,
    chosen: tuple[str, int],
    on_choose: Callable[[str, int], None],
    *,
    key: str,
    attack: str = "none",
    before_examples: Callable[[], None] = lambda: None,
) -> None:
    """A gallery of class `label` for every source of RunSettings, photographs with their licence.

    chosen: source and index of the marked picture; on_choose gets those of a clicked one;
    before_examples: draws what is to be said of the examples.
    """
    for source, bundle in bundles.items():
        if source == "photograph":
            st.caption(photographs_note(bundle))
        else:
            before_examples()
        gallery(
            *(bundle, label, chosen[1] if source == chosen[0] else None),
            partial(on_choose, source),
            key=key if source == "example" else f"{key}.{source}",
            attack=attack,
            what=source,
        )


def photographs_note(bundle: Bundle) -> str:
    """What the photographs are, from where and under which licence."""
    entry = photographs_entry(bundle.dataset)
    return texts.PHOTOGRAPHS.format(licence=literal(entry["licence"]))


def sprite(images: Tensor) -> str:
    """Images [N, 1, H, W] or [N, 3, H, W] in [0, 1] side by side, as the URL of a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pictures.pixels(torch.cat(tuple(images), dim=2))).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def gallery(
    bundle: Bundle,
    label: int,
    chosen: int | None,
    on_choose: Callable[[int], None],
    *,
    key: str,
    attack: str = "none",
    what: str = "example",
) -> None:
    """Thumbnails of class `label`, the chosen index marked; `on_choose` gets a clicked index.

    A dot stands on those that `attack` (of ATTACKS, or none) fools psi on at the paper's strength.
    """
    indices = indices_of(bundle, label)
    marked: list[int] = []
    if bundle.fooled is not None and attack in ATTACKS:
        column = bundle.fooled[:, ATTACKS.index(attack)]
        marked = [index for index in indices if column[index]]
    name = bundle.class_names[label]
    thumbnails(
        *(bundle.examples, indices, name, chosen, on_choose), key=key, marked=marked, what=what
    )
    if marked:
        st.caption(f"A dot: the paper's {ATTACK_LABELS[attack]} attack fools the classifier.")


def thumbnails(
    examples: ImageSet,
    indices: Sequence[int],
    name: str,
    chosen: int | None,
    on_choose: Callable[[int], None],
    *,
    key: str,
    marked: Sequence[int] = (),
    what: str = "example",
) -> None:
    """Thumbnails of these examples, the chosen index marked; `on_choose` gets a clicked index.

    name: what all of them are, for those who cannot see them; marked: the indices with a dot;
    what: of which the index is the number.
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
            "what": what,
            "chosen": chosen,
            "marked": list(marked),
        },
        on_chosen_change=choose,
    )
