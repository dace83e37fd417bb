"""The page's two parts, which follow what computes."""

from __future__ import annotations

from functools import partial

import streamlit as st
import torch

from pages.ui.compare.compare_page_state import PAGE, context_of
from pages.ui.compare.compare_registry import compare_registry
from pages.ui.compare.compare_request import CompareRequest
from pages.ui.compare.comparison import ComparisonView
from pages.ui.compare.section_methods import begin, card_context, choice, methods
from pages.ui.compare.section_strength import begin_sweep, strengths, why_not
from pages.ui.compare.sweep import SweepView
from pages.ui.live.compute_queue import DRAW_PRIORITY
from pages.ui.look.literal import literal
from pages.ui.look.page_style import banner, is_dark
from pages.ui.look.section import section
from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.undo.headlines import deception_headline
from pages.ui.undo.undo_registry import RunContext
from pages.ui.widgets import pictures
from pages.ui.widgets.live_part import live_part
from pages.ui.widgets.picture_row import RowPicture, picture_row


def page(current: CompareRequest) -> CompareRequest:
    """Draw everything but the sidebar; the request as the page's own controls leave it."""
    context = context_of(current)
    with section("What was done to the image"):
        _said(context)
    left, right = st.columns([2, 3], gap="large")
    with left, section("The pictures"):
        picture_row(_pictures(context), key="compare-image", side=112)
    with right, section("The choice of methods"):
        current = choice(current)
    # The style keeps room for words about so many methods.
    st.html(f"<style>:root {{ --compared: {len(current.methods)}; }}</style>")
    _begin(current, context)
    of_cards = card_context(context)
    # What a link begins computes already: without priority it could end before it is first drawn.
    widgets = PAGE.renewed
    with DRAW_PRIORITY.drawing():
        registry = compare_registry()
        with section("The strip of strengths"):
            live_part(
                "compare-strip",
                (lambda: None) if why_not(current) else registry.sweep_snapshot(current),
                partial(strengths, current, context),
                _busy,
                # A click on the strip asks for another request: all of the page follows.
                stale=lambda: PAGE.renewed != widgets,
                title="The answers by strength",
            )
        with section("The cards of the methods"):
            live_part(
                "compare-cards",
                registry.comparison_snapshot(current),
                partial(methods, current, context, of_cards),
                _busy,
                stale=lambda: PAGE.renewed != widgets,
                title="The answers of the methods",
            )
    return PAGE.current


def _busy(view: ComparisonView | SweepView | None) -> tuple[int, ...]:
    """What the rest of the page depends on."""
    return (view is not None and view.busy,)


def _begin(current: CompareRequest, context: RunContext) -> None:
    """What a link asks to run at once."""
    registry = compare_registry()
    if current.run and current.methods and registry.comparison(current) is None:
        begin(current, context)
    if (
        current.sweep
        and current.methods
        and not why_not(current)
        and registry.sweep(current) is None
    ):
        begin_sweep(current)


def _said(context: RunContext) -> None:
    """What was done to the image, in words."""
    made, settings, bundle = context.example, context.settings, context.parts.bundle
    names = [literal(name) for name in bundle.class_names]
    with torch.no_grad():
        both = bundle.psi(torch.cat((made.clean, made.attacked))).softmax(1).cpu()
    known = None if made.labels is None else names[int(made.labels[0])]
    banner(
        "image",
        "The image",
        deception_headline(
            None if settings.source == "realizable" else known,
            names[int(both[0].argmax())],
            names[int(both[1].argmax())],
            float(both[1].max()),
            settings.attack,
            settings.source,
            None if settings.target is None else names[settings.target],
        ),
    )


def _pictures(context: RunContext) -> list[RowPicture]:
    """x + delta = x'."""
    made, settings = context.example, context.settings
    delta = (made.attacked - made.clean).cpu()
    limit = max(float(delta.abs().max()), 1e-6)
    attack = settings.attack_settings()
    budget = "a pattern of D_a" if settings.source == "realizable" else "no perturbation"
    if attack is not None and settings.source != "realizable":
        budget = f"{ATTACK_LABELS[attack.kind]}, ε = {attack.eps:g}"
    return [
        RowPicture(pictures.picture(made.clean[0].cpu(), 4), "x", "the clean image", "The image x"),
        RowPicture(
            pictures.signed(delta[0], limit, 4, dark=is_dark()), "δ", budget,
            f"The perturbation delta, {budget}", sign="+",
        ),
        RowPicture(
            pictures.picture(made.attacked[0].cpu(), 4), "x'", "what every method gets",
            "The attacked image x'", sign="=",
        ),
    ]  # fmt: skip
