"""Act 3, the verdict: x' = G(z) + D_a c_a + residual, and what follows, in words."""

from __future__ import annotations

from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.charts.verdict import margin_figure, residual_figure
from pages.ui.live.run_view import RunView
from pages.ui.live.slice_plane import has_latent
from pages.ui.look.page_style import headline, is_dark
from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.undo import headlines as words
from pages.ui.undo import help_texts as texts
from pages.ui.undo.undo_registry import RunContext
from pages.ui.undo.undo_transport import position
from pages.ui.widgets import pictures
from pages.ui.widgets.live_chart import live_chart
from pages.ui.widgets.picture_row import RowPicture, nothing_yet, picture_row
from red_core.algorithm.verdict import UNKNOWN
from red_core.run.experiment import readers_for


def answers_of(context: RunContext, view: RunView | None) -> words.Answers | None:
    """The verdict in names, once there is one."""
    if view is None or view.verdict is None:
        return None
    settings, bundle, made = context.settings, context.parts.bundle, context.example
    readers = readers_for(bundle, settings.preset)
    own_as_is = settings.source == "own" and settings.attack == "none"
    return words.answers(
        view.verdict,
        bundle.class_names,
        None if made.labels is None else int(made.labels[0]),
        None if own_as_is else settings.attack,
        silent=float(view.frames[-1].block_energy.max()) == 0,
        has_reader=readers.reader is not None,
        has_evidence=readers.evidence is not None,
    )


def verdict(context: RunContext, view: RunView | None) -> DeltaGenerator:
    """Draw the act; returns the place for its pictures, which change while a run goes on."""
    found = answers_of(context, view)
    headline(3, "The verdict", words.verdict_headline(found, "" if view is None else view.state))
    place = st.container()
    left, right = st.columns(2, gap="medium")
    with left:
        for sentence in words.verdict_sentences(found):
            st.markdown(sentence)
        st.html(table(found))
    with right:
        _charts(context, view)
    with st.expander("What am I seeing?"):
        st.markdown(texts.about(texts.ACT_3, context.settings.dataset))
    return place


def parts(context: RunContext, view: RunView | None) -> None:
    """Draw x' and its three parts at the iterate looked at."""
    picture_row(_parts(context, view), key="equation-3", side=200)


def _charts(context: RunContext, view: RunView | None) -> None:
    """How sure both answers are, and the residual of every block."""
    bundle = context.parts.bundle
    attacks, names = bundle.dictionary.attacks, bundle.class_names
    verdict = None if view is None else view.verdict
    if verdict is None:
        figure = margin_figure(None, None, names, (*attacks, "none"))
        table = residual_figure(None, names, attacks)
    else:
        figure = margin_figure(
            verdict.signal_probabilities[0].cpu(),
            verdict.attack_probabilities[0].cpu(),
            names,
            verdict.known_names,
            known=int(verdict.attack_label[0]) < len(verdict.known_names),
        )
        table = residual_figure(verdict.block_residuals[0].cpu(), names, attacks)
    live_chart(figure, key="margins", height=210)
    live_chart(table, key="residuals", height=210)


def _parts(context: RunContext, view: RunView | None) -> list[RowPicture]:
    """x' and its three parts at the iterate looked at."""
    dark, place = is_dark(), position(view)
    name = words.recovered(has_latent(context.settings))
    attacked = RowPicture(
        pictures.picture(context.example.attacked[0].cpu()),
        "x'",
        "the attacked image",
        "The attacked image x'",
    )
    if view is None or place is None:
        empty = nothing_yet(dark)
        return [
            attacked,
            RowPicture(empty, name, "the signal", "Not known yet", "="),
            RowPicture(empty, "D_a c_a", "the attack", "Not known yet", "+"),
            RowPicture(empty, "residual", "the rest", "Not known yet", "+"),
        ]
    frame = view.frames[place]
    explained = context.example.attacked.cpu() - frame.image - frame.residual
    limit = max(float(explained.abs().max()), float(frame.residual.abs().max()), 1e-6)
    scale = texts.scale(f"±{limit:.2f}", explained.shape[1])
    return [
        attacked,
        RowPicture(
            pictures.picture(frame.image[0]),
            name,
            f"the signal at k = {frame.k}",
            f"The recovered signal {name}",
            "=",
        ),
        RowPicture(
            pictures.signed(explained[0], limit, dark=dark),
            "D_a c_a",
            f"the attack, {scale}",
            "The recovered perturbation D_a c_a",
            "+",
        ),
        RowPicture(
            pictures.signed(frame.residual[0], limit, dark=dark),
            "residual",
            f"the rest, {scale}",
            "What neither explains",
            "+",
        ),
    ]


def table(found: words.Answers | None) -> str:
    """Who says what, as an HTML table; dashes while nobody has said anything."""
    rows = [("the truth", "–", "–"), ("ψ on x'", "–", ""), ("this preset", "–", "–")]
    rows += [("the paper's rules", "–", "–")]
    if found is not None:
        attacks = {**ATTACK_LABELS, UNKNOWN: "none of the known"}
        true = found.true_signal, found.true_attack
        rows = [
            (
                "the truth",
                found.true_signal or "not known",
                attacks.get(true[1] or "", "not known"),
            ),
            ("ψ on x'", _marked(found.adversarial, found.adversarial, true[0]), ""),
            (
                "this preset",
                _marked(found.signal, found.signal, true[0]),
                _marked(attacks[found.attack], found.attack, true[1]),
            ),
            (
                "the paper's rules",
                _marked(found.psi_signal, found.psi_signal, true[0]),
                _marked(attacks[found.block_attack], found.block_attack, true[1]),
            ),
        ]
    cells = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    head = "<tr><th>who</th><th>signal</th><th>attack</th></tr>"
    return f'<table class="answers"><thead>{head}</thead><tbody>{cells}</tbody></table>'


def _marked(text: str, said: str, true: str | None) -> str:
    """An answer with "right" or "wrong" behind it, where that is known."""
    return f"{text} {words.mark(said, true)}".strip()
