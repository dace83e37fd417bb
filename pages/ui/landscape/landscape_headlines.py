"""What the page "Landscape" says in sentences: pure functions of numbers."""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor

from pages.ui.landscape.landscape_scan import SurfaceBase
from pages.ui.landscape.paths import PathsView
from pages.ui.landscape.slice import SliceView
from pages.ui.live.runner import Runner
from red_core.landscape import DIVERGED, MOVING, Basins, Plane
from red_core.landscape.conditions import ExcludedBalls
from red_core.landscape.plane import share

ALIGNED = 0.95  # cosine from which on a point is said to lie along z*
LARGE = 1.5  # times the safe step: beyond it a path may jump about for ever
SOLVED = 1e-12  # of f(0): an f below it is zero


def headline(base: SurfaceBase | None, basins: Basins | None) -> str:
    """What the landscape is like, in one line."""
    if base is None:
        return "Surveying the landscape."
    others, complete = base.stationary.spurious, base.stationary.complete
    if basins is None:
        return base.stationary.summary
    counts = Counter(basins.labels.tolist())
    total, solved = len(basins.labels), round(basins.solved * len(basins.labels))
    if solved == total and not others:
        rest = "there is" if complete else "the search found"
        return f"Every start ends at z*; {rest} no other stationary point."
    if solved == total:
        return "Every start ends at z*, past other stationary points."
    return _mixed(base, basins, counts, solved, total)


def _mixed(base: SurfaceBase, basins: Basins, counts: Counter[int], solved: int, total: int) -> str:
    """Some starts do not end at z*: where the most of them are."""
    points = basins.stationary.points
    elsewhere = {
        label: count for label, count in counts.items() if label >= 0 and not points[label].solution
    }
    if not elsewhere:
        if counts[DIVERGED] > counts[MOVING]:
            return f"{counts[DIVERGED]} of {total} starts fly away: the step is too large."
        if basins.eta > LARGE * base.eta:
            return f"{counts[MOVING]} of {total} starts never come to rest: the step is too large."
        if base.stationary.spurious:
            return f"{solved} of {total} starts end at z*; the rest are still on their way."
        return (
            f"{solved} of {total} starts are at z* after {basins.k} steps; the others have only "
            "not arrived yet."
        )
    most = max(elsewhere, key=elsewhere.__getitem__)
    stopped = sum(elsewhere.values())
    point = points[most]
    if point.value <= SOLVED * base.stationary.height:
        return f"{stopped} of {total} starts end at some z as good as z*: G cannot tell them apart."
    spots = len(elsewhere)
    where = place(point.z, base.inversion.z_star)
    what = "a spurious minimum" if point.kind == "minimum" else f"a {point.kind} place"
    if spots > 1:
        return f"{stopped} of {total} starts end at one of {spots} spurious points, most {where}."
    return f"{stopped} of {total} starts end at {what} {where}."


def pl_line(base: SurfaceBase | None) -> str:
    """Whether the PL condition can hold on all of the plane: a headline."""
    if base is None:
        return "It comes with the landscape."
    traps = [
        point
        for point in base.stationary.points
        if not point.solution and point.value > SOLVED * base.stationary.height
    ]
    if traps:
        where = "one point" if len(traps) == 1 else f"{len(traps)} points"
        return f"PL fails on this plane: the slope vanishes, or turns, at {where} with f above 0."
    least = float(base.quotients.nan_to_num(torch.inf).min())
    return f"PL holds on this grid: ‖∇f‖²/(2f) is nowhere below {least:.2g}."


def balls_line(balls: ExcludedBalls, epsilon: float, size: float) -> str:
    """The balls that Corollary 4 excludes, in numbers; size: the length of z*."""
    said = (
        f"Corollary 4 excludes starts within {balls.near / size:.2g} ‖z*‖ of z* and within "
        f"{balls.far / size:.2g} ‖z*‖ of -κ z*."
    )
    if epsilon > balls.largest:
        return f"{said} It admits a constant of {balls.largest:.1e} at most, so it says nothing."
    if epsilon > balls.whole:
        return f"{said} z* itself is excluded until the constant is below {balls.whole:.1e}."
    return said


def place(z: Tensor, z_star: Tensor) -> str:
    """Where a point [2] lies, as a multiple of z* if it is one: "near -0.34 z*"."""
    return multiple(z, z_star) or f"at ({float(z[0]):.2f}, {float(z[1]):.2f})"


def multiple(z: Tensor, z_star: Tensor) -> str:
    """As `place`, or nothing for a point that is no multiple of z*."""
    size = float(z_star.norm())
    if float(z.norm()) < 1e-9 * size:
        return "at the origin"
    if abs(float(z @ z_star)) < ALIGNED * size * float(z.norm()):
        return ""
    return f"near {float(z @ z_star) / size**2:.2f} z*"


def paths_line(view: PathsView | None) -> str:
    """How far the paths are."""
    if view is None or not view.ends:
        return "Click on a chart to let a path begin there."
    counts = Counter(view.ends)
    parts = [
        f"{counts[end]} {sentence}"
        for end, sentence in (
            ("moving", "paused" if view.paused else "moving"),
            ("at rest", "at rest"),
            ("out of steps", "out of steps"),
            ("diverged", "flown away"),
        )
        if counts[end]
    ]
    paths = "1 path" if len(view.ends) == 1 else f"{len(view.ends)} paths"
    return f"{paths}: {', '.join(parts)}. The longest has k = {view.k}."


def slice_headline(runner: Runner | None, view: SliceView | None) -> str:
    """What the slice shows of the run, in one line."""
    if runner is None:
        return "There is no run to cut through yet."
    run = runner.view()
    if run.state == "failed":
        return "The run failed, so there is nothing to cut through."
    if view is None or view.plane is None:
        last = run.frames[-1].k if run.frames else 0
        return f"Waiting for the run: step {last} of {run.total}."
    if view.plane.explained is None:
        return "A plane through the latent space."
    shown = share(sum(view.plane.explained))
    if run.state == "paused":
        return f"So far, this plane shows {shown} of how z moved."
    return f"This plane shows {shown} of how z moved."


def plane_line(plane: Plane, known: bool) -> str:
    """What the plane is and shows; known: whether z* is."""
    sentence = f"{plane.statement} Across: a, {plane.names[0]}. Up: b, {plane.names[1]}."
    return (
        sentence if known else f"{sentence} The last iterate stands in for z*, which nobody knows."
    )


def slice_line(view: SliceView | None) -> str:
    """The placeholder of the plane's own sentence."""
    if view is not None and view.error:
        return view.error
    if view is not None and view.place:
        return f"Waiting in line: {view.place} ahead."
    return "The plane, and how much of the path it shows, will be stated here."
