"""A plane before the path is known: the first steps of the alternation, taken ahead of time.

Neither the Hessian's extreme eigenvectors nor the gradient at the start say where z will go: c_a
is still zero there, and z first fits what c_a explains later. So the leading start alone is sent
ahead for some steps, and the plane is that of its short path. On 24 runs on digits such planes
showed 74 to 99% of the variance of the alternation's path, PCA after the run 77 to 100%.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import torch
from torch import Tensor

from red_core.algorithm.algorithm1 import solve
from red_core.algorithm.options import SolverOptions
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
FASTEST = 0.1  # up to this rate a gradient step on z is lengthened


def preview_path(
    problem: RedProblem,
    z: Tensor,
    options: SolverOptions,
    anchor: Tensor | None = None,
    steps: int = STEPS,
) -> Tensor:
    """Where the alternation goes from z [*latent] with c_a = 0, flat: [steps + 1, d].

    problem: one item; options: the run's, without its starting phase, its competing starts and its
    stopping rule; anchor [*latent]: where `latent_weight` pulls to (None: the origin). With Adam
    these are the very iterates of a run that carries this start alone. Plain gradient descent is
    slow, so its steps are lengthened to cover the whole run's distance. About 5 ms a step for
    MNIST.
    """
    rate = options.signal_rate
    if options.signal_step == "gradient" and options.steps > steps:
        rate = max(rate, min(FASTEST, rate * options.steps / steps))
    alone = replace(
        options,
        start_steps=0,
        carry=1,
        halve_at=(),
        tolerance=0.0,
        signal_rate=rate,
        steps=max(steps, options.steps),
    )
    anchors = None if anchor is None else anchor[None, None]
    path = []
    for state in islice(solve(problem, z[None, None], alone, anchors), steps + 1):
        if not bool(torch.isfinite(state.z).all()):
            break  # the run itself will say so
        path.append(state.z[0, 0])
    return torch.stack(path).flatten(1).detach()


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


def plane_ahead(
    problem: RedProblem,
    z: Tensor,
    options: SolverOptions,
    anchor: Tensor | None = None,
    steps: int = STEPS,
) -> tuple[Plane, Bounds]:
    """A plane and bounds for a run that is about to enter its alternation at z [*latent].

    problem, options, anchor, steps: as `preview_path`. Where the options freeze z there is
    nothing to preview: the plane is that of the Hessian's extreme eigenvectors at z, with c_a = 0.
    """
    if options.signal_step == "frozen":
        value = image_loss(problem.generator, z, problem.flat[0])
        plane = hessian_plane(value, z.flatten(), where="where the run keeps z")
        return plane, Bounds.around(plane.coordinates(z.flatten()), least=FROZEN_SIDE)
    path = preview_path(problem, z, options, anchor, steps)
    plane = preview_plane(path)
    return plane, Bounds.around(plane.coordinates(path), margin=MARGIN, least=LEAST_SIDE)
