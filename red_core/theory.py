"""What a run says about the theorems' constants: mu of Assumption 5, and that of Assumption 7.

Conventions. As in the paper, `f = ||x' - G(z) - D_a c_a||^2` and `L = f + lambda' h`. The solver
minimises half of it, `1/2 ||.||^2 + lambda h`: so L is twice an iterate's loss, lambda' is twice
its lambda, and `Iterate.gradient_norm` is already the norm of the gradient of f.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from red_core.problem import AttackDictionary, Linearised, RedProblem
from red_core.prox import block_soft_threshold, penalty
from red_core.solver import Iterate

CHUNK = 128  # rows that go through G or D_a at once


def row_space(dictionary: AttackDictionary) -> Tensor:
    """An orthonormal basis V [k, rank] of the row space of D_a; its width is the rank of D_a.

    With k > n the kernel of D_a is not zero, and c_a moves in it for free: mu is meaningful for
    V^T c_a at most. From the eigenvectors of D_a D_a^T in float64 (a fraction of a second for
    MNIST's 784 x 6000; compute it once and hand it on); singular values below about 1e-6 of the
    largest count as zero, which is finer than float32 atoms can tell.
    """
    atoms = dictionary.atoms.cpu().double()
    squares, left = torch.linalg.eigh(atoms @ atoms.T)
    kept = squares > squares[-1] * max(atoms.shape) * torch.finfo(atoms.dtype).eps
    basis = atoms.T @ left[:, kept] / squares[kept].sqrt()
    return basis.to(dictionary.atoms)


def rank_sentence(rank: int, columns: int, latent: int, pixels: int) -> str:
    """What the ranks allow Assumption 5 to say: one sentence, to be shown beside every mu.

    rank: of D_a [pixels, columns]; latent: d. The minimisers of f near (z*, c_a*) satisfy
    J dz + D_a dc = 0, so they are isolated only where [J D_a] has no kernel.
    """
    ranks = f"rank(D_a) = {rank} of {columns} columns, d = {latent}, n = {pixels}"
    if rank + latent > pixels:
        return (
            f"{ranks}: rank(D_a) + d exceeds n by {rank + latent - pixels}, so z and c_a can "
            "make up for one another, the minimisers form a manifold and mu falls to 0 near it."
        )
    if rank < columns:
        return (
            f"{ranks}: D_a has a kernel of dimension {columns - rank}, so Assumption 5 can hold "
            "at most for the part of c_a in the row space of D_a."
        )
    return f"{ranks}: neither rank stands in the way of Assumption 5."


def error_bound_mu(
    gradient_norm: Tensor,
    z: Tensor,
    c_a: Tensor,
    z_star: Tensor,
    c_star: Tensor,
    basis: Tensor | None = None,
) -> Tensor:
    """mu of B.1 for every item: ||grad f(z, c_a)|| / ||(z - z*, c_a - c_a*)||, [B].

    gradient_norm [B]: of f, both parts (`Iterate.gradient_norm`); z, z_star [B, *latent]; c_a,
    c_star [B, k]; basis [k, r]: from `row_space`, to measure c_a - c_a* in the row space of D_a
    only, which is the distance to the nearest c_a with the same D_a c_a as c_a*.
    NaN where the distance is 0: the quotient has no value at the solution itself.
    """
    difference = c_a - c_star
    if basis is not None:
        difference = difference @ basis
    moved = torch.cat(((z - z_star).flatten(1), difference), dim=1)
    distance = torch.linalg.vector_norm(moved, dim=1)
    return torch.where(distance > 0, gradient_norm / distance, torch.nan)


def mu_along_path(
    iterates: Sequence[Iterate], z_star: Tensor, c_star: Tensor, basis: Tensor | None = None
) -> Tensor:
    """`error_bound_mu` of every iterate against (z*, c_a*), [K, B]. Its minimum is Assumption 5's.

    z_star [B, *latent], c_star [B, k]: of a realizable problem (`experiment.realizable`).
    """
    return torch.stack(
        [error_bound_mu(it.gradient_norm, it.z, it.c_a, z_star, c_star, basis) for it in iterates]
    )


def mu_to_last(iterates: Sequence[Iterate], basis: Tensor | None = None) -> Tensor:
    """The same quotient with the last iterate in the place of (z*, c_a*), [K, B].

    For real images, whose (z*, c_a*) nobody knows: it is not Assumption 5's mu, since the last
    iterate need not be a minimiser of f. NaN at the last iterate.
    """
    return mu_along_path(iterates, iterates[-1].z, iterates[-1].c_a, basis)


def signal_gradient_norm(problem: RedProblem, iterates: Sequence[Iterate]) -> Tensor:
    """||grad_z f|| = ||2 J(z)^T (G(z) + D_a c_a - x')|| of every iterate, [K, B].

    Recomputed through G in chunks: subtracting the c_a part from `Iterate.gradient_norm` would
    cancel in float32.
    """
    z = torch.cat([it.z for it in iterates])
    residual = torch.cat([it.residual.flatten(1) for it in iterates])
    norms = [
        Linearised.at(problem.generator, some).pullback(-2 * rows).flatten(1).norm(dim=1)
        for some, rows in zip(z.split(CHUNK), residual.split(CHUNK), strict=True)
    ]
    return torch.cat(norms).view(len(iterates), -1)


def proximal_decrease(
    c_a: Tensor, gradient: Tensor, lam: Tensor, rho: float, dictionary: AttackDictionary
) -> Tensor:
    """D(c_a, rho) of Assumption 7, [R]: how far a proximal step of size 1/rho can lower the model.

    -min_y <grad_c f, y - c_a> + rho/2 ||y - c_a||^2 + lambda' (h(y) - h(c_a)), with c_a and
    gradient (of f) [R, k], lam = lambda' [R]. The paper drops lambda' before h; with it the
    minimiser is the proximal step itself. Never negative (y = c_a gives 0).
    """
    y = block_soft_threshold(c_a - gradient / rho, lam / rho, dictionary)
    step = y - c_a
    model = (gradient * step).sum(1) + 0.5 * rho * step.square().sum(1)
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
