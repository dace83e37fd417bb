"""The slice that a live run is seen on: a plane chosen as the alternation begins, and G over it.

The plane comes from a short preview, since the path is not known yet, and it is kept: a picture
whose axes followed the run would hide that the run moves. Afterwards the landscape of any iterate,
with its own c_a held, costs a millisecond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.algorithm.observe import Iterate
from red_core.algorithm.options import DIFFUSION
from red_core.algorithm.problem import RedProblem
from red_core.landscape import Bounds, ImageSheet, Plane, Surface, planes_ahead
from red_core.run.bundle import Bundle
from red_core.run.experiment import make_starts, start_seeds
from red_core.run.settings import RunSettings

# By the channels of an image: steps of the preview, and points a side of the grids. About 0.2 s
# for MNIST; in colour a step, and an image of G, takes ten times as long.
PREVIEWED = {1: 40, 3: 20}
SIZES = {1: (13, 25), 3: (7, 13)}


@dataclass(frozen=True)
class SlicePlane:
    """The plane of a run and G over it.

    bounds: of what is drawn; sheet: G over the plane; begun: the k at which it was chosen; anchor
    [d], flat as all points of a plane: where the objective's latent penalty of weight `weight`
    pulls the leading start.
    """

    plane: Plane
    bounds: Bounds
    sheet: ImageSheet
    begun: int
    weight: float
    anchor: Tensor

    def spot(self, iterate: Iterate) -> tuple[float, float]:
        """Where an iterate (a batch of one) is seen: its z, projected on the plane."""
        x, y = self.plane.coordinates(iterate.z[0].flatten()).tolist()
        return x, y

    def surface(self, iterate: Iterate) -> Surface:
        """f over the plane, c_a held at an iterate, with the objective's latent penalty."""
        target = (iterate.image + iterate.residual).flatten()
        caption = f"with c_a held at step {iterate.k}."
        return self.sheet.surface(target, caption, latent_penalty=(self.weight, self.anchor))


def has_latent(settings: RunSettings) -> bool:
    """Whether a run moves z in a latent space; with a diffusion model z is an image itself."""
    return settings.solver_options().signal_step != DIFFUSION


def look_ahead(
    bundle: Bundle, runs: Sequence[RunSettings], problem: RedProblem, iterates: Sequence[Iterate]
) -> list[SlicePlane]:
    """The planes of runs whose alternation begins at their iterates, a batch of one each.

    problem: one item a run; the runs differ in their images and seeds alone.
    """
    options = runs[0].solver_options()
    seeds = [seed for settings in runs for seed in start_seeds(settings)]
    _, starts = make_starts(bundle, problem.observed, options, seeds)
    leaders = torch.cat([iterate.leader for iterate in iterates])
    anchors = starts[torch.arange(len(runs), device=starts.device), leaders]
    z = torch.cat([iterate.z for iterate in iterates]).to(anchors.device)
    channels = problem.observed.shape[1]
    ahead = planes_ahead(problem, z, options, anchors, PREVIEWED[channels])
    found = []
    for (plane, bounds), like, iterate, anchor in zip(ahead, z, iterates, anchors, strict=True):
        sheet = ImageSheet(problem.generator, like, plane, bounds, SIZES[channels])
        while not sheet.done:
            sheet.advance()
        pull = anchor.cpu().flatten()
        found.append(SlicePlane(plane, bounds, sheet, iterate.k, options.latent_weight, pull))
    return found
