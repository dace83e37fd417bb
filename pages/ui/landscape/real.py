"""The landscape of a real generator: a plane cut through the latent space along a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
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
from pages.ui.landscape.pointed import pictures_of, pointed, sheets_of
from pages.ui.landscape.slice import Slice, SliceView
from pages.ui.live.history import nearest
from pages.ui.live.runner import Runner
from pages.ui.live.stream import Slot
from pages.ui.look.page_style import banner, is_dark
from pages.ui.widgets import pictures
from pages.ui.widgets.live_part import LivePart, Steps, live_part
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
class SliceSnapshot:
    """A slice as it is drawn, and what of it is known."""

    cut: Slice
    view: SliceView

    @property
    def ready(self) -> bool:
        """Whether there is a surface."""
        return self.view.level >= 0


Live = LivePart[SliceSnapshot | None]
PlaceOf = Callable[[SliceSnapshot], int]  # which iterate of a slice is looked at


def real(request: LandscapeRequest, runner: Runner | None) -> None:
    """Draw the page for a slice along `runner`'s run; None where there is none."""
    head = st.container()
    sentence = texts.NO_RUN
    if runner is not None and not has_latent(runner.settings):
        runner, sentence = None, texts.NO_LATENT
    running = _running(runner)
    chosen = st.segmented_control(
        "Plane", PLANES, format_func=PLANE_LABELS.__getitem__, required=True,
        default=request.plane, help=texts.PLANE, key=PAGE.key("plane"),
        label_visibility="collapsed",
    )  # fmt: skip
    request = update_request(replace(request, plane=str(chosen)))
    cut = _cut(request, runner)
    if cut is not None:
        cut.wait(PATIENCE)

    def snapshot() -> SliceSnapshot | None:
        return None if cut is None else SliceSnapshot(cut, cut.view())

    drawn_from = snapshot()
    with head:
        banner("landscape", "Landscape · a slice", words.slice_headline(runner, _view(drawn_from)))
    live_part(
        "landscape-slice",
        snapshot,
        partial(_draw, request, sentence if runner is None else ""),
        lambda snapshot: _state_key(_running(runner), snapshot),
        drawn=_state_key(running, drawn_from),
        title="The slice",
    )
    with st.expander("What am I seeing?"):
        st.markdown(texts.SLICE)


def _cut(request: LandscapeRequest, runner: Runner | None) -> Slice | None:
    """The slice of what the run has recorded, once it is paused or has ended."""
    if runner is None:
        return None
    run = runner.view()
    if run.state == "running" or not run.frames:
        return None
    truth = None if runner.example.truth is None else runner.example.truth[0]
    return landscape_registry().slice(
        runner.parts,
        lambda: trajectory_of(
            runner.parts.bundle, runner.settings, runner.example.attacked, run.frames, truth
        ),
        request.plane,
        (runner, len(run.frames)),
    )


def _view(snapshot: SliceSnapshot | None) -> SliceView | None:
    return None if snapshot is None else snapshot.view


def _running(runner: Runner | None) -> bool:
    """Whether the run goes on: it is cut once it is paused or has ended."""
    return runner is not None and runner.view().state == "running"


def _state_key(running: bool, snapshot: SliceSnapshot | None) -> tuple[bool, bool]:
    """Whether anything changes by itself; whether there is a plane."""
    cutting = snapshot is not None and snapshot.view.busy
    return running or cutting, snapshot is not None and snapshot.view.plane is not None


def _place_of() -> PlaceOf:
    """The iterate that is looked at: the last, until another is chosen."""
    at = st.session_state.get("landscape.k")

    def place(snapshot: SliceSnapshot) -> int:
        ks = snapshot.cut.trajectory.ks
        return len(ks) - 1 if at is None else nearest(ks, int(at))

    return place


