"""The paper's constants and guarantees, measured: Sections 4, 5.1, A and B.1 to B.5.

Everything is importable from here. Conventions: `f = ||x' - G(z) - D_a c_a||^2`, without a half;
eta is the theorems' step size; mu, rho and epsilon are those of Assumption 5 and Theorem 6.
"""

from red_core.theory.assumptions import Assumption13, Condition, assumption_13
from red_core.theory.certificate import BlockCertificate, block_certificate, certify
from red_core.theory.curvature import curvature, curvature_lanczos
from red_core.theory.error_bound import (
    MuSummary,
    error_bound_mu,
    mu_along_path,
    mu_to_last,
    rank_sentence,
    row_space,
    summarise_mu,
)
from red_core.theory.guarantee import Guarantee, Steps, guarantee
from red_core.theory.lemma14 import bend_bounds, lemma14, lemma14_in_proof, lemma14_printed
from red_core.theory.one_layer import leaky_floor, one_layer_contraction
from red_core.theory.planted import Planted, TrainedNetwork, near_planted, planted_moving
from red_core.theory.proximal import proximal_decrease, proximal_pl, signal_gradient_norm
from red_core.theory.proximal_guarantee import ProximalGuarantee, proximal_guarantee
from red_core.theory.segments import SIDES, SegmentCurvature, segment_curvature
from red_core.theory.spectrum import Extremes, hessian_product, lanczos
from red_core.theory.step_size import (
    best_step,
    contraction,
    proximal_rate,
    sharper_contraction,
    step_interval,
)
from red_core.theory.theorem_step import theorem_step
from red_core.theory.wdc import (
    WDC,
    WDC_LIMIT,
    Deviation,
    wdc_constant,
    wdc_deviation,
    wdc_expectation,
)

__all__ = [
    "SIDES",
    "WDC",
    "WDC_LIMIT",
    "Assumption13",
    "BlockCertificate",
    "Condition",
    "Deviation",
    "Extremes",
    "Guarantee",
    "MuSummary",
    "Planted",
    "ProximalGuarantee",
    "SegmentCurvature",
    "Steps",
    "TrainedNetwork",
    "assumption_13",
    "bend_bounds",
    "best_step",
    "block_certificate",
    "certify",
    "contraction",
    "curvature",
    "curvature_lanczos",
    "error_bound_mu",
    "guarantee",
    "hessian_product",
    "lanczos",
    "leaky_floor",
    "lemma14",
    "lemma14_in_proof",
    "lemma14_printed",
    "mu_along_path",
    "mu_to_last",
    "near_planted",
    "one_layer_contraction",
    "planted_moving",
    "proximal_decrease",
    "proximal_guarantee",
    "proximal_pl",
    "proximal_rate",
    "rank_sentence",
    "row_space",
    "segment_curvature",
    "sharper_contraction",
    "signal_gradient_norm",
    "step_interval",
    "summarise_mu",
    "theorem_step",
    "wdc_constant",
    "wdc_deviation",
    "wdc_expectation",
]
