"""The path of a run in the latent space of its generator, and the planes that show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.algorithm.observe import Iterate
from red_core.landscape.curvature_plane import hessian_plane
from red_core.landscape.images import image_loss
from red_core.landscape.plane import Plane
from red_core.landscape.planes import difference_plane, pca_plane, random_plane
from red_core.run.bundle import Bundle
from red_core.run.experiment import make_starts, start_seeds
from red_core.run.settings import RunSettings


@dataclass(frozen=True)
class Trajectory:
    """The iterates of a run as a slice needs them: from the last of the start on.

    frames: the iterates; attacked: x' [1, C, H, W]; path [K, d]; jumps: positions at which another
    start took the lead; latent_penalty: (w, anchor [d]) of the objective, the anchor of the last
    leader; truth: z* [d], where it is known. Points are flat, whatever the shape of the frames' z.
    """

    frames: tuple[Iterate, ...]
    attacked: Tensor
    path: Tensor
    jumps: tuple[int, ...]
    latent_penalty: tuple[float, Tensor]
    truth: Tensor | None

    @property
    def like(self) -> Tensor:
        """One z in the generator's own shape, [*latent]."""
        return self.frames[-1].z[0]

    @property
    def ks(self) -> list[int]:
        """The steps of the iterates, ascending."""
        return [frame.k for frame in self.frames]

    def target(self, place: int) -> Tensor:
        """y = x' - D_a c_a [n] of one iterate: what G(z) has to reach while its c_a is held."""
        frame = self.frames[place]
        return (frame.image + frame.residual).flatten()

    def losses(self) -> list[float]:
        """f of every iterate, at its own c_a and with the latent penalty."""
        weight, anchor = self.latent_penalty
        return [
            float(frame.residual.square().sum() + weight * (z - anchor).square().sum())
            for frame, z in zip(self.frames, self.path, strict=True)
        ]


def trajectory_of(
    bundle: Bundle, settings: RunSettings, attacked: Tensor, frames: Sequence[Iterate],
    truth: Tensor | None,
) -> Trajectory:  # fmt: skip
    """The trajectory of a run's recorded iterates; at least one."""
    first = next((i for i, frame in enumerate(frames) if frame.phase == "joint"), 0)
    chosen = tuple(frames[first:])
    options = settings.solver_options()
    _, anchors = make_starts(bundle, attacked, options, start_seeds(settings))
    leaders = [int(frame.leader[0]) for frame in chosen]
    anchor = anchors[0, leaders[-1]].detach().cpu().flatten()
    return Trajectory(
        chosen,
        attacked.detach().cpu(),
        torch.cat([frame.z for frame in chosen]).flatten(1),
        tuple(i for i in range(1, len(leaders)) if leaders[i] != leaders[i - 1]),
        (options.latent_weight, anchor),
        None if truth is None else truth.detach().cpu().flatten(),
    )


def plane_of(bundle: Bundle, trajectory: Trajectory, kind: str) -> Plane:
    """The plane of a kind ("pca", "difference", "hessian" or "random") along the trajectory."""
    path, last = trajectory.path, trajectory.path[-1]
    if kind == "hessian":
        device = bundle.device
        latent_penalty = trajectory.latent_penalty[0], trajectory.latent_penalty[1].to(device)
        like, target = trajectory.like.to(device), trajectory.target(-1).to(device)
        value = image_loss(bundle.generator, like, target, latent_penalty)
        return hessian_plane(value, last.to(device), path, "at the last iterate")
    if kind == "difference" and len(path) > 1:
        star = last if trajectory.truth is None else trajectory.truth
        return difference_plane(path[0], star, path)
    if kind == "pca" and len(path) > 2:
        return pca_plane(path)
    return random_plane(last, path=path)
