"""How z moves: gradient descent, Adam, L-BFGS, a diffusion model, or not at all.

Each is a function of z, its gradient and a memory, tensors [B, S, ...] that the state carries;
every start of every item moves by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from red_core.algorithm.diffusion_step import diffusion_memory, diffusion_step
from red_core.algorithm.lbfgs import lbfgs_memory, lbfgs_step
from red_core.algorithm.objective import gradient_of_terms
from red_core.algorithm.options import DIFFUSION, PERCEPTUAL, SolverOptions
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.state import State

Memory = tuple[Tensor, ...]
Moved = tuple[Tensor, Memory]
BETAS = (0.9, 0.99)  # of Adam
FINAL_RATE = 0.1  # Adam's cosine ends at this share of its rate


def z_step(problem: RedProblem, state: State, options: SolverOptions, joint: bool) -> State:
    """The state with z^{k+1} from an evaluated state; not evaluated any more where z moved."""
    kind = options.signal_step if joint else options.start_step
    if kind == "frozen":  # as in the published code on MNIST and Fashion-MNIST
        return state
    z, memory = state.z.detach(), state.memory
    if kind == DIFFUSION:
        z, memory = diffusion_step(problem, state, options)
    else:
        perceptual = not joint and options.start_loss == PERCEPTUAL
        descended = state.start_gradient if perceptual else state.gradient
        assert descended is not None  # `evaluate` or `evaluate_start` filled it in
        gradient = descended + gradient_of_terms(state, options)
        if options.one_w:  # the chain rule of one w that every layer shares
            gradient = gradient.sum(-2, keepdim=True).expand_as(gradient)
        rate = options.signal_rate if joint else options.start_rate
        if kind == "adam":
            steps = options.steps if joint else options.start_steps
            z, memory = adam_step(z, gradient, memory, rate, steps)
        elif kind == "lbfgs":
            z, memory = lbfgs_step(z, gradient, memory, rate)
        else:
            momentum = 0.0 if joint else options.start_momentum
            z, memory = gradient_step(z, gradient, memory, rate, momentum)
    return replace(
        state,
        z=z,
        memory=memory,
        image=None,
        gradient=None,
        feature_energy=None,
        feature_gradient=None,
        start_energy=None,
        start_gradient=None,
    )


def initial_memory(z: Tensor, options: SolverOptions, joint: bool) -> Memory:
    """The memory of a phase's optimiser before its first step, for z [B, S, *latent]."""
    kind = options.signal_step if joint else options.start_step
    if kind == "adam":
        return (torch.zeros_like(z), torch.zeros_like(z), z.new_zeros(z.shape[:2]))
    if kind == "lbfgs":
        return lbfgs_memory(z)
    if kind == DIFFUSION:
        return diffusion_memory(z)
    return (torch.zeros_like(z),) if kind == "gradient" and not joint else ()


def needs_gradient(kind: str) -> bool:
    """Whether a step on z uses J^T (G(z) + D_a c_a - x')."""
    return kind not in ("frozen", DIFFUSION)


def gradient_step(
    z: Tensor, gradient: Tensor, memory: Memory, rate: float, momentum: float = 0.0
) -> Moved:
    """z - eta J^T (G(z) + D_a c_a - x'), Algorithm 1's update, with optional heavy-ball momentum.

    rate: eta of the objective 1/2 ||.||^2; momentum: 0 in Algorithm 1, 0.7 in Defense-GAN's code,
    which needs a memory (velocity,).
    """
    if momentum:
        gradient = gradient + momentum * memory[0]
        memory = (gradient,)
    return z - rate * gradient, memory


def adam_step(z: Tensor, gradient: Tensor, memory: Memory, rate: float, steps: int) -> Moved:
    """Adam (Kingma & Ba 2015); over `steps` the rate falls to FINAL_RATE of itself by a cosine.

    memory: mean and mean square of the gradients [B, S, *latent], and how many there were [B, S].
    """
    mean, square, count = memory
    first, second = BETAS
    mean = first * mean + (1 - first) * gradient
    square = second * square + (1 - second) * gradient.square()
    falling = 0.5 * (1 + torch.cos(torch.pi * (count / max(1, steps)).clamp_max(1)))
    count = count + 1

    def wide(numbers: Tensor) -> Tensor:
        return numbers[(...,) + (None,) * (z.ndim - 2)]

    now = wide(rate * (FINAL_RATE + (1 - FINAL_RATE) * falling))
    unbiased = mean / wide(1 - first**count)
    size = (square / wide(1 - second**count)).sqrt() + 1e-8
    return z - now * unbiased / size, (mean, square, count)


def random_starts(seeds: Sequence[int], starts: int, latent: int) -> Tensor:
    """Standard normal z [B, starts, latent], each item's from its own seed, on the CPU."""
    return torch.stack(
        [
            torch.randn(starts, latent, generator=torch.Generator().manual_seed(seed))
            for seed in seeds
        ]
    )
