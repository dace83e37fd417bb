"""What a run says about Assumption 7: the constant of the proximal Polyak-Lojasiewicz condition.

Conventions. As in the paper, `f = ||x' - G(z) - D_a c_a||^2` and `L = f + lambda' h`. The solver
minimises half of it, `1/2 ||.||^2 + lambda h`: so L is twice an iterate's loss, lambda' is twice
its lambda, and `Iterate.gradient_norm` is already the norm of the gradient of f.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from red_core.algorithm.observe import Iterate
from red_core.algorithm.problem import AttackDictionary, RedProblem, pullback
from red_core.algorithm.prox import block_soft_threshold, penalty

CHUNK = 128  # rows that go through G or D_a at once


def signal_gradient_norm(problem: RedProblem, iterates: Sequence[Iterate]) -> Tensor:
    """||grad_z f|| = ||2 J(z)^T (G(z) + D_a c_a - x')|| of every iterate, [K, B].

    Recomputed through G in chunks: subtracting the c_a part from `Iterate.gradient_norm` would
    cancel in float32.
    """
    z = torch.cat([it.z for it in iterates])
    residual = torch.cat([it.residual.flatten(1) for it in iterates])
    norms = [
        pullback(problem.generator, some, -2 * rows).flatten(1).norm(dim=1)
        for some, rows in zip(z.split(CHUNK), residual.split(CHUNK), strict=True)
    ]
    return torch.cat(norms).view(len(iterates), -1)


def proximal_decrease(
    c_a: Tensor, gradient: Tensor, lam: Tensor, rho: float | Tensor, dictionary: AttackDictionary
) -> Tensor:
    """D(c_a, rho) of Assumption 7, [...]: how far a proximal step of size 1/rho lowers the model.

    -min_y <grad_c f, y - c_a> + rho/2 ||y - c_a||^2 + lambda' (h(y) - h(c_a)), with c_a and
    gradient (of f) [..., k], lam = lambda' and rho [...]. The paper drops lambda' before h; with
    it the minimiser is the proximal step itself. Never negative (y = c_a gives 0).
    """
    rho = torch.as_tensor(rho).to(lam)
    y = block_soft_threshold(c_a - gradient / rho[..., None], lam / rho, dictionary)
    step = y - c_a
    model = (gradient * step).sum(-1) + 0.5 * rho * step.square().sum(-1)
    return -(model + lam * (penalty(y, dictionary) - penalty(c_a, dictionary))).clamp_max(0)


def proximal_pl(
    problem: RedProblem, iterates: Sequence[Iterate], rho: float | None = None
) -> Tensor:
    """The constant of Assumption 7 (eq. 11) at every iterate, [K, B]; its minimum is the run's.

    (2 rho D(c_a, rho) + ||grad_z f||^2) / (L - L*), with L* the lowest L of the run, so a
    stand-in: the true minimum may lie lower, and the true constant with it. lambda' is that of
    the last iterate throughout. rho: None for 2 ||D_a||^2, the Lipschitz constant in c_a alone;
    2 rho D grows with rho (Karimi et al. 2016), so the constant shown is then a lower bound on
    that for the rho of both variables. L is eq. 5's, without the solver's optional term in z.
    NaN where L - L* is 0 up to rounding.
    """
    # D is a difference of near equals: float64, and so on the CPU, since mps has none.
    dictionary = problem.dictionary.to("cpu", torch.float64)
    if rho is None:
        rho = 2 * dictionary.operator_norm_squared
    c_a = torch.cat([it.c_a for it in iterates])
    residual = torch.cat([it.residual.flatten(1) for it in iterates])
    lam = (2 * iterates[-1].lam.cpu().double()).repeat(len(iterates))
    decrease, objective = [], []
    for c, r, weight in zip(c_a.split(CHUNK), residual.split(CHUNK), lam.split(CHUNK), strict=True):
        c, r = c.cpu().double(), r.cpu().double()
        gradient = -2 * dictionary.correlate(r)
        decrease.append(proximal_decrease(c, gradient, weight, rho, dictionary))
        objective.append(r.square().sum(1) + weight * penalty(c, dictionary))
    shape = len(iterates), -1
    value = torch.cat(objective).view(shape)
    numerator = 2 * rho * torch.cat(decrease).view(shape)
    numerator = numerator + signal_gradient_norm(problem, iterates).cpu().double().square()
    above = value - value.amin(0)
    tiny = 4 * torch.finfo(residual.dtype).eps * value.amax(0)
    return torch.where(above > tiny, numerator / above, torch.nan).to(residual)
