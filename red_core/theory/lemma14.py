"""Lemma 14: bounds on rho and epsilon for one layer, as printed and corrected.

With r = G(z) + D_a c_a - x', M = [J D_a] and G(z) = sigma(W z), the Hessian of f = ||r||^2 is

    H = 2 M^T M + 2 [B 0; 0 0],   J = diag(sigma'(W z)) W,   B = sum_i r_i Hess G_i
                                                               = W^T diag(r_i sigma''(w_i . z)) W.

The paper prints this with r turned (73) and without the factor 2 (73 to 76). With

    ||J||^2 <= a = C_W^2 B_sigma'^2,    ||D_a||^2 <= c = C_D^2,
    ||B|| <= C_W^2 max_i |r_i sigma''| <= C_W^2 B_sigma'' ||r||_1 <= b = C_W^2 B_sigma'' C_0

the quadratic form of H / 2 at (u, v) is at most (sqrt(a) |u| + sqrt(c) |v|)^2 + b |u|^2, which
is that of the 2 x 2 matrix [a + b, sqrt(a c); sqrt(a c), c] at (|u|, |v|), and at least -b |u|^2,
since M^T M is positive semidefinite. So

    rho     = a + b + c + sqrt((a + b - c)^2 + 4 a c) <= 2 (a + b + c),
    epsilon = 2 b.

What is wrong in print. The factor 2 is missing. The root in sqrt(C_0) is too small for C_0 > 1.
The statement counts the block C_W B_sigma' C_D once, its proof twice (79). L_D^2 cannot be
subtracted from epsilon: M_{c_a,c_a} is padded with zeros, so its smallest eigenvalue in (84) is 0.
V_W is no help: C_W^2 <= V_W. And the segment of eq. 71, from w to w*, is not one on which the
proof of Theorem 6 needs epsilon (`segment_curvature`).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from red_core.synthetic import Instances
from red_core.theory.assumptions import Assumption13


def lemma14(constants: Assumption13) -> tuple[Tensor, Tensor]:
    """(rho, epsilon) of the corrected lemma, [I]: bounds wherever ||r||_1 <= C_0.

    In terms of these constants alone no smaller ones hold: d = n = k = 1 attains each, with sigma'
    and sigma'' at their bounds for rho, and with sigma' = 0 for epsilon. ValueError for more
    than one layer; infinite for a sigma with a kink.
    """
    c_w, _ = _one_layer(constants)
    if not math.isfinite(constants.b_second):
        nothing = torch.full_like(c_w, torch.inf)
        return nothing, nothing
    bend = c_w.square() * constants.b_second * constants.c_0
    steep = (c_w * constants.b_first).square()
    return _twice_top(steep, bend, constants.c_d.square()), 2 * bend


def lemma14_printed(constants: Assumption13) -> tuple[Tensor, Tensor]:
    """(rho, epsilon) as Lemma 14 states them, [I]: to be shown, not to be relied on.

    rho = C_W^2 (B_sigma'^2 + B_sigma'' sqrt(C_0)) + C_W B_sigma' C_D + C_D^2 and
    epsilon = V_W B_sigma'' C_0 + C_W B_sigma' C_D - L_D^2. Both fail for G(z) = (0, z / 10) and
    D_a = (1, 0): H = diag(0.02, 2), while rho = 1.11 and epsilon = -0.9 would have every
    eigenvalue between 0.9 and 1.11.
    """
    c_w, v_w = _one_layer(constants)
    mixed = c_w * constants.b_first * constants.c_d
    bend = constants.b_second * constants.c_0.sqrt()
    rho = c_w.square() * (constants.b_first**2 + bend) + mixed + constants.c_d.square()
    return rho, v_w * constants.b_second * constants.c_0 + mixed - _least(constants).square()


def lemma14_in_proof(constants: Assumption13) -> tuple[Tensor, Tensor]:
    """(rho, epsilon) as the proof of Lemma 14 has them (eqs. 79 to 83 and 86), [I].

    rho = C_W^2 B_sigma'^2 + 2 V_W B_sigma'' C_0 + 2 C_W B_sigma' C_D + C_D^2, and
    epsilon = 2 C_W^2 B_sigma'' sqrt(C_0) + 2 C_W B_sigma' C_D - L_D^2. They differ from the
    statement, and fail on the same instance (rho = 1.21, epsilon = -0.8).
    """
    c_w, v_w = _one_layer(constants)
    mixed = 2 * c_w * constants.b_first * constants.c_d
    rho = (c_w * constants.b_first).square() + 2 * v_w * constants.b_second * constants.c_0
    bend = 2 * c_w.square() * constants.b_second * constants.c_0.sqrt()
    return rho + mixed + constants.c_d.square(), bend + mixed - _least(constants).square()


def bend_bounds(instances: Instances, z: Tensor, c_a: Tensor) -> tuple[Tensor, Tensor]:
    """(rho, epsilon) at points z [..., I, d], c_a [..., I, k] by the same argument, each [..., I].

    a = ||J||^2 and b = ||B||, B = sum_i r_i Hess G_i, at the point instead of bounds on them: far
    tighter than Lemma 14, and for any number of layers. For a sigma with a kink B is 0 between
    the kinks, and the bounds say nothing at them.
    """
    network = instances.network
    bent = torch.linalg.matrix_norm(network.bend(z, instances.residual(z, c_a)), ord=2)
    steep = torch.linalg.matrix_norm(network.jacobian(z), ord=2).square()
    wide = torch.zeros_like(instances.observed[:, 0])
    if instances.k:
        wide = torch.linalg.matrix_norm(instances.dictionary.atoms, ord=2).square()
    return _twice_top(steep, bent, wide), 2 * bent


def _twice_top(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Twice the larger eigenvalue of [a + b, sqrt(ac); sqrt(ac), c]."""
    return a + b + c + ((a + b - c).square() + 4 * a * c).sqrt()


def _one_layer(constants: Assumption13) -> tuple[Tensor, Tensor]:
    if len(constants.c_w) != 1:
        raise ValueError(f"Lemma 14 is about one layer, not {len(constants.c_w)}")
    return constants.c_w[0], constants.v_w[0]


def _least(constants: Assumption13) -> Tensor:
    """L_D, and 0 without an attack."""
    return constants.l_d.nan_to_num(posinf=0.0)
