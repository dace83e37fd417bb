"""The plain loop that `benchmark` compares with: Algorithm 1 as one would first write it down.

One image at a time, gradients by autograd, dense FISTA on c_a (Beck & Teboulle 2009, without
restart), every step run to the end. The simplest statement of the method: same starts,
options and z-steps as `algorithm1.py`, whose answer it must meet, and nothing of its batching,
caching or stopping.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from red_core.algorithm.lbfgs import lbfgs_memory, lbfgs_step
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import AttackDictionary, Generator
from red_core.algorithm.prox import block_soft_threshold, lambda_max, penalty
from red_core.algorithm.z_steps import BETAS, FINAL_RATE, Memory


@dataclass(frozen=True)
class Objective:
    """1/2 ||x' - G(z) - D_a c_a||^2 + w/2 ||z - anchor||^2 + lambda sum_g ||c_g||, one image.

    image: x' [C, H, W]; anchor: [S, *latent], one for each start; weight: w.
    """

    image: Tensor
    generator: Generator
    dictionary: AttackDictionary
    anchor: Tensor
    weight: float

    def target(self, z: Tensor) -> Tensor:
        """y = x' - G(z): z [S, *latent] -> [S, n]."""
        return self.image.flatten() - self.generator(z).flatten(1)

    def latent_penalty(self, z: Tensor) -> Tensor:
        """w/2 ||z - anchor||^2: z [S, *latent] -> [S]."""
        return 0.5 * self.weight * (z - self.anchor).flatten(1).square().sum(1)

    def smooth(self, z: Tensor, c_a: Tensor) -> Tensor:
        """All but the penalty: z [S, *latent], c_a [S, k] -> [S]."""
        residual = self.target(z) - self.dictionary.combine(c_a)
        return 0.5 * residual.square().sum(1) + self.latent_penalty(z)

    @torch.no_grad()
    def lambda_at(self, z: Tensor, fraction: float) -> Tensor:
        """fraction * lambda_max of x' - G(z) of the best start: z [S, *latent] -> a scalar."""
        error = self.smooth(z, z.new_zeros(len(z), self.dictionary.size))
        return fraction * lambda_max(self.target(z)[error.argmin()], self.dictionary)

    @torch.no_grad()
    def value(self, z: Tensor, c_a: Tensor, lam: Tensor) -> Tensor:
        """The whole of it: z [S, *latent], c_a [S, k] -> [S]."""
        return self.smooth(z, c_a) + lam * penalty(c_a, self.dictionary)

    def take(self, starts: Tensor) -> Objective:
        """The same for some starts."""
        return replace(self, anchor=self.anchor[starts])


@dataclass(frozen=True)
class Solution:
    """One image's end: z and the anchor [*latent] of the start that won, c_a [k], lambda."""

    z: Tensor
    c_a: Tensor
    lam: Tensor
    anchor: Tensor


