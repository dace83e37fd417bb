"""The objective of eq. 5 as the solver minimises it, at a state.

1/2 ||x' - G(z) - D_a c_a||^2 + lambda sum_g ||c_g||_2, plus two optional terms in z:
w/2 ||z - anchor||^2, and u/2 ||phi(x') - phi(G(z))||^2 of features phi of the classifier.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.prox import penalty
from red_core.algorithm.state import State


def evaluate(
    problem: RedProblem, state: State, options: SolverOptions, gradient: bool = True
) -> State:
    """The state with G(z) filled in and, where asked for, the gradient of the fit in z.

    gradient: J(z)^T (G(z) + D_a c_a - x'), the product (W_1 R_1)^T ... (W_L R_L)^T of Algorithm 1,
    by autograd. What the state holds already is not computed again.
    """
    if state.image is not None and (state.gradient is not None or not gradient):
        return state
    weighs_features = bool(options.feature_weight)
    shape = state.z.shape[:2]
    with torch.set_grad_enabled(gradient or weighs_features):
        z = state.z.detach().flatten(0, 1).requires_grad_(gradient or weighs_features)
        made = problem.generator(z)
    image = made.detach().flatten(1).unflatten(0, shape)
    filled = replace(state, image=image)
    if gradient:
        residual = image + state.fit_c - problem.flat[:, None]
        (pulled,) = torch.autograd.grad(
            made, z, residual.view_as(made), retain_graph=weighs_features
        )
        filled = replace(filled, gradient=pulled.unflatten(0, shape))
    if weighs_features:
        with torch.enable_grad():
            away = problem.features_of(made) - problem.observed_features.repeat_interleave(
                shape[1], 0
            )
            energy = 0.5 * options.feature_weight * away.square().sum(1)
        (pull,) = torch.autograd.grad(energy.sum(), z)
        filled = replace(
            filled,
            feature_energy=energy.detach().unflatten(0, shape),
            feature_gradient=pull.unflatten(0, shape),
        )
    return filled


def target(problem: RedProblem, state: State) -> Tensor:
    """y = x' - G(z) of every start of an evaluated state, [B, S, n]."""
    assert state.image is not None  # `evaluate` filled it in
    return problem.flat[:, None] - state.image


def residual(problem: RedProblem, state: State) -> Tensor:
    """x' - G(z) - D_a c_a of every start of an evaluated state, [B, S, n]."""
    return target(problem, state) - state.fit_c


def terms_in_z(state: State, options: SolverOptions) -> Tensor:
    """What the objective says of z beside the fit, [B, S]."""
    away = (state.z - state.anchor).flatten(2).square().sum(-1)
    energy = 0.5 * options.latent_weight * away
    return energy if state.feature_energy is None else energy + state.feature_energy


def gradient_of_terms(state: State, options: SolverOptions) -> Tensor:
    """The gradient of `terms_in_z`, [B, S, *latent]."""
    pull = options.latent_weight * (state.z - state.anchor)
    return pull if state.feature_gradient is None else pull + state.feature_gradient


def objective(problem: RedProblem, state: State, options: SolverOptions) -> Tensor:
    """The objective of every start of an evaluated state, [B, S]; infinite for one that is out.

    In a start that descends another loss, that loss is in the place of the squared error.
    """
    fit = state.start_energy
    if fit is None:
        fit = 0.5 * residual(problem, state).square().sum(-1)
    fit = fit + terms_in_z(state, options)
    value = fit + state.lam[:, None] * penalty(state.c_a, problem.dictionary)
    return torch.where(state.alive, value, torch.inf)
