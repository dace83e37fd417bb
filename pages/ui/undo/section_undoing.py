"""Act 2, undoing it: the frames of G(z^k), block energies, loss, gap and mu, as they come."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st
import torch

from pages.ui.charts.energies import energy_figure
from pages.ui.charts.traces import loss_figure, mu_figure
from pages.ui.landscape import landscape_help_texts as landscape_texts
from pages.ui.live.history import GRID, grid_frames, nearest
from pages.ui.live.run_view import RunView
from pages.ui.live.runner import Runner
from pages.ui.live.slice_plane import has_latent
from pages.ui.look.page_style import headline, is_dark
from pages.ui.look.theme import LIGHT
from pages.ui.undo import headlines as words
from pages.ui.undo import help_texts as texts
from pages.ui.undo.section_landscape import landscape
from pages.ui.undo.undo_registry import RunContext
from pages.ui.undo.undo_transport import position, transport
from pages.ui.widgets import pictures
from pages.ui.widgets.live_chart import live_chart
from pages.ui.widgets.picture_row import RowPicture, picture_row
from red_core.data.datasets import SHAPES, short_name
from red_core.theory import rank_sentence

_SCALE = 4  # of the frames in the grid


def undoing(context: RunContext, runner: Runner | None, view: RunView | None) -> None:
    """Draw the act for one moment of a run, or for none."""
    headline(2, "Undoing it", words.undoing_headline(view, has_latent(context.settings)))
    transport(context, view)
    if view is not None and view.error:
        st.error(view.error)
    place = position(view)
    left, right = st.columns(2, gap="medium")
    with left:
        _frames(context, runner, view, place)
        _loss(context, view, place)
    with right:
        _energies(context, view, place)
        landscape(view, place, has_latent(context.settings))
        _mu(context, view, place)
    with st.expander("What am I seeing?"):
        st.markdown(_taught(context))


def _taught(context: RunContext) -> str:
    """What the act shows, for this data set and preset."""
    dataset = context.settings.dataset
    about = texts.about(texts.ACT_2, dataset)
    if not has_latent(context.settings):
        return about + texts.ACT_2_DIFFUSION
    if dataset == "cifar10":
        about += texts.ACT_2_W_PLUS
    return about + landscape_texts.ACT_2


def _frames(
    context: RunContext, runner: Runner | None, view: RunView | None, place: int | None
) -> None:
    """Figure 4: G(z^k) with k and psi's answer under each."""
    names = context.parts.bundle.class_names
    chosen = [] if view is None else grid_frames(view.frames, view.planned)
    images, captions = torch.zeros(0, *SHAPES[context.settings.dataset]), list[str]()
    marked = None
    if view is not None and runner is not None and chosen and place is not None:
        shown = [view.frames[i] for i in chosen]
        marked = nearest([frame.k for frame in shown], view.frames[place].k)
        shown[marked] = view.frames[place]  # the iterate looked at, in its neighbour's place
        images = torch.cat([frame.image for frame in shown])
        answers = runner.labels(shown)
        captions = [
            f"{frame.k}: {short_name(names[answer])}"
            for frame, answer in zip(shown, answers, strict=True)
        ]
    options = context.settings.solver_options()
    widest = f"{options.start_steps + options.steps}: {max(map(short_name, names), key=len)}"
    png = pictures.frame_grid(
        images, captions, scale=_SCALE, slots=GRID, dark=is_dark(), highlight=marked, widest=widest
    )
    height, width = pictures.cell(images.shape[2], images.shape[3], _SCALE)
    name = "G(z^k)" if has_latent(context.settings) else "D(x') of round k"
    caption = f"k: what ψ says of {name}, the frame looked at marked"
    still = RowPicture(
        png, f"{name}, the recovered signal", caption, "Frames of the recovered signal"
    )
    picture_row([still], key="frames", side=560, aspect=width / height, pixelated=False)


def _energies(context: RunContext, view: RunView | None, place: int | None) -> None:
    """||c_a[i][j]|| of every block at the iterate looked at."""
    bundle, settings, made = context.parts.bundle, context.settings, context.example
    attacks = bundle.dictionary.attacks
    energy, limit, truth = None, 1.0, None
    if view is not None and place is not None:
        energy = view.frames[place].block_energy[0]
        # The colours mean the same from frame to frame of what has been recorded.
        limit = max(float(frame.block_energy.max()) for frame in view.frames) or 1.0
    if view is not None and view.ended and made.labels is not None and settings.attack != "none":
        truth = int(made.labels[0]), attacks.index(settings.attack)
    figure = energy_figure(energy, bundle.class_names, attacks, limit, truth)
    live_chart(figure, key="energies", height=210)


def _loss(context: RunContext, view: RunView | None, place: int | None) -> None:
    """Objective and duality gap over the steps."""
    options = context.settings.solver_options()
    frames = () if view is None else view.frames
    figure = loss_figure(
        [frame.k for frame in frames],
        [float(frame.loss[0]) for frame in frames],
        [float(frame.gap[0]) for frame in frames],
        options.start_steps + options.steps,
        options.start_steps,
        words.start_name(has_latent(context.settings)),
    )
    live_chart(_with_cursor(figure, view, place), key="loss", height=230)


def _mu(context: RunContext, view: RunView | None, place: int | None) -> None:
    """mu where it is known; before that, and for a real image, what stands in for it."""
    options = context.settings.solver_options()
    theory = None if view is None else view.theory
    name = "norm of the proximal-gradient step"
    values: Sequence[float] = () if view is None else view.live
    if context.example.truth is not None and has_latent(context.settings):
        name = "μ to the known z*, c_a*"
    elif theory is not None and has_latent(context.settings):
        name, values = "μ to the last iterate", theory.mu
    figure = mu_figure(
        [] if view is None else [frame.k for frame in view.frames],
        values,
        name,
        options.start_steps + options.steps,
        options.start_steps,
        words.start_name(has_latent(context.settings)),
    )
    live_chart(_with_cursor(figure, view, place), key="mu", height=200)
    told = words.theory_line(theory, has_latent(context.settings))
    st.caption(told, help=f"{texts.THEORY}\n\n{_ranks(context, view)}")


def _ranks(context: RunContext, view: RunView | None) -> str:
    """What the ranks allow mu to be, once a run has needed that of D_a."""
    rank, dictionary = context.parts.rank, context.parts.bundle.dictionary
    if rank is None or view is None or not view.frames:
        return texts.NO_RANKS
    latent = view.frames[-1].z[0].numel()
    return rank_sentence(rank, dictionary.size, latent, len(dictionary.atoms))


def _with_cursor(figure: go.Figure, view: RunView | None, place: int | None) -> go.Figure:
    """A line at the iterate looked at, once the run stands still."""
    if view is not None and place is not None and view.state != "running":
        k = view.frames[place].k
        figure.add_shape(
            type="line", x0=k, x1=k, y0=0, y1=1, yref="paper",
            line={"color": LIGHT.accent, "width": 1.5},
        )  # fmt: skip
    return figure