def plain_solve(
    image: Tensor,
    starts: Tensor,
    anchors: Tensor,
    options: SolverOptions,
    generator: Generator,
    dictionary: AttackDictionary,
) -> Solution:
    """Solve for one image x' [C, H, W] from its starts [S, *latent], each with its anchor."""
    goal = Objective(image, generator, dictionary, anchors, options.latent_weight)
    z = starts.clone().requires_grad_()
    zero = starts.new_zeros(len(starts), dictionary.size)
    stepper = _Stepper(
        z, options.start_step, options.start_rate, options.start_steps, options.start_momentum
    )
    for _ in range(options.start_steps):  # Defense-GAN
        (0.5 * goal.target(z).square().sum() + goal.latent_penalty(z).sum()).backward()
        stepper.step()

    with torch.no_grad():
        error = goal.smooth(z, zero)
    lam = goal.lambda_at(z, options.lambda_fraction)
    chosen = _best(error, min(options.carry, len(z)))
    goal, z, c_a = goal.take(chosen), z.detach()[chosen].requires_grad_(), zero[chosen]
    stepper = _Stepper(z, options.signal_step, options.signal_rate, options.steps)
    eta = 1 / dictionary.operator_norm_squared
    v, t = c_a, 1.0
    for k in range(1, options.steps + 1):
        if options.lambda_every_step:
            lam = goal.lambda_at(z, options.lambda_fraction)
        target = goal.target(z)
        fit = 0.5 * (target - dictionary.combine(c_a)).square().sum()
        (fit + goal.latent_penalty(z).sum()).backward()
        target = target.detach()
        if options.c_a_after_z:
            stepper.step()
            with torch.no_grad():
                target = goal.target(z)
        for _ in range(options.inner):
            v = v.detach().requires_grad_()
            fit = 0.5 * (target - dictionary.combine(v)).square().sum()
            (gradient,) = torch.autograd.grad(fit, v)
            threshold = (eta * lam).expand(len(z))
            new = block_soft_threshold(v.detach() - eta * gradient, threshold, dictionary)
            t_next = (1 + (1 + 4 * t * t) ** 0.5) / 2
            momentum = 0.0 if options.acceleration == "none" else (t - 1) / t_next
            v, c_a, t = new + momentum * (new - c_a), new, t_next
        if not options.c_a_after_z:
            stepper.step()
        if k in options.halve_at and len(z) > 1:
            kept = _best(goal.value(z, c_a, lam), (len(z) + 1) // 2)
            goal, z, c_a, v = goal.take(kept), stepper.keep(kept), c_a[kept], v[kept]
    best = goal.value(z, c_a, lam).argmin()
    return Solution(z.detach()[best], c_a[best], lam, goal.anchor[best])


def _best(score: Tensor, count: int) -> Tensor:
    """Indices of the `count` lowest scores, in order of their starts."""
    return score.topk(count, largest=False).indices.sort().values


class _Stepper:
    """torch's own optimiser and schedule for z."""

    def __init__(
        self, z: Tensor, kind: str, rate: float, steps: int, momentum: float = 0.0
    ) -> None:
        self.z = z
        self.rate = rate
        self.pairs: Memory | None = lbfgs_memory(z.detach()[None]) if kind == "lbfgs" else None
        self.optimiser: torch.optim.Optimizer
        self.schedule: torch.optim.lr_scheduler.LRScheduler
        if kind == "adam":
            self.optimiser = torch.optim.Adam([z], lr=rate, betas=BETAS)
            self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
                self.optimiser, max(1, steps), FINAL_RATE * rate
            )
        else:
            lr = 0.0 if kind == "frozen" else rate
            self.optimiser = torch.optim.SGD([z], lr=lr, momentum=momentum)
            self.schedule = torch.optim.lr_scheduler.ConstantLR(self.optimiser, factor=1.0)

    def step(self) -> None:
        """Move z by its gradient, and forget the gradient."""
        if self.pairs is not None:  # torch's own L-BFGS takes all rows for one vector
            assert self.z.grad is not None
            z, gradient = self.z.detach().clone()[None], self.z.grad[None]
            moved, self.pairs = lbfgs_step(z, gradient, self.pairs, self.rate)
            with torch.no_grad():
                self.z.copy_(moved[0])
            self.z.grad = None
            return
        self.optimiser.step()
        self.schedule.step()
        self.optimiser.zero_grad()

    def keep(self, starts: Tensor) -> Tensor:
        """Go on with some starts of z, and with their moments."""
        if self.pairs is not None:
            self.pairs = tuple(tensor[:, starts] for tensor in self.pairs)
        before, self.z = self.z, self.z.detach()[starts].requires_grad_()
        state = self.optimiser.state.pop(before, {})
        self.optimiser.state[self.z] = {
            name: value[starts] if value.ndim else value for name, value in state.items()
        }
        self.optimiser.param_groups[0]["params"] = [self.z]
        return self.z
