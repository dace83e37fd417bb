"""Closed forms for one layer without attack, G(z) = sigma(W z) with sigma increasing.

The paper's theorems need constants measured along a path; here the singular values of W do. For
every z there are s_i between the least and the largest slope of sigma (the slopes of its
secants) with G(z) - G(z*) = diag(s) W (z - z*), so

    grad f(z) = 2 W^T diag(sigma'_i s_i) W (z - z*) = 2 A(z) (z - z*),

and where 0 <= low <= sigma' <= high, A(z) is symmetric with eigenvalues between
low^2 sigma_min(W)^2 and high^2 sigma_max(W)^2. At a kink sigma' is any of its one-sided slopes.
"""

from __future__ import annotations

import torch
from torch import Tensor


def leaky_floor(weight: Tensor, slope: float) -> Tensor:
    """mu >= 2 alpha^2 sigma_min(W)^2 for one leaky layer: W [..., m, d], alpha = slope -> [...].

    At every z, so f has no stationary point but z*, and Assumption 2 holds on every path. Linear
    (slope 1): 2 sigma_min(W)^2, attained where z - z* is the last singular vector. B.5 names
    sigma_min(W^T W) for that case: its gradient drops the factor 2 of f = ||.||^2. The proof of
    Corollary 4 has sigma_min(W^T R), without the square. 0 where m < d.
    """
    if not 0 <= slope <= 1:
        raise ValueError(f"the slope must lie in [0, 1], not {slope:g}")
    return 2 * (slope * _ends(weight)[0]).square()


def one_layer_contraction(weight: Tensor, slopes: tuple[float, float], eta: Tensor) -> Tensor:
    """||z^{k+1} - z*||^2 <= factor ||z^k - z*||^2 for gradient descent on one increasing layer.

    z^{k+1} - z* = (I - 2 eta A(z^k)) (z^k - z*), so the factor is the larger square of
    1 - 2 eta low^2 sigma_min(W)^2 and 1 - 2 eta high^2 sigma_max(W)^2. From every start, and for
    kinks too, where Theorem 3 is silent. W [..., m, d]; slopes = (low, high) of sigma
    (`Activation.slopes`), low >= 0; eta [...]. At least 1 where low = 0 (ReLU, softplus, sigmoid,
    tanh): more cannot be said without looking at the path.
    """
    low, high = slopes
    if low < 0:
        raise ValueError("the activation must be increasing")
    smallest, largest = _ends(weight)
    slow = 1 - 2 * eta * (low * smallest).square()
    fast = 1 - 2 * eta * (high * largest).square()
    return torch.maximum(slow.abs(), fast.abs()).square()


def _ends(weight: Tensor) -> tuple[Tensor, Tensor]:
    """sigma_min over the d columns (0 where m < d) and sigma_max of W [..., m, d]."""
    values = torch.linalg.svdvals(weight)
    smallest = values[..., -1]
    if weight.shape[-2] < weight.shape[-1]:
        smallest = torch.zeros_like(smallest)
    return smallest, values[..., 0]
