"""The landscape of a real generator: a plane cut through the latent space along a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st
import torch

from pages.ui.charts.landscape import (
    Mark,
    Relief,
    Trail,
    above_figure,
    above_trails,
    away_figure,
    tall_figure,
    tall_trails,
)
from pages.ui.landscape import landscape_headlines as words
from pages.ui.landscape import landscape_help_texts as texts
from pages.ui.landscape.landscape_page_state import PAGE, update_request
from pages.ui.landscape.landscape_registry import landscape_registry
from pages.ui.landscape.landscape_request import PLANES, LandscapeRequest
from pages.ui.landscape.pointed import pointed
from pages.ui.landscape.slice import Slice, SliceView
from pages.ui.live.history import nearest
from pages.ui.live.redrawn import redrawn
from pages.ui.live.runner import Runner
from pages.ui.look.page_style import banner, is_dark
from pages.ui.widgets import pictures
from pages.ui.widgets.live_chart import live_chart, overlay
from pages.ui.widgets.picture_row import RowPicture, nothing_yet
from pages.ui.widgets.transport import back_and_forward, row
from red_core.landscape import trajectory_of
from red_core.recording.slice_plane import has_latent

PLANE_LABELS = {"pca": "PCA", "hessian": "Hessian", "difference": "z* - z⁰", "random": "Random"}
CHARTS = ("slice-above", "slice-tall")
HEIGHT = 430
PATIENCE = 1.0  # seconds the page waits for a first surface rather than draw an empty one
NAMES = ("a", "b")  # of a plane's coordinates
LIMITS = (-1.0, 1.0, -1.0, 1.0)  # of the empty charts


@dataclass(frozen=True)
class Look:
    """A slice as it is drawn: what of it is known, and which iterate is looked at."""

    cut: Slice
    view: SliceView
    place: int

    @property
    def ready(self) -> bool:
        """Whether there is a surface."""
        return self.view.level >= 0


def real(request: LandscapeRequest, runner: Runner | None) -> None:
    """Draw the page for a slice along `runner`'s run; None where there is none."""
    head = st.container()
    sentence = texts.NO_RUN
    if runner is not None and not has_latent(runner.settings):
        runner, sentence = None, texts.NO_LATENT
    chosen = st.segmented_control(
        "Plane", PLANES, format_func=PLANE_LABELS.__getitem__, required=True,
        default=request.plane, help=texts.PLANE, key=PAGE.key("plane"),
        label_visibility="collapsed",
    )  # fmt: skip
    request = update_request(replace(request, plane=str(chosen)))
    look = _look(request, runner)
    if look is not None:
        look.cut.wait(PATIENCE)
        look = _look(request, runner)
    with head:
        banner("landscape", "Landscape · a slice", words.slice_headline(runner, _view(look)))
    redrawn(
        look,
        lambda: _look(request, runner),
        lambda look: _draw(request, look, sentence if runner is None else ""),
        lambda look: _marks(runner, look),
        name="The slice",
    )
    with st.expander("What am I seeing?"):
        st.markdown(texts.SLICE)


def _look(request: LandscapeRequest, runner: Runner | None) -> Look | None:
    """The slice of what the run has recorded, once it is paused or has ended."""
    if runner is None:
        return None
    run = runner.view()
    if run.state == "running" or not run.frames:
        return None
    truth = None if runner.example.truth is None else runner.example.truth[0]
    cut = landscape_registry().slice(
        runner.parts,
        lambda: trajectory_of(
            runner.parts.bundle, runner.settings, runner.example.attacked, run.frames, truth
        ),
        request.plane,
        (runner, len(run.frames)),
    )
    ks = cut.trajectory.ks
    at = st.session_state.get("landscape.k")
    return Look(cut, cut.view(), len(ks) - 1 if at is None else nearest(ks, int(at)))


def _view(look: Look | None) -> SliceView | None:
    return None if look is None else look.view


def _marks(runner: Runner | None, look: Look | None) -> tuple[bool, bool]:
    """Whether anything changes by itself; whether there is a plane."""
    busy = runner is not None and runner.view().state == "running"
    cutting = look is not None and look.view.busy
    return busy or cutting, look is not None and look.view.plane is not None


def _draw(request: LandscapeRequest, look: Look | None, sentence: str) -> None:
    """sentence: why there is nothing to see, where there will not be."""
    sentence = sentence or words.slice_line(_view(look))
    if look is not None and look.view.plane is not None:
        sentence = words.plane_line(look.view.plane, look.cut.trajectory.truth is not None)
    with st.container(key="statement"):  # of fixed height: what is below stays where it is
        st.caption(sentence)
    _charts(request, look)
    _scrubber(look)
    left, right = st.columns(2, gap="medium")
    with left:
        _pictures(look)
    with right:
        _away(look)


