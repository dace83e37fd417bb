"""Act 1, the attack: x + delta = x', and what the classifier says before and after."""

from __future__ import annotations

import streamlit as st
import torch

from pages.ui.charts.bars import probability_figure
from pages.ui.look.page_style import headline, is_dark
from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.undo import headlines as words
from pages.ui.undo import help_texts as texts
from pages.ui.undo.undo_registry import RunContext
from pages.ui.widgets import pictures
from pages.ui.widgets.live_chart import live_chart
from pages.ui.widgets.picture_row import RowPicture, picture_row
from red_core.attacks.pgd import ATTACKS, attack_norm


def attack_section(context: RunContext) -> None:
    """Draw the act."""
    bundle, made = context.parts.bundle, context.example
    names, settings = bundle.class_names, context.settings
    with torch.no_grad():
        both = bundle.psi(torch.cat((made.clean, made.attacked))).softmax(1).cpu()
    before, after = both[0], both[1]
    true = None if made.labels is None else names[int(made.labels[0])]
    headline(
        1,
        "The deception",
        words.deception_headline(
            true if settings.source != "realizable" else None,
            names[int(before.argmax())],
            names[int(after.argmax())],
            float(after.max()),
            settings.attack,
            settings.source,
            None if settings.target is None else names[settings.target],
        ),
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        picture_row(_pictures(context), key="equation-1", side=200)
    with right:
        attack = None if settings.attack == "none" else settings.attack
        live_chart(probability_figure(before, after, names, attack), key="bars", height=250)
    with st.expander("What am I seeing?"):
        st.markdown(texts.about(texts.ACT_1, settings.dataset))


def _pictures(context: RunContext) -> list[RowPicture]:
    made, settings = context.example, context.settings
    delta = (made.attacked - made.clean).cpu()
    limit = max(float(delta.abs().max()), 1e-6)
    kinds = ATTACKS if settings.attack == "none" else (settings.attack,)
    sizes = ", ".join(
        f"‖δ‖ = {float(attack_norm(delta, kind)[0]):.3g} in {ATTACK_LABELS[kind]}" for kind in kinds
    )
    if settings.attack == "none":
        sizes = "no perturbation"
    elif (attack := settings.attack_settings()) and settings.source != "realizable":
        sizes += f" (ε = {attack.eps:g})"
    span = f"±{limit:.2g}" if settings.attack != "none" else "zero"
    channels = delta.shape[1]
    ground = "a diverging scale" if channels == 1 else "mid-grey, on a scale"
    own = settings.source == "own"
    of_g = "G(z*), made by the generator" if settings.source == "realizable" else "the clean image"
    return [
        RowPicture(
            pictures.picture(made.clean[0].cpu()),
            "x",
            "your image" if own else of_g,
            "The clean image x",
        ),
        RowPicture(
            pictures.signed(delta[0], limit, dark=is_dark()),
            f"δ, {texts.scale(span, channels)}",
            sizes,
            f"The perturbation delta on {ground} of {span}",
            sign="+",
        ),
        RowPicture(
            pictures.picture(made.attacked[0].cpu()),
            "x'",
            "all that the solver sees",
            "The attacked image x'",
            sign="=",
        ),
    ]
