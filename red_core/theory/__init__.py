"""The paper's constants and guarantees, measured: Sections 4, 5.1, A and B.1 to B.5.

Everything is importable from here. Conventions: f = ||x' - G(z) - D_a c_a||^2, without a half; eta is
the theorems' step size; mu, rho and epsilon are those of Assumption 5 and Theorem 6.
"""

from red_core.theory.error_bound import (
    error_bound_mu,
    mu_along_path,
    mu_to_last,
    rank_sentence,
    row_space,
)
from red_core.theory.proximal import proximal_decrease, proximal_pl, signal_gradient_norm

__all__ = [
    "error_bound_mu",
    "mu_along_path",
    "mu_to_last",
    "proximal_decrease",
    "proximal_pl",
    "rank_sentence",
    "row_space",
    "signal_gradient_norm",
]
