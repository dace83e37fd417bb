"""What is seen of a state: the iterate of each item's leading start, and its certificates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from red_core.algorithm.objective import (
    evaluate,
    gradient_of_terms,
    objective,
    residual,
    terms_in_z,
)
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.prox import block_soft_threshold, gap_of_residual, lambda_max
from red_core.algorithm.state import State


@dataclass(frozen=True)
class Iterate:
    """One iterate of a batch, detached: for each item, its leading start.

    k: steps done, both phases (of items that differ, the most); phase: "start" or "joint"; z
    [B, *latent]; c_a [B, k_a]; image = G(z) [B, *signal]; residual = x' - G(z) - D_a c_a
    [B, *signal]; loss: the objective [B]; lam: lambda [B]; block_energy [B, classes, attacks]:
    ||c_a[i][j]||; gap: duality gap of the c_a problem [B]; gradient_norm [B]: norm of the gradient
    of f = ||.||^2 (eq. 9's left side, not squared); prox_residual [B]:
    ||w - prox(w - eta grad)|| / eta, the norm of the proximal-gradient step, zero at a stationary
    point; leader [B]: which of the given starts leads.
    """

    k: int
    phase: str
    z: Tensor
    c_a: Tensor
    image: Tensor
    residual: Tensor
    loss: Tensor
    lam: Tensor
    block_energy: Tensor
    gap: Tensor
    gradient_norm: Tensor
    prox_residual: Tensor
    leader: Tensor

    def item(self, place: int, k: int) -> Iterate:
        """One item as a batch of one; k: the steps that it has done itself."""
        values: dict[str, Any] = {
            name: value[place : place + 1]
            for name, value in vars(self).items()
            if torch.is_tensor(value)
        }
        return replace(self, k=k, **values)


def observe(problem: RedProblem, state: State, options: SolverOptions) -> Iterate:
    """The iterate of a state: of each item, the start with the lowest objective.

    `loss` is of the squared error also where the start descends another one. Of a state that `step`
    returned it costs one product with D_a^T: G(z), D_a c_a and the gradient in z are the next
    step's, and are in the state already (but the gradient of a z that is frozen, or of a start with
    another loss).
    """
    state = evaluate(problem, state, options)
    dictionary = problem.dictionary
    items = torch.arange(len(state), device=state.z.device)
    lead = objective(problem, state, options).argmin(1)

    def leading(values: Tensor) -> Tensor:
        return values[items, lead]

    assert state.image is not None
    assert state.gradient is not None
    left, c_a, image = leading(residual(problem, state)), leading(state.c_a), leading(state.image)
    y = problem.flat - image
    joint = bool(state.joint.all())
    lam = state.lam if joint else options.lambda_fraction * lambda_max(y, dictionary)
    correlation = dictionary.correlate(left)
    gap, loss = gap_of_residual(y, left, correlation, c_a, lam, dictionary)
    gradient = leading(state.gradient).flatten(1)
    whole = gradient + leading(gradient_of_terms(state, options)).flatten(1)
    eta = 1.0 / dictionary.operator_norm_squared
    shrunk = block_soft_threshold(c_a + eta * correlation, eta * lam, dictionary)
    prox_square = ((c_a - shrunk) / eta).square().sum(1)
    return Iterate(
        k=int(state.k.max()),
        phase="joint" if joint else "start",
        z=leading(state.z).detach(),
        c_a=c_a,
        image=problem.as_images(image),
        residual=problem.as_images(left),
        loss=loss + leading(terms_in_z(state, options)),
        lam=lam,
        block_energy=dictionary.energies(c_a),
        gap=gap,
        gradient_norm=2 * (gradient.square().sum(1) + correlation.square().sum(1)).sqrt(),
        prox_residual=(whole.square().sum(1) + prox_square).sqrt(),
        leader=leading(state.start),
    )
