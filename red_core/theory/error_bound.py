"""What a run says about Assumptions 2 and 5: mu of B.1, and what the ranks allow it to be.

Conventions. As in the paper, `f = ||x' - G(z) - D_a c_a||^2`. The solver minimises half of it
(plus `lambda h`), so `Iterate.gradient_norm` is already the norm of the gradient of f.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.algorithm.observe import Iterate
from red_core.algorithm.problem import AttackDictionary
from red_core.theory.reductions import smallest

CHUNK = 128  # iterates whose distances are measured at once
_ORTHONORMAL = 1e-9  # by which columns may miss being so


def row_space(dictionary: AttackDictionary) -> Tensor:
    """An orthonormal basis V [k, rank] of the row space of D_a; its width is the rank of D_a.

    With k > n the kernel of D_a is not zero, and c_a moves in it for free: mu is meaningful for
    V^T c_a at most. From D_a D_a^T in float64 (a fraction of a second for MNIST's 784 x 6000,
    seconds for CIFAR-10's 3072 x 6000; compute it once and hand it on); singular values below
    about 1e-6 of the largest count as zero, which is finer than float32 atoms can tell.
    """
    atoms = dictionary.atoms.cpu().double()
    gram = _gram(atoms)
    basis = _triangular_basis(atoms, gram)
    if basis is None:
        squares, left = torch.linalg.eigh(gram)
        kept = squares > squares[-1] * max(atoms.shape) * torch.finfo(atoms.dtype).eps
        basis = atoms.T @ left[:, kept] / squares[kept].sqrt()
    return basis.to(dictionary.atoms)


def _gram(atoms: Tensor, parts: int = 4) -> Tensor:
    """D D^T of atoms [n, k], without computing what lies below the diagonal's blocks."""
    gram = atoms.new_empty(len(atoms), len(atoms))
    for rows in torch.arange(len(atoms)).chunk(parts):
        first, end = int(rows[0]), int(rows[-1]) + 1
        gram[first:end, first:] = atoms[first:end] @ atoms[first:].T
        gram[end:, first:end] = gram[first:end, end:].T
    return gram


def _triangular_basis(atoms: Tensor, gram: Tensor) -> Tensor | None:
    """D^T L^-T with D D^T = L L^T, [k, n]; None where D [n, k] has no full rank, or hardly.

    A third of the time of the eigenvectors. That its columns are orthonormal is tried on random
    vectors: they are up to rounding times the condition of D D^T, so that a singular value near
    those that count as zero would show in the eighth digit.
    """
    lower, failed = torch.linalg.cholesky_ex(gram)
    if int(failed):
        return None
    rows = torch.linalg.solve_triangular(lower, atoms, upper=False)
    tried = torch.randn(len(rows), 4, generator=torch.Generator().manual_seed(0)).to(rows)
    away = (rows @ (rows.T @ tried) - tried).norm() / tried.norm()
    return rows.T if float(away) < _ORTHONORMAL else None


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
    items = len(z_star)
    found = []
    for first in range(0, len(iterates), CHUNK):  # one product with the basis for many iterates
        some = iterates[first : first + CHUNK]
        count = len(some)
        gradient_norm, z, c_a = (
            torch.cat([getattr(it, name) for it in some]) for name in ("gradient_norm", "z", "c_a")
        )
        stars = [
            star.expand(count, *star.shape).reshape(count * items, *star.shape[1:])
            for star in (z_star, c_star)
        ]
        mu = error_bound_mu(gradient_norm, z, c_a, stars[0], stars[1], basis)
        found.append(mu.view(count, items))
    return torch.cat(found)


def mu_to_last(iterates: Sequence[Iterate], basis: Tensor | None = None) -> Tensor:
    """The same quotient with the last iterate in the place of (z*, c_a*), [K, B].

    For real images, whose (z*, c_a*) are unknown: it is not Assumption 5's mu, since the last
    iterate need not be a minimiser of f. NaN at the last iterate.
    """
    return mu_along_path(iterates, iterates[-1].z, iterates[-1].c_a, basis)


@dataclass(frozen=True)
class MuSummary:
    """mu over the paths of I instances; NaN (at the solution, or after arriving) is left out.

    mean, least [I]: of every path; overall_mean, overall_std: of the I means (Figures 1 and 3
    draw the first); overall_least: the mu for which Assumption 5 holds on all paths; counts
    [bins], edges [bins + 1]: histogram of all values, its edges evenly spread in log mu.
    """

    mean: Tensor
    least: Tensor
    overall_mean: float
    overall_std: float
    overall_least: float
    counts: Tensor
    edges: Tensor


def summarise_mu(mu: Tensor, bins: int = 30) -> MuSummary:
    """Mean, minimum and histogram of mu [K, I]; ValueError where no value is positive."""
    shown = mu[mu > 0]
    if not len(shown):
        raise ValueError("there is no positive mu to summarise")
    least = smallest(mu)
    mean = mu.nanmean(0)
    known = mean[~mean.isnan()]
    low, high = float(shown.min().log10()), float(shown.max().log10())
    if high - low < 1e-9:
        low, high = low - 0.05, high + 0.05
    # Rounding may put the ends outside of their own bins.
    places = ((shown.log10() - low) / (high - low) * bins).long().clamp(0, bins - 1)
    return MuSummary(
        mean=mean,
        least=least,
        overall_mean=float(known.mean()),
        overall_std=float(known.std(correction=0)),
        overall_least=float(mu[~mu.isnan()].min()),
        counts=torch.bincount(places, minlength=bins),
        edges=torch.logspace(low, high, bins + 1, dtype=mu.dtype),
    )