def _charts(request: LandscapeRequest, look: Look | None) -> None:
    relief, marks = None, list[Mark]()
    traces: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    if look is not None and look.ready:
        relief = _relief(look, request.log)
        trail = _trail(look)
        marks = [_solution(look, relief)]
        at = [_drawn(look, look.place)]
        traces = (
            above_trails([trail], at),
            tall_trails(relief, [trail], at, on_surface=True),
        )
    left, right = st.columns(2, gap="medium")
    with left:
        live_chart(
            above_figure(relief, marks, names=NAMES, limits=LIMITS), key=CHARTS[0], height=HEIGHT
        )
    with right:
        live_chart(
            tall_figure(relief, marks, names=NAMES, limits=LIMITS), key=CHARTS[1], height=HEIGHT
        )
    with st.container(key="overlays"):
        for chart, drawn in zip(CHARTS, traces, strict=True):
            overlay(drawn, on=chart)


def _relief(look: Look, log: bool) -> Relief:
    surface = look.cut.surface(look.place, look.view.level)
    return Relief(
        surface.x.numpy(),
        surface.y.numpy(),
        surface.values.double().numpy(),
        NAMES,
        log,
        steady=True,
    )


def _trail(look: Look) -> Trail:
    """The course in the plane, with a gap wherever another start took the lead."""
    assert look.view.plane is not None
    trajectory = look.cut.trajectory
    xy = look.view.plane.coordinates(trajectory.path).numpy()
    values, ks = np.array(trajectory.losses()), np.array(trajectory.ks)
    for jump in reversed(trajectory.jumps):
        xy = np.insert(xy, jump, np.nan, axis=0)
        values, ks = np.insert(values, jump, np.nan), np.insert(ks, jump, ks[jump])
    return Trail(xy[:, 0], xy[:, 1], values, ks)


def _drawn(look: Look, place: int) -> int:
    """The position in the trail of an iterate: gaps come before it."""
    return place + sum(jump <= place for jump in look.cut.trajectory.jumps)


def _solution(look: Look, relief: Relief) -> Mark:
    """z*, or what stands in for it."""
    assert look.view.plane is not None
    trajectory = look.cut.trajectory
    known = trajectory.truth is not None
    z = trajectory.truth if trajectory.truth is not None else trajectory.path[-1]
    x, y = look.view.plane.coordinates(z).tolist()
    away = float(look.view.plane.off_plane(z))
    sentence = "z*, which is known here" if known else "the last iterate; it stands in for z*"
    text = f"{sentence}<br>{away:.2g} from the plane"
    value = float(relief.at(np.array([x]), np.array([y]))[0])
    return Mark(x, y, value, "solution", text)


def _scrubber(look: Look | None) -> None:
    """Which iterate is looked at."""
    ks = [0, 1] if look is None else look.cut.trajectory.ks
    place = 0 if look is None else look.place
    still = look is not None and len(ks) > 1
    with row():
        back_and_forward(ks, place, still, "landscape.", (texts.BACK, texts.FORWARD), _go)
    key = "landscape.iterate" if still else "landscape.iterate.none"
    st.session_state[key] = ks[place]
    st.slider(
        "Iterate k", ks[0], max(ks[-1], ks[0] + 1), help=texts.ITERATE, key=key,
        disabled=not still, on_change=lambda: _go(int(st.session_state[key])),
    )  # fmt: skip


def _go(k: int) -> None:
    st.session_state["landscape.k"] = k


def _pictures(look: Look | None) -> None:
    """G(z) of what is pointed at, what G(z) has to reach while c_a is held, and x'."""
    sheets = None if look is None else look.cut.sheets
    bounds = LIMITS
    if look is not None and look.view.bounds is not None:
        b = look.view.bounds
        bounds = (b.left, b.right, b.low, b.high)
    attacked = target = nothing_yet(is_dark())
    k = ""
    if look is not None:
        shape = look.cut.trajectory.frames[0].image.shape[1:]
        wanted = look.cut.trajectory.target(look.place).reshape(shape).cpu()
        attacked = pictures.picture(look.cut.attacked.reshape(shape).cpu(), 4)
        target = pictures.picture(wanted, 4)
        k = f" at k = {look.cut.trajectory.ks[look.place]}"
    ks = () if sheets is None else sheets.ks
    pointed(
        charts=CHARTS,
        grid=None if sheets is None else sheets.grid,
        bounds=bounds,
        frames=None if sheets is None else sheets.frames,
        ks=ks,
        shown=nearest(ks, look.cut.trajectory.ks[look.place]) if look and ks else 0,
        beside=[
            RowPicture(target, "x' - D_a c_a", f"what G(z) has to reach{k}", "What is left for G"),
            RowPicture(attacked, "x'", "the attacked image", "The attacked image"),
        ],
        key="pointed",
    )


def _away(look: Look | None) -> None:
    """How far the path is from its end within the plane, and from the plane."""
    figure = away_figure([], [], [])
    if look is not None and look.view.plane is not None:
        trajectory, plane = look.cut.trajectory, look.view.plane
        xy = plane.coordinates(trajectory.path)
        within = torch.linalg.vector_norm(xy - xy[-1], dim=1).numpy()
        away = plane.off_plane(trajectory.path).numpy()
        figure = away_figure(trajectory.ks, within, away, trajectory.ks[look.place])
    live_chart(figure, key="away", height=250)
