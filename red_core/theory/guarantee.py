"""Theorems 3 and 6 checked against a descent: do their conditions hold on its path, how tightly?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from red_core.synthetic import Instances
from red_core.theory.descent import Path
from red_core.theory.measured import Measured, measure
from red_core.theory.reductions import factor_in_words, largest, smallest
from red_core.theory.step_size import contraction, sharper_contraction, step_interval


@dataclass(frozen=True)
class Steps:
    """What was measured at each step, NaN where the instance was not under way: all [K, I].

    k [K]: the steps; mu: B.1's quotient at w^k; rho, epsilon: over the four sides of that step
    (`segment_curvature`); predicted: eq. 10's factor from these constants of the step alone;
    observed: ||Delta^{k+1}||^2 / ||Delta^k||^2.
    """

    k: Tensor
    mu: Tensor
    rho: Tensor
    epsilon: Tensor
    predicted: Tensor
    observed: Tensor


@dataclass(frozen=True)
class Guarantee:
    """Theorem 3 (inversion) or 6 (alternating) for I paths; tensors are [I].

    mu: smallest of the path; rho, epsilon: largest over the sides of all its steps; eta: its
    step size; low, high: the admissible interval, NaN where it is empty; predicted: eq. 10's
    factor at eta; sharper: `sharper_contraction` at eta. These four are NaN without Assumption 1.
    observed: the worst factor of any step, observed_mean: their geometric mean; all factors are
    on squared distances. applies: whether every condition holds, so that observed <= predicted
    < 1 is a theorem; why: one sentence an instance; steps: the same step by step; sampling: what
    rho and epsilon were taken over, in one sentence. row_space: where a D_a has a kernel, the
    guarantee with ||Delta c_a|| measured in its row space, else None.
    """

    theorem: str
    mu: Tensor
    rho: Tensor
    epsilon: Tensor
    eta: Tensor
    low: Tensor
    high: Tensor
    predicted: Tensor
    sharper: Tensor
    observed: Tensor
    observed_mean: Tensor
    applies: Tensor
    steps: Steps
    sampling: str
    why: tuple[str, ...] = ()
    row_space: Guarantee | None = None

    def __len__(self) -> int:
        return len(self.mu)


def guarantee(
    instances: Instances, path: Path, samples: int = 5, most: int | None = None
) -> Guarantee:
    """What Theorem 3 or 6 says of a path of `descend`, with the constants of that very path.

    Assumption 5 is asked of the iterates (mu is exact there), rho and epsilon of the segments in
    its proof: the largest found at `samples` points of each side, or by the side's mean curvature,
    with which the proof goes through whatever the samples missed (`segment_curvature`). All are
    taken until an instance arrives; what happens within the tolerance is rounding. eta enters the
    segments, so the interval is that of the path as it was run: another eta has another. A path
    that was cut off before it arrived is judged by the steps it has. most: examine only so many
    steps, evenly spread; None for all.

    Where D_a has a kernel, the part of c_a^0 - c_a* in it stays for ever, since grad_c f lies in
    the row space: ||Delta c_a|| has a positive lower bound, and Assumption 5 as stated fails on
    every trajectory that reaches a solution. The theorem does hold in the coordinates of
    `Moving`, whose iterates are the same ones: that is `row_space`. Raises ValueError for a path
    under "proximal".
    """
    if path.method == "proximal":
        raise ValueError("Theorems 3 and 6 are about descent without h: see proximal_guarantee")
    found = measure(instances, path, samples, most)
    sigma = instances.network.activation
    theorem = "Theorem 3" if path.method == "inversion" or not instances.k else "Theorem 6"
    sampling = (
        f"rho and epsilon are the largest found at {samples} points of each of the proof's four "
        f"segments, and by its mean curvature, at {len(found.k)} steps: lower bounds on the true "
        "ones."
    )

    def judged(stuck: Tensor) -> Guarantee:
        result = _judged(found, path.eta, stuck, sigma.smooth, theorem, sampling)
        tell = (_sentence(result, i, found, sigma.name) for i in range(len(result)))
        return replace(result, why=tuple(tell))

    if not bool(found.kernel.any()):
        return judged(found.stuck)
    row_space = judged(torch.zeros_like(found.stuck))
    plain = judged(found.stuck)
    why = tuple(
        _kernel_sentence(float(stuck), inside) if stuck > 0 else here
        for stuck, here, inside in zip(found.stuck, plain.why, row_space.why, strict=True)
    )
    return replace(plain, why=why, row_space=row_space)


def _judged(
    found: Measured, eta: Tensor, stuck: Tensor, smooth: bool, theorem: str, sampling: str
) -> Guarantee:
    """`stuck` [I]: the part of the distance that no step changes."""
    before, after = torch.hypot(found.before, stuck), torch.hypot(found.after, stuck)
    mu = found.gradient / before
    known = torch.where(found.active, 1.0, torch.nan)
    steps = Steps(
        k=found.k,
        mu=known * mu,
        rho=known * found.rho,
        epsilon=known * found.epsilon,
        predicted=known * contraction(eta, mu, found.rho, found.epsilon),
        observed=known * (after / before).square(),
    )
    mu, rho, epsilon = smallest(steps.mu), largest(steps.rho), largest(steps.epsilon)
    low, high = step_interval(mu, rho, epsilon)
    entitled = 1.0 if smooth else torch.nan
    low, high = entitled * low, entitled * high
    predicted = entitled * contraction(eta, mu, rho, epsilon)
    inside = (eta > low) & (eta <= high) & (predicted < 1)
    return Guarantee(
        theorem=theorem,
        mu=mu,
        rho=rho,
        epsilon=epsilon,
        eta=eta,
        low=low,
        high=high,
        predicted=predicted,
        sharper=entitled * sharper_contraction(eta, mu, rho, epsilon),
        observed=largest(steps.observed),
        observed_mean=steps.observed.log().nanmean(0).exp(),
        applies=inside & (stuck == 0) & ~found.diverged,
        steps=steps,
        sampling=sampling,
    )


def _sentence(result: Guarantee, i: int, found: Measured, sigma: str) -> str:
    """Whether the theorem applies to instance i, and the first condition that fails if not."""
    mu, rho, epsilon, eta, low, high = (
        float(value[i])
        for value in (result.mu, result.rho, result.epsilon, result.eta, result.low, result.high)
    )
    name = result.theorem
    if bool(found.diverged[i]):
        return f"The descent diverges with eta = {eta:.3g}, so {name} has nothing to say."
    if not bool(found.active[:, i].any()):
        return "The descent starts within the tolerance of the solution: there is no step to judge."
    if bool(result.predicted[i].isnan()):
        return (
            f"{name} does not apply: {sigma} has a kink, so Assumption 1 fails, and rho and "
            "epsilon are only those of the smooth pieces between kinks."
        )
    if low != low:
        needed = 32 / 9 * rho * epsilon
        return (
            f"{name} does not apply: no step size is admissible, since mu^2 = {mu**2:.3g} is not "
            f"above 32/9 rho epsilon = {needed:.3g} (rho = {rho:.3g}, epsilon = {epsilon:.3g})."
        )
    if not bool(result.applies[i]):
        side = "above" if eta >= high else "below"
        return (
            f"{name} does not apply: eta = {eta:.3g} lies {side} the admissible interval "
            f"({low:.3g}, {high:.3g})."
        )
    predicted, observed = (factor_in_words(f[i]) for f in (result.predicted, result.observed))
    return (
        f"{name} applies: eta = {eta:.3g} lies in ({low:.3g}, {high:.3g}), so every step "
        f"multiplies the squared distance by {predicted} at most; the slowest step here does so "
        f"by {observed}."
    )


def _kernel_sentence(stuck: float, inside: str) -> str:
    return (
        f"A part of c_a - c_a* of length {stuck:.3g} lies in the kernel of D_a, where no step "
        "moves it, so Assumption 5 fails on the way to any solution. In the row space of D_a: "
        f"{inside}"
    )
