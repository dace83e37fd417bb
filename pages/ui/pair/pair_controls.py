"""The sidebar of the page "Two runs": what the two share, and the other run's own settings."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.ui.look.literal import literal, refused_settings
from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.pair.pair_page_state import WIDGETS
from pages.ui.pair.pair_request import PairRequest
from pages.ui.undo import undo_request
from pages.ui.undo.solver_controls import solver_controls
from red_core.data.datasets import CLASSES, TITLES
from red_core.recording.slice_plane import has_latent
from red_core.run.settings import SettingsError

START = (
    "The class that the classifier reads in the first picture that G draws; the other run then has "
    "this one start alone. Inversions that begin in a wrong class may stay there (B.7)."
)
_KEPT = "G made this picture from the seed: generator and seed stay as the first run has them."


def controls(current: PairRequest) -> PairRequest:
    """Draw the controls; the request they ask for, or the current one if it is refused."""
    first, names = current.first.settings, CLASSES[current.first.settings.dataset]
    st.subheader("The first run", anchor=False)
    image = {
        "example": f"image {first.index}",
        "photograph": f"photograph {first.index}",
        "own": "your own image",
        "realizable": f"an image that G made from seed {first.seed}",
    }[first.source]
    attack = "no attack" if first.attack == "none" else f"{ATTACK_LABELS[first.attack]} attack"
    title = literal(TITLES[first.dataset])
    st.caption(f"{title}, {image}, {attack}, preset {first.preset}, seed {first.seed}.")
    st.page_link(
        "undo.py", label="Open it alone", icon=":material/arrow_back:",
        query_params=undo_request.as_query(current.first),
    )  # fmt: skip
    st.subheader("The other run", anchor=False)
    made = first.source == "realizable"
    left_out = ("device", "generator", "seed") if made else ("device",)
    chosen = solver_controls(first.dataset, WIDGETS, left_out)
    if made:
        st.caption(_KEPT)
    st.subheader("Its start", anchor=False)
    start = st.selectbox(
        "Class of the start", range(len(names)), index=None, format_func=names.__getitem__,
        placeholder="Its own starts", help=START, key=f"{WIDGETS}.start",
    )  # fmt: skip
    try:
        other = replace(first, **chosen)
        request = replace(current, other=other, starts=(current.starts[0], start))
        if start is not None and not has_latent(other):
            raise SettingsError("a diffusion model has no z to begin from: choose no start class")
        _ = request.settings  # refused where a single start goes with no other option
    except SettingsError as error:
        st.error(refused_settings(error))
        return current
    return request
