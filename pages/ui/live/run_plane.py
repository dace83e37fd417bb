"""Another plane for a run's path: its axes chosen by the visitor, once there is a path.

The plane that a run begins with is chosen ahead of it (`slice_plane`). These are chosen from what
the run has shown, and travel as one more event of it, so that a saved record holds them too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from pages.ui.live.compute_queue import COMPUTE_QUEUE, FairLock
from pages.ui.live.runner import Runner
from red_core.landscape import (
    ImageSheet,
    Plane,
    Trajectory,
    path_bounds,
    plane_of,
    trajectory_of,
)
from red_core.landscape.plane import share
from red_core.recording.record_file import floats
from red_core.recording.slice_plane import SIZES, has_latent

# By the name in an order: the kind in `plane_of`.
AXES = {"path": "pca", "difference": "difference", "curvature": "hessian"}
SURFACES = 10  # of the landscape over one plane, each with c_a of another step
LEAST = 3  # iterates of the alternation, from which a path has axes


class NoPlaneError(ValueError):
    """A plane that cannot be drawn; the message is for the user."""


def plane_event(runner: Runner, axes: str, line: FairLock = COMPUTE_QUEUE) -> dict[str, Any]:
    """The event "plane" of a run's path so far, see docs/record.md; axes: key of AXES.

    The z of every kept iterate from the last of the start on, projected on the plane, and f over
    it with c_a held at up to SURFACES of them. Takes turns in the line. Raises NoPlaneError where
    what the axes need is not known.
    """
    trajectory = _trajectory(runner, axes)
    bundle = runner.parts.bundle
    with line.turn():
        plane = plane_of(runner.parts.bundle, trajectory, AXES[axes])
        like = trajectory.like.to(bundle.device)
        bounds = path_bounds(plane, trajectory.path)
        sizes = SIZES[trajectory.attacked.shape[1]]
        sheet = ImageSheet(bundle.generator, like, plane, bounds, sizes)
    while not sheet.done:
        with line.turn():
            sheet.advance()
    last = len(trajectory.frames) - 1
    places = np.unique(np.linspace(0, last, min(SURFACES, last + 1)).round().astype(int))
    surfaces = []
    for place in places.tolist():
        k, target = trajectory.frames[place].k, trajectory.target(place)
        caption = f"with c_a held at step {k}."
        found = sheet.surface(target, caption, latent_penalty=trajectory.latent_penalty)
        surfaces.append({"k": k, "values": floats(found.values)})
    spots = plane.coordinates(trajectory.path)
    return {
        "axes": axes,
        "names": list(plane.names),
        "words": _said(plane),
        "statement": plane.statement,
        "k": floats([float(k) for k in trajectory.ks]),
        "spot_x": floats(spots[:, 0]),
        "spot_y": floats(spots[:, 1]),
        "x": [float(found.x[0]), float(found.x[-1])],
        "y": [float(found.y[0]), float(found.y[-1])],
        "size": [len(found.y), len(found.x)],
        "surfaces": surfaces,
    }


def _said(plane: Plane) -> str:
    """What the plane is, and how much of the path it shows, short enough to stand below it."""
    if plane.away is None:
        return plane.words
    return f"{plane.words} It holds {share(1 - plane.away)} of the path's variance."


def _trajectory(runner: Runner, axes: str) -> Trajectory:
    """The path so far; NoPlaneError where these axes cannot be drawn for it."""
    if not has_latent(runner.settings):
        raise NoPlaneError("A diffusion model has no z, so there is no plane of it.")
    frames = runner.view().frames
    moving = sum(frame.phase == "joint" for frame in frames)
    if moving < LEAST:
        raise NoPlaneError("There is no path yet: choose the axes once G and attack move together.")
    truth = runner.example.truth
    if axes == "difference" and truth is None:
        raise NoPlaneError(
            "z* is not known: it is where G made the picture. Choose the source made by the "
            "generator to see this plane."
        )
    star: torch.Tensor | None = None if truth is None else truth[0][0]
    bundle, attacked = runner.parts.bundle, runner.example.attacked
    return trajectory_of(bundle, runner.settings, attacked, frames, star)
