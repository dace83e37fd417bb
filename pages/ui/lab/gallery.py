"""The paper's experiments and a few lessons, at one press each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.ui.lab import texts
from pages.ui.lab.arrival import adopt
from pages.ui.lab.presets import ALL_PRESETS, LESSONS, PRESETS, Preset, preset_of
from pages.ui.lab.request import LabRequest


def gallery(held: LabRequest) -> None:
    """Draw the two rows of presets; the one whose numbers are shown is marked."""
    marked = preset_of(held)
    _row("The paper's experiments", PRESETS, 0, marked, texts.PRESETS)
    _row("Lessons", LESSONS, len(PRESETS), marked, texts.LESSONS)


def _row(label: str, presets: Sequence[Preset], first: int, marked: int | None, about: str) -> None:
    key, places = f"lab.preset.{first}", range(first, first + len(presets))
    st.session_state[key] = marked if marked in places else None

    def load() -> None:
        chosen = st.session_state[key]
        if chosen is not None:
            adopt(ALL_PRESETS[chosen].request)

    st.pills(
        label,
        places,
        format_func=lambda place: ALL_PRESETS[place].name,
        help="\n\n".join([about, *(f"**{one.name}.** {one.about}" for one in presets)]),
        key=key,
        on_change=load,
    )
