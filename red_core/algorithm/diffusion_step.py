"""The step on z of B.8: a diffusion model takes the place of G, and D(x') that of G(z).

The "z" of such a run is the image itself, so G is the identity, and every step replaces it by a
purified image.
"""

from __future__ import annotations

import torch
from torch import Tensor

from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.state import State

_PRIME = 1_000_003  # between the seeds of two rounds


def identity(z: Tensor) -> Tensor:
    """G of a run whose z is the image."""
    return z


def diffusion_memory(z: Tensor) -> tuple[Tensor]:
    """No round done yet: [B, S]."""
    return (torch.zeros(z.shape[:2], dtype=torch.long, device=z.device),)


def diffusion_step(
    problem: RedProblem, state: State, options: SolverOptions
) -> tuple[Tensor, tuple[Tensor]]:
    """z^{k+1} = D(x'), or D(x' - D_a c_a^k) with `remainder`, with noise that is fresh every round.

    memory: the rounds done. An item's noise comes from its own seed and the round. B.8 purifies x'
    itself; what the attack's code leaves of x' is purified where the options say so.
    """
    assert problem.purify is not None  # `begin` checked
    (rounds,) = state.memory
    # A realizable x' = G(z*) + D_a c_a* may leave the pixels' range; a diffusion model knows it.
    source = problem.flat[:, None].clamp(0, 1).expand_as(state.fit_c)
    if options.remainder:
        source = (problem.flat[:, None] - state.fit_c).clamp(0, 1)
    seeds = [
        (seed + _PRIME * done) % 2**63
        for seed, row in zip(problem.seeds, rounds.tolist(), strict=True)
        for done in row
    ]
    purified = problem.purify(problem.as_images(source.flatten(0, 1)), seeds)
    return purified.view_as(state.z), (rounds + 1,)
