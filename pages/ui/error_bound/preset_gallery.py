"""The paper's experiments and a few lessons, at one press each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.ui.error_bound import error_bound_help_texts as texts
from pages.ui.error_bound.error_bound_page_state import PAGE, load_request
from pages.ui.error_bound.error_bound_presets import (
    ALL_PRESETS,
    ATTACKED,
    LESSONS,
    PRESETS,
    Preset,
    preset_of,
)
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest


def gallery(current: ErrorBoundRequest) -> None:
    """Draw the three rows of presets; the one whose numbers are shown is marked."""
    marked = preset_of(current)
    _row("The paper's experiments", PRESETS, 0, marked, texts.PRESETS)
    _row("B.5 with an attack", ATTACKED, len(PRESETS), marked, texts.ATTACKED)
    _row("Lessons", LESSONS, len(PRESETS) + len(ATTACKED), marked, texts.LESSONS)


def _row(label: str, presets: Sequence[Preset], first: int, marked: int | None, about: str) -> None:
    places = range(first, first + len(presets))
    chosen_now = marked if marked in places else None
    key = PAGE.key(f"preset.{first}.{chosen_now}")  # a new one whenever another one is marked

    def load() -> None:
        pressed = st.session_state[key]
        again = chosen_now if pressed is None else pressed  # the marked one, pressed once more
        if again is not None:
            load_request(ALL_PRESETS[again].request)

    st.pills(
        label,
        places,
        default=chosen_now,
        format_func=lambda place: ALL_PRESETS[place].name,
        help="\n\n".join([about, *(f"**{one.name}.** {one.about}" for one in presets)]),
        key=key,
        on_change=PAGE.unless_renewed(load),
    )
