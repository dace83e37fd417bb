"""The ends of a Hessian's spectrum from Hessian-vector products alone (Lanczos)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Extremes:
    """Largest and smallest eigenvalue of a symmetric operator.

    residuals: ||A v - theta v|| of the largest and the smallest pair: an eigenvalue lies that
    close to each value. steps: products used. vectors: unit eigenvectors [2, size] of the
    largest and the smallest, or None where they were not asked for.
    """

    largest: float
    smallest: float
    residuals: tuple[float, float]
    steps: int
    vectors: Tensor | None = None


def lanczos(
    product: Product,
    size: int,
    tolerance: float = 1e-10,
    max_steps: int | None = None,
    vectors: bool = False,
    seed: int = 0,
) -> Extremes:
    """Extreme eigenpairs of the symmetric operator v [size] -> product(v) [size], in float64.

    A V_j = V_j T_j + beta_j v_{j+1} e_j^T with V_j^T V_j = I and T_j tridiagonal: an eigenpair
    (theta, s) of T_j gives theta with the residual beta_j |s_j|. It stops once both ends have a
    residual below tolerance times the largest |theta|, after max_steps products (None: size), or
    where the Krylov space ends (beta_j = 0). The last is no failure: a random start has a part
    in every eigenspace, so an invariant space that holds it holds every eigenvalue.

    Every new vector is orthogonalised twice against all before it. Without that, rounding makes
    copies of converged eigenvalues; with it T_j stays that of exact arithmetic, at O(size j^2).
    """
    if size < 1:
        raise ValueError("an operator needs at least one dimension")
    limit = size if max_steps is None else min(size, max_steps)
    draw = torch.Generator().manual_seed(seed)
    vector = torch.randn(size, generator=draw, dtype=torch.float64)
    vector = vector / vector.norm()
    basis = vector.new_zeros(min(limit, 64), size)
    alphas: list[float] = []
    betas: list[float] = []
    while True:
        j = len(alphas)
        if j == len(basis):
            basis = torch.cat((basis, basis.new_zeros(min(j, limit - j), size)))
        basis[j] = vector
        image = product(vector).detach().to(vector)
        alphas.append(float(vector @ image))
        known = basis[: j + 1]
        for _ in range(2):
            image = image - (known @ image) @ known
        beta = float(image.norm())
        scale = max(map(abs, alphas + betas))
        # What is below the rounding of a product is what is left of an exact zero.
        ended = beta <= 8 * size**0.5 * torch.finfo(torch.float64).eps * scale
        # T_j is looked at more and more rarely: its own eigenproblem grows with j.
        if ended or j + 1 == limit or j % max(1, j // 10) == 0:
            values, weights = _tridiagonal(alphas, betas)
            last = weights[-1, [-1, 0]].abs() * (0.0 if ended else beta)
            good = float(last.max()) <= tolerance * float(values.abs().max())
            if ended or j + 1 == limit or good:
                break
        betas.append(beta)
        vector = image / beta
    return Extremes(
        largest=float(values[-1]),
        smallest=float(values[0]),
        residuals=(float(last[0]), float(last[1])),
        steps=len(alphas),
        vectors=_unit(weights[:, [-1, 0]].T @ known) if vectors else None,
    )


def _tridiagonal(diagonal: list[float], beside: list[float]) -> tuple[Tensor, Tensor]:
    """Eigenvalues in ascending order and eigenvectors of a symmetric tridiagonal matrix."""
    off = torch.tensor(beside, dtype=torch.float64)
    matrix = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    if beside:
        matrix = matrix + torch.diag(off, 1) + torch.diag(off, -1)
    values, weights = torch.linalg.eigh(matrix)
    return values, weights


def _unit(rows: Tensor) -> Tensor:
    return rows / rows.norm(dim=1, keepdim=True)


def hessian_product(value: Callable[[Tensor], Tensor], point: Tensor) -> Product:
    """v [size] -> H v [size] with H the Hessian of `value` at `point`, by autograd twice.

    value: a tensor of point's shape -> a scalar tensor, twice differentiable by autograd; size:
    the number of point's elements. Products are taken in point's precision and come back in it:
    with a float32 network, ask `lanczos` for a tolerance of 1e-4, not of 1e-10. The gradient's
    graph is kept as long as the product is.
    """
    with torch.enable_grad():
        leaf = point.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(value(leaf), leaf, create_graph=True)

    def product(vector: Tensor) -> Tensor:
        if not gradient.requires_grad:  # linear in point: no second derivative
            return torch.zeros_like(vector)
        (image,) = torch.autograd.grad(
            gradient,
            leaf,
            vector.to(leaf).view_as(leaf),
            retain_graph=True,
            materialize_grads=True,
        )
        return image.flatten()

    return product
