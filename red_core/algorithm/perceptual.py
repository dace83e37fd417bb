"""A perceptual loss of the start: a distance of feature maps, plus a share of the pixels' own.

The published code starts CIFAR-10 by LPIPS (Zhang et al. 2018) plus 0.5 L1. LPIPS compares a VGG's
feature maps, each place's channels scaled to length 1, and weighs the channels as people judge
pictures. Here the maps are those of the attacked classifier, and every channel counts alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from red_core.algorithm.options import PERCEPTUAL, SolverOptions
from red_core.algorithm.problem import Maps, RedProblem, unit_channels
from red_core.algorithm.state import State


def perceptual_distance(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """[R]: the squared distance of channels of length 1, its mean over places, summed over maps.

    first, second: maps [R, channels, h, w] of `unit_channels`, R or 1 of them. Each map adds 0 to
    4 (at most 2 where none of its values is negative).
    """
    each = [(a - b).square().sum(1).mean((1, 2)) for a, b in zip(first, second, strict=True)]
    return torch.stack(each).sum(0)


def start_losses(problem: RedProblem, images: Tensor, options: SolverOptions) -> Tensor:
    """The start's loss of each of R images [R, *signal_shape] beside every x', [B, R]."""
    if options.start_loss != PERCEPTUAL:
        return 0.5 * (problem.flat[:, None] - images.flatten(1)).square().sum(-1)
    maps = unit_channels(_maps_of(problem)(images))
    away = [
        perceptual_distance(maps, [each[item : item + 1] for each in problem.observed_maps])
        for item in range(len(problem))
    ]
    pixels = (images - problem.observed[:, None]).abs().flatten(2).mean(2)
    return torch.stack(away) + options.start_l1_weight * pixels


def evaluate_start(
    problem: RedProblem, state: State, options: SolverOptions, gradient: bool = True
) -> State:
    """The state with G(z), the start's loss and, where asked for, its gradient in z filled in."""
    if state.start_energy is not None and (state.start_gradient is not None or not gradient):
        return state
    shape = state.z.shape[:2]
    observed = problem.observed.repeat_interleave(shape[1], 0)
    observed_maps = [each.repeat_interleave(shape[1], 0) for each in problem.observed_maps]
    with torch.set_grad_enabled(gradient):
        z = state.z.detach().flatten(0, 1).requires_grad_(gradient)
        made = problem.generator(z)
        away = perceptual_distance(unit_channels(_maps_of(problem)(made)), observed_maps)
        pixels = (made - observed).abs().flatten(1).mean(1)
        energy = away + options.start_l1_weight * pixels
    filled = replace(
        state,
        image=made.detach().flatten(1).unflatten(0, shape),
        start_energy=energy.detach().unflatten(0, shape),
    )
    if not gradient:
        return filled
    (pull,) = torch.autograd.grad(energy.sum(), z)
    return replace(filled, start_gradient=pull.unflatten(0, shape))


def _maps_of(problem: RedProblem) -> Maps:
    """The maps of a problem that has some: `begin` checks it."""
    assert problem.maps is not None
    return problem.maps
