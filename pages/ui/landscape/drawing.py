"""From the core's landscape to what figures draw."""

from __future__ import annotations

import numpy as np

from pages.ui.charts.landscape import Basin, Fate, Mark, Relief, Ring
from pages.ui.landscape.landscape_headlines import SOLVED, place
from pages.ui.landscape.landscape_scan import SIDE, SurfaceBase
from red_core.landscape import DIVERGED, MOVING, Basins, StationaryPoint, Surface
from red_core.landscape.conditions import ExcludedBalls, excluded_balls

NAMES = ("z₁", "z₂")
MARKED = 0.01  # of f(0): a stationary point with a lower barrier gets no mark


def relief_of(surface: Surface, names: tuple[str, str], log: bool) -> Relief:
    """The surface as figures draw it."""
    values = surface.values.double().clamp_min(0).numpy()
    return Relief(surface.x.numpy(), surface.y.numpy(), values, names, log)


def pl_of(base: SurfaceBase) -> Relief:
    """The PL quotient as figures draw it; at a solution, where it asks nothing, the largest."""
    known = base.quotients.nan_to_num(0.0)
    values = base.quotients.nan_to_num(float(known.max())).numpy()
    x, y = base.surface.x.numpy(), base.surface.y.numpy()
    return Relief(x, y, values, NAMES, log=True, tight=True, what="‖∇f‖²/(2f)")


def rings_of(base: SurfaceBase, epsilon: float) -> tuple[ExcludedBalls, list[Ring]]:
    """Corollary 4's balls for a WDC constant, and their circles in the plane."""
    balls = excluded_balls(base.inversion, epsilon)
    star, centre = base.inversion.z_star.tolist(), balls.centre.tolist()
    rings = [
        Ring(star[0], star[1], balls.near, "excluded around z*"),
        Ring(centre[0], centre[1], balls.far, "excluded around -κ z*"),
    ]
    return balls, rings


def worth_a_mark(base: SurfaceBase, basins: Basins | None) -> list[StationaryPoint]:
    """z*, points with a barrier around them, and points where some starts end; lowest first."""
    reached = set() if basins is None else set(basins.labels.tolist())
    prominent = {id(point) for point in base.stationary.prominent(MARKED)}
    return [
        point
        for label, point in enumerate(base.stationary.points)
        if label in reached or id(point) in prominent
    ]


def marks_of(base: SurfaceBase, basins: Basins | None) -> list[Mark]:
    """The points worth a mark, and -kappa z* where it is predicted."""
    marks = []
    z_star = base.inversion.z_star
    for point in worth_a_mark(base, basins):
        kind = "solution" if point.solution else point.kind
        x, y = point.z.tolist()
        where = "" if point.solution else f", {place(point.z, z_star)}"
        text = f"{point.words}{where}<br>({x:.3f}, {y:.3f})<br>f = {point.value:.3g}"
        marks.append(Mark(x, y, point.value, kind, text))
    if base.predicted is not None:
        x, y = base.predicted.tolist()
        value = float(base.inversion.value(base.predicted))
        text = f"-κ z*, where the theory expects a stationary point<br>({x:.3f}, {y:.3f})"
        marks.append(Mark(x, y, value, "predicted", text))
    return marks


def basin_of(basins: Basins, base: SurfaceBase) -> Basin:
    """The basins: home is z* and all that is as good, a trap everything else."""
    starts = basins.starts.reshape(SIDE, SIDE, 2)
    names, fates, place_of = list[str](), list[Fate](), dict[int, int]()
    for label in sorted(set(basins.labels.tolist())):
        place_of[label] = len(names)
        if label in (MOVING, DIVERGED):
            names.append("still on its way" if label == MOVING else "flies away")
            fates.append("lost")
            continue
        point = basins.stationary.points[label]
        where = "" if point.solution else f" {place(point.z, base.inversion.z_star)}"
        names.append(f"ends at {point.words}{where}")
        solved = point.solution or point.value <= SOLVED * base.stationary.height
        fates.append("home" if solved else "trap")
    labels = np.array([place_of[label] for label in basins.labels.tolist()], dtype=np.int64)
    return Basin(
        starts[0, :, 0].numpy(),
        starts[:, 0, 1].numpy(),
        labels.reshape(SIDE, SIDE),
        names,
        fates,
    )
