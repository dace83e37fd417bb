"""The formulas of Theorems 3, 6 and 8: admissible step sizes and promised factors.

Every function works elementwise on tensors of one shape: mu >= 0 (Assumption 5), rho > 0 and
-epsilon <= 0 (bounds on the Hessian's eigenvalues), eta > 0.

On the proof (A.1). With Delta^k = w^k - w*, w = (z, c_a), and grad f(w*) = 0, Lemma 9 gives

    <grad f(w^k), Delta^k> >= 2 eta (1 - eta rho / 2) ||grad f(w^k)||^2 - epsilon ||Delta^{k+1}||^2

since zeta of Lemma 10 is Delta^{k+1} itself. Put into ||Delta^{k+1}||^2 = ||Delta^k||^2
- 2 eta <grad f, Delta^k> + eta^2 ||grad f||^2 that is, for eta < 1 / (2 epsilon),

    (1 - 2 eta epsilon) ||Delta^{k+1}||^2 <= ||Delta^k||^2 - eta^2 (3 - 2 eta rho) ||grad f||^2,

and with eta <= 3 / (2 rho) and Assumption 5 (||grad f|| >= mu ||Delta^k||)

    ||Delta^{k+1}||^2 <= (1 - A) / (1 - 2 eta epsilon) ||Delta^k||^2

with A = eta^2 mu^2 (3 - 2 eta rho). The paper bounds 1 / (1 - 2 eta epsilon) apart from the rest,
by eta <= 1 / (4 epsilon), and gets 1 - A + 4 eta epsilon: `contraction`. Its line 38 bounds a
negative multiple of ||grad f||^2 by that of rho^2 ||Delta^k||^2, which is the wrong way round;
line 40 follows without it, by dropping the term. Eq. 42 has one sign turned.

It can be had for less. epsilon enters Lemma 9 twice, by (26) for psi = f and for psi*. The first,
f(w^{k+1}) >= f(w*) - epsilon / 2 ||Delta^{k+1}||^2, holds with epsilon = 0, for f(w*) = 0 is the
least value there is. So 2 eta epsilon is eta epsilon: `sharper_contraction`.
"""

from __future__ import annotations

import torch
from torch import Tensor


def contraction(eta: Tensor, mu: Tensor, rho: Tensor, epsilon: Tensor) -> Tensor:
    """The factor of eqs. 7 and 10: 1 - 4 eta^2 mu^2 (3/4 - eta rho / 2) + 4 eta epsilon.

    It bounds ||Delta^{k+1}||^2 / ||Delta^k||^2, of squared distances. 1 or more where eta lies
    outside of `step_interval`: then it promises nothing.
    """
    return 1 - eta.square() * mu.square() * (3 - 2 * eta * rho) + 4 * eta * epsilon


def sharper_contraction(eta: Tensor, mu: Tensor, rho: Tensor, epsilon: Tensor) -> Tensor:
    """What the proof gives with less waste: (1 - A) / (1 - eta epsilon), see above.

    Never above `contraction` where the theorem's conditions hold; some eta brings it below 1 if
    mu^2 > 8/9 rho epsilon, a quarter of what the theorem asks. NaN where eta >= 1 / epsilon or
    eta > 3 / (2 rho).
    """
    kept = 1 - eta * epsilon
    factor = (1 - eta.square() * mu.square() * (3 - 2 * eta * rho)) / kept
    return torch.where((kept > 0) & (2 * eta * rho <= 3), factor, torch.nan)


def step_interval(mu: Tensor, rho: Tensor, epsilon: Tensor) -> tuple[Tensor, Tensor]:
    """(low, high): the step sizes that Theorems 3 and 6 admit, NaN where there are none.

    Between the roots of eq. 60, (3 mu^2 -+ sqrt(9 mu^4 - 32 mu^2 rho epsilon)) / (4 mu^2 rho),
    and at most min(1 / (4 epsilon), 3 / (2 rho)). Real roots need mu^2 > 32/9 rho epsilon, which
    the theorems print as "mu >~ sqrt(rho epsilon)". The two caps add nothing for mu <= rho: the
    upper root never exceeds 3 / (2 rho), nor then 1 / (4 epsilon). With epsilon = 0 the interval is
    (0, 3 / (2 rho)); otherwise it stays away from 0.
    """
    square = mu.square()
    inside = 9 * square.square() - 32 * square * rho * epsilon
    root = inside.clamp_min(0).sqrt()
    # The lower root times the upper one is 2 epsilon / (mu^2 rho): no difference of near equals.
    low = 8 * epsilon / (3 * square + root)
    high = torch.minimum((3 * square + root) / (4 * square * rho), 0.25 / epsilon)
    there = (inside > 0) & (low < high)
    return torch.where(there, low, torch.nan), torch.where(there, high, torch.nan)


def best_step(mu: Tensor, rho: Tensor, epsilon: Tensor) -> Tensor:
    """The admissible eta with the smallest `contraction`, NaN where there is none.

    The larger root of the contraction's derivative,
    (3 mu^2 + sqrt(9 mu^4 - 24 mu^2 rho epsilon)) / (6 mu^2 rho), or 1 / (4 epsilon) where that is
    less. 1 / rho for epsilon = 0, with the factor 1 - mu^2 / rho^2. That is how tight the theorem
    can be: of a quadratic f the same step leaves at most (1 - mu / rho)^2, about 1 - 2 mu / rho.
    """
    square = mu.square()
    root = (9 * square.square() - 24 * square * rho * epsilon).clamp_min(0).sqrt()
    lowest = (3 * square + root) / (6 * square * rho)
    _, high = step_interval(mu, rho, epsilon)
    return torch.where(high.isnan(), torch.nan, torch.minimum(lowest, 0.25 / epsilon))


def proximal_rate(mu: Tensor, rho: Tensor) -> Tensor:
    """Theorem 8's factor on L - L*, with the step 1 / rho: 1 - mu / (2 rho) (eq. 12).

    The end of its proof (lines 68 and 69) has 1 - mu / rho: that would need Assumption 7 without
    the factor 2 before rho D. A step lowers L by at least D + ||grad_z f||^2 / (2 rho), which is
    1 / (2 rho) times the left side of eq. 11.
    """
    return 1 - mu / (2 * rho)