def _draw(request: LandscapeRequest, sentence: str, live: Live) -> None:
    """sentence: why there is nothing to see, where there will not be."""
    place_of = _place_of()
    live.words("statement", lambda snapshot: _said(sentence, snapshot), "small")
    _charts(request, live, place_of)
    _scrubber(live, place_of)
    left, right = st.columns(2, gap="medium")
    with left:
        _pictures(live, place_of)
    with right:
        live.chart("away", lambda snapshot: _away(snapshot, place_of), height=250)


def _said(sentence: str, snapshot: SliceSnapshot | None) -> str:
    if snapshot is not None and snapshot.view.plane is not None:
        return words.plane_line(snapshot.view.plane, snapshot.cut.trajectory.truth is not None)
    return sentence or words.slice_line(_view(snapshot))


def _charts(request: LandscapeRequest, live: Live, place_of: PlaceOf) -> None:
    def relief(snapshot: SliceSnapshot | None) -> Relief | None:
        ready = snapshot is not None and snapshot.ready
        return _relief(snapshot, place_of(snapshot), request.log) if snapshot and ready else None

    def marks(snapshot: SliceSnapshot | None, on: Relief | None) -> list[Mark]:
        return [] if snapshot is None or on is None else [_solution(snapshot, on)]

    def above(snapshot: SliceSnapshot | None) -> go.Figure:
        on = relief(snapshot)
        return above_figure(on, marks(snapshot, on), names=NAMES, limits=LIMITS)

    def tall(snapshot: SliceSnapshot | None) -> go.Figure:
        on = relief(snapshot)
        return tall_figure(on, marks(snapshot, on), names=NAMES, limits=LIMITS)

    def path_above(snapshot: SliceSnapshot | None) -> list[dict[str, Any]]:
        if snapshot is None or not snapshot.ready:
            return []
        return above_trails([_trail(snapshot)], [_drawn(snapshot, place_of(snapshot))])

    def path_tall(snapshot: SliceSnapshot | None) -> list[dict[str, Any]]:
        on = relief(snapshot)
        if snapshot is None or on is None:
            return []
        return tall_trails(
            on, [_trail(snapshot)], [_drawn(snapshot, place_of(snapshot))], on_surface=True
        )

    left, right = st.columns(2, gap="medium")
    with left:
        live.chart(CHARTS[0], above, height=HEIGHT)
    with right:
        live.chart(CHARTS[1], tall, height=HEIGHT)
    with st.container(key="overlays"):
        live.overlay(path_above, on=CHARTS[0])
        live.overlay(path_tall, on=CHARTS[1])


def _relief(snapshot: SliceSnapshot, place: int, log: bool) -> Relief:
    surface = snapshot.cut.surface(place, snapshot.view.level)
    return Relief(
        surface.x.numpy(),
        surface.y.numpy(),
        surface.values.double().numpy(),
        NAMES,
        log,
        steady=True,
    )


def _trail(snapshot: SliceSnapshot) -> Trail:
    """The course in the plane, with a gap wherever another start took the lead."""
    assert snapshot.view.plane is not None
    trajectory = snapshot.cut.trajectory
    xy = snapshot.view.plane.coordinates(trajectory.path).numpy()
    values, ks = np.array(trajectory.losses()), np.array(trajectory.ks)
    for jump in reversed(trajectory.jumps):
        xy = np.insert(xy, jump, np.nan, axis=0)
        values, ks = np.insert(values, jump, np.nan), np.insert(ks, jump, ks[jump])
    return Trail(xy[:, 0], xy[:, 1], values, ks)


def _drawn(snapshot: SliceSnapshot, place: int) -> int:
    """The position in the trail of an iterate: gaps come before it."""
    return place + sum(jump <= place for jump in snapshot.cut.trajectory.jumps)


