"""Theorem 8 checked against a proximal descent (Section 4.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from red_core.algorithm.prox import block_soft_threshold, penalty
from red_core.synthetic import Instances
from red_core.theory.descent import Path
from red_core.theory.measured import spread, within_reach
from red_core.theory.moving import Moving
from red_core.theory.proximal import proximal_decrease
from red_core.theory.reductions import factor_in_words, largest, smallest
from red_core.theory.segments import largest_between
from red_core.theory.step_size import proximal_rate

ROUNDING = 1 + 1e-12
NEAR = 1e-9  # of the largest L: below that, L - L* is rounding


@dataclass(frozen=True)
class ProximalGuarantee:
    """Theorem 8 for I paths; tensors are [I] unless said otherwise.

    mu: smallest proximal-PL constant of the path (eq. 11 with lambda before h); rho: 1 / eta, for
    which the theorem's step is the path's own; curvature: largest eigenvalue of the Hessian of f
    found on the segments [w^k, w^{k+1}]; predicted: 1 - mu / (2 rho) (eq. 12), NaN without
    Assumption 1; observed: the worst (L^{k+1} - L*) / (L^k - L*) of any step; lowest: the stand-in
    for L*; applies; why: one sentence an instance. k [K]; mu_steps, observed_steps [K, I]: the
    same step by step, NaN where L - L* is rounding.
    """

    mu: Tensor
    rho: Tensor
    curvature: Tensor
    predicted: Tensor
    observed: Tensor
    lowest: Tensor
    applies: Tensor
    k: Tensor
    mu_steps: Tensor
    observed_steps: Tensor
    why: tuple[str, ...] = ()


def proximal_guarantee(
    instances: Instances,
    path: Path,
    samples: int = 5,
    most: int | None = None,
    lowest: Tensor | None = None,
) -> ProximalGuarantee:
    """What Theorem 8 says of a path under "proximal", with the constants of that very path.

    A step with eta = 1 / rho lowers L = f + lambda h by at least D(c_a^k, rho) +
    ||grad_z f||^2 / (2 rho) if rho bounds the curvature of f along [w^k, w^{k+1}], for that is
    all that eq. 65 uses; Assumption 7 says that this is at least mu / (2 rho) of L - L*. So the
    theorem is checked against rho = 1 / eta, and applies where no larger curvature was found at
    `samples` points of those segments.

    The true L* is unknown. lowest [I]: an estimate of it, None for the lowest L of the path.
    mu is defined with the same one, so the inequality is a theorem for any; but the true L* may
    lie lower, and the true mu with it. Raises ValueError for a path under another method.
    """
    if path.method != "proximal":
        raise ValueError("Theorem 8 is about proximal descent: see guarantee")
    at = spread(len(path.k), most)
    fine = within_reach(path)
    star = instances.z_star, instances.c_star  # stands in for what is not a number
    here = tuple(
        torch.where(fine[at][..., None], value[at], other)
        for value, other in zip((path.z, path.c_a), star, strict=True)
    )
    rho, dictionary = 1 / path.eta, instances.dictionary
    lam = path.lam.expand(len(at), -1)
    grad_z, grad_c = instances.gradient(*here)
    moved = here[1] - grad_c / rho[:, None]
    after = here[0] - grad_z / rho[:, None], block_soft_threshold(moved, lam / rho, dictionary)
    value, next_value = (
        instances.value(z, c_a) + lam * penalty(c_a, dictionary) for z, c_a in (here, after)
    )
    if lowest is None:
        lowest = torch.minimum(path.loss.where(fine, torch.inf).amin(0), next_value.amin(0))
    above = value - lowest
    known = fine[at] & (above > NEAR * value.amax(0))
    decrease = proximal_decrease(here[1], grad_c, lam, rho, dictionary)
    mu_steps = (2 * rho * decrease + grad_z.square().sum(-1)) / above
    moving = Moving.of(instances)
    v = moving.coordinates(*here)
    slope = moving.gradient(v)
    bent = largest_between(moving, v, moving.coordinates(*after), slope, samples)
    mu_steps, observed_steps, bent = (
        torch.where(known, found, torch.nan)
        for found in (mu_steps, (next_value - lowest) / above, bent)
    )
    mu, curvature = smallest(mu_steps), largest(bent)
    sigma = instances.network.activation
    predicted = proximal_rate(mu, rho) * (1.0 if sigma.smooth else torch.nan)
    diverged = ~fine.all(0)
    result = ProximalGuarantee(
        mu=mu,
        rho=rho,
        curvature=curvature,
        predicted=predicted,
        observed=largest(observed_steps),
        lowest=lowest,
        applies=(predicted < 1) & (curvature <= rho * ROUNDING) & ~diverged,
        k=path.k[at],
        mu_steps=mu_steps,
        observed_steps=observed_steps,
    )
    why = tuple(
        f"The descent diverges with eta = {float(path.eta[i]):.3g}."
        if bool(diverged[i])
        else _sentence(result, i, sigma.name, sigma.smooth)
        for i in range(len(rho))
    )
    return replace(result, why=why)


def _sentence(result: ProximalGuarantee, i: int, sigma: str, smooth: bool) -> str:
    """Whether Theorem 8 applies to instance i, and the first condition that fails if not."""
    mu, rho, curvature = (float(value[i]) for value in (result.mu, result.rho, result.curvature))
    if not smooth:
        return f"Theorem 8 does not apply: {sigma} has a kink, so f has no Lipschitz gradient."
    if mu != mu:
        return "L does not change along this path: there is no step to judge."
    if curvature > rho * ROUNDING:
        return (
            f"Theorem 8 does not apply: rho = 1 / eta = {rho:.3g} is less than the curvature "
            f"{curvature:.3g} met on the way, so the step is too long."
        )
    if not mu > 0:
        return "Theorem 8 does not apply: mu = 0, so Assumption 7 fails."
    predicted, observed = (factor_in_words(f[i]) for f in (result.predicted, result.observed))
    return (
        f"Theorem 8 applies with rho = 1 / eta = {rho:.3g} and mu = {mu:.3g}: every step "
        f"multiplies L - L* by {predicted} at most; the slowest step here does so by {observed}."
    )
