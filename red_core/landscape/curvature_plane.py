"""The plane of the steepest and the most hollow direction at a point: extreme eigenvectors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from red_core.landscape.plane import Plane
from red_core.landscape.principal import completed, variance_shares
from red_core.theory.spectrum import hessian_product, lanczos


def hessian_plane(
    value: Callable[[Tensor], Tensor],
    point: Tensor,
    path: Tensor | None = None,
    where: str = "at the point looked at",
) -> Plane:
    """The plane through `point` [d] of the Hessian's extreme eigenvectors there.

    value: z [d] -> f(z), a scalar that autograd can differentiate twice; path [K, d]: to state
    what the plane shows of it; where: the point in words. The first axis has the largest
    eigenvalue (rho of Theorem 3, at this point), the second the smallest (-epsilon where it is
    negative). Lanczos on Hessian-vector products, to 1e-4 of the largest in float32. Where only
    one eigenvalue exists, some orthogonal direction completes the plane.
    """
    tolerance = 1e-10 if point.dtype == torch.float64 else 1e-4
    ends = lanczos(hessian_product(value, point), point.numel(), tolerance, vectors=True)
    assert ends.vectors is not None
    axes = completed(list(ends.vectors), point[None])
    known = tolerance * max(abs(ends.largest), abs(ends.smallest))
    top, bottom = _told(ends.largest, known), _told(ends.smallest, known)
    largest = axes.abs().argmax(1, keepdim=True)
    axes = axes * axes.gather(1, largest).sign()  # an eigenvector has no sign of its own
    return Plane(
        point,
        axes,
        (f"largest curvature, {top}", f"smallest curvature, {bottom}"),
        f"The eigenvectors of the Hessian of f in z {where}, with its largest eigenvalue ({top}) "
        f"and its smallest ({bottom}).",
        variance_shares(path, axes),
    )


def _told(value: float, known: float) -> str:
    """An eigenvalue in words, where it is known to `known`."""
    return "about 0" if abs(value) <= known else f"{value:.3g}"