def _solution(snapshot: SliceSnapshot, relief: Relief) -> Mark:
    """z*, or what stands in for it."""
    assert snapshot.view.plane is not None
    trajectory = snapshot.cut.trajectory
    known = trajectory.truth is not None
    z = trajectory.truth if trajectory.truth is not None else trajectory.path[-1]
    x, y = snapshot.view.plane.coordinates(z).tolist()
    away = float(snapshot.view.plane.off_plane(z))
    sentence = "z*, which is known here" if known else "the last iterate; it stands in for z*"
    text = f"{sentence}<br>{away:.2g} from the plane"
    value = float(relief.at(np.array([x]), np.array([y]))[0])
    return Mark(x, y, value, "solution", text)


def _scrubber(live: Live, place_of: PlaceOf) -> None:
    """Which iterate is looked at."""
    snapshot = live.seen
    ks = [0, 1] if snapshot is None else snapshot.cut.trajectory.ks
    place = 0 if snapshot is None else place_of(snapshot)
    still = snapshot is not None and len(ks) > 1
    with row():
        back_and_forward(ks, place, still, "landscape.", (texts.BACK, texts.FORWARD), _go)
    live.steps(
        "Iterate k", lambda snapshot: _steps(snapshot, place_of), key="landscape-iterate",
        help=texts.ITERATE, go=_go,
    )  # fmt: skip


def _steps(snapshot: SliceSnapshot | None, place_of: PlaceOf) -> Steps:
    """The slider's part of a slice."""
    if snapshot is None:
        return Steps()
    ks = snapshot.cut.trajectory.ks
    return Steps(ks[place_of(snapshot)], ks[-1], True, ks[0])


def _go(k: int) -> None:
    st.session_state["landscape.k"] = k


def _pictures(live: Live, place_of: PlaceOf) -> None:
    """G(z) of what is pointed at, what G(z) has to reach while c_a is held, and x'."""
    nothing = nothing_yet(is_dark())

    def beside(snapshot: SliceSnapshot | None) -> list[RowPicture]:
        attacked = target = nothing
        k = ""
        if snapshot is not None:
            place = place_of(snapshot)
            shape = snapshot.cut.trajectory.frames[0].image.shape[1:]
            wanted = snapshot.cut.trajectory.target(place).reshape(shape).cpu()
            attacked = pictures.picture(snapshot.cut.attacked.reshape(shape).cpu(), 4)
            target = pictures.picture(wanted, 4)
            k = f" at k = {snapshot.cut.trajectory.ks[place]}"
        return [
            RowPicture(target, "x' - D_a c_a", f"what G(z) has to reach{k}", "What is left for G"),
            RowPicture(attacked, "x'", "the attacked image", "The attacked image"),
        ]

    def shown(snapshot: SliceSnapshot | None) -> int:
        sheets = None if snapshot is None else snapshot.cut.sheets
        if snapshot is None or sheets is None:
            return 0
        return nearest(sheets.ks, snapshot.cut.trajectory.ks[place_of(snapshot)])

    def sheets_slot(snapshot: SliceSnapshot | None) -> Slot:
        bounds = LIMITS
        if snapshot is not None and snapshot.view.bounds is not None:
            b = snapshot.view.bounds
            bounds = (b.left, b.right, b.low, b.high)
        return sheets_of(None if snapshot is None else snapshot.cut.sheets, bounds)

    pointed(
        live.slot("pointed-sheets", sheets_slot),
        live.slot("pointed", lambda snapshot: pictures_of(shown(snapshot), beside(snapshot))),
        charts=CHARTS,
        key="pointed",
    )


def _away(snapshot: SliceSnapshot | None, place_of: PlaceOf) -> go.Figure:
    """How far the path is from its end within the plane, and from the plane."""
    if snapshot is None or snapshot.view.plane is None:
        return away_figure([], [], [])
    trajectory, plane = snapshot.cut.trajectory, snapshot.view.plane
    xy = plane.coordinates(trajectory.path)
    within = torch.linalg.vector_norm(xy - xy[-1], dim=1).numpy()
    away = plane.off_plane(trajectory.path).numpy()
    return away_figure(trajectory.ks, within, away, trajectory.ks[place_of(snapshot)])
