"""A plane before the path is known: the first steps of the alternation, taken ahead of time.

Neither the Hessian's extreme eigenvectors nor the gradient at the start say where z will go: c_a
is still zero there, and z first fits what c_a explains later. So a leading start alone is sent
ahead for some steps, and the plane is that of its short path. On 24 runs on digits such planes
showed 74 to 99% of the variance of the alternation's path, PCA after the run 77 to 100%.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import torch
from torch import Tensor

from red_core.algorithm.algorithm1 import solve
from red_core.algorithm.options import SQUARED, SolverOptions
from red_core.algorithm.problem import RedProblem
from red_core.landscape.curvature_plane import hessian_plane
from red_core.landscape.images import image_loss
from red_core.landscape.plane import Plane
from red_core.landscape.principal import principal_axes
from red_core.landscape.surface import Bounds

STEPS = 60
MARGIN = 0.5  # on every side: of 24 runs on digits, none left such bounds
LEAST_SIDE = 0.1
FROZEN_SIDE = 2.0  # z has unit variance in every direction
FASTEST = 0.1  # up to this rate a step on z is lengthened
LONG = 4  # times the preview's steps: an Adam run whose preview would show too little of its path


def preview_paths(
    problem: RedProblem,
    z: Tensor,
    options: SolverOptions,
    anchors: Tensor | None = None,
    steps: int = STEPS,
) -> list[Tensor]:
    """Where the alternation of each item goes from z [B, *latent] with c_a = 0: [steps + 1, d].

    options: the run's, without its starting phase, its competing starts and its stopping rule;
    anchors [B, *latent]: where `latent_weight` pulls to (None: the origin). With Adam these are the
    very iterates of a run that carries this start alone, unless the run is LONG. Plain gradient
    descent is slow, so its steps are lengthened to cover the whole run's distance; so are Adam's in
    a long run, whose path turns back half of the way. A path ends before the first z that is not
    finite. About 5 ms a step for one image of MNIST.
    """
    rate, times = options.signal_rate, options.steps / steps
    if options.signal_step == "gradient" and times > 1:
        rate = max(rate, min(FASTEST, rate * times))
    elif options.signal_step == "adam" and times > LONG:
        rate = max(rate, min(FASTEST, rate * times / 2))
    alone = replace(
        options,
        start_steps=0,
        start_loss=SQUARED,
        start_l1_weight=0.0,
        carry=1,
        halve_at=(),
        tolerance=0.0,
        signal_rate=rate,
        steps=max(steps, options.steps),
    )
    starts = None if anchors is None else anchors[:, None]
    places = []
    for state in islice(solve(problem, z[:, None], alone, starts), steps + 1):
        places.append(state.z[:, 0].flatten(1).detach())
        if not bool(places[-1].isfinite().all(1).any()):
            break  # the runs themselves will say so
    paths = torch.stack(places, dim=1)
    lengths = paths.isfinite().all(-1).long().cumprod(1).sum(1)
    return [path[:length] for path, length in zip(paths, lengths.tolist(), strict=True)]


def preview_plane(path: Tensor) -> Plane:
    """The plane in which a previewed path [K, d] varies most, through its first point.

    Nothing is said of what it explains: the run's own path is not known yet.
    """
    axes, _ = principal_axes(path)
    return Plane(
        path[0],
        axes,
        ("first direction of the preview", "second direction of the preview"),
        f"The two directions in which a preview of {len(path) - 1} steps moved most, chosen "
        "before the run and kept while it goes on.",
    )


def planes_ahead(
    problem: RedProblem,
    z: Tensor,
    options: SolverOptions,
    anchors: Tensor | None = None,
    steps: int = STEPS,
) -> list[tuple[Plane, Bounds]]:
    """A plane and bounds for each run that is about to enter its alternation at z [B, *latent].

    problem, options, anchors, steps: as `preview_paths`. Where the options freeze z there is
    nothing to preview: the plane is that of the Hessian's extreme eigenvectors at z, with c_a = 0.
    """
    if options.signal_step == "frozen":
        return [_frozen(problem, place, each) for place, each in enumerate(z)]
    found = []
    for path in preview_paths(problem, z, options, anchors, steps):
        plane = preview_plane(path)
        bounds = Bounds.around(plane.coordinates(path), margin=MARGIN, least=LEAST_SIDE)
        found.append((plane, bounds))
    return found


def _frozen(problem: RedProblem, item: int, z: Tensor) -> tuple[Plane, Bounds]:
    value = image_loss(problem.generator, z, problem.flat[item])
    plane = hessian_plane(value, z.flatten(), where="where the run keeps z")
    return plane, Bounds.around(plane.coordinates(z.flatten()), least=FROZEN_SIDE)
