"""Lemma 9's inequality (14): against autograd, and true along every path that was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from red_core.synthetic import InstanceSettings, make_instances
from red_core.theory import guarantee
from red_core.theory.cocoercivity import cocoercivity
from red_core.theory.descent import DescentOptions, descend

CLEAN = InstanceSettings(m=40, d=3, activation="softplus", start="near", examples=4)
ATTACKED = replace(CLEAN, attack=True, training=6, hidden=40)


@pytest.mark.parametrize("settings", [CLEAN, ATTACKED], ids=["inversion", "alternating"])
def test_both_sides_are_those_of_the_paper_by_autograd(settings: InstanceSettings) -> None:
    made = make_instances(settings)
    inversion = not settings.attack
    path = descend(
        made, DescentOptions(method="inversion" if inversion else "alternating", steps=5)
    )
    eta, rho = path.eta, torch.full_like(path.eta, 3.0)
    epsilon = torch.full_like(path.eta, 0.2)
    found = cocoercivity(made, path.z, path.c_a, eta, rho, epsilon, inversion)
    for k in (0, 4):
        z = path.z[k].clone().requires_grad_()
        c_a = path.c_a[k].clone().requires_grad_()
        residual = made.observed - made.network(z) - made.dictionary.combine(c_a)
        grads = torch.autograd.grad(residual.square().sum(), (z, c_a), allow_unused=True)
        parts = [(grads[0], (z - made.z_star).detach())]
        if not inversion:
            parts.append((grads[1], (c_a - made.c_star).detach()))
            # c_a^0 - c_a* lies in the row space here: D_a has fewer columns than rows.
            assert int(made.ranks.min()) == made.k
        distance = sum(move.square().sum(1) for _, move in parts)
        left = sum((grad * move).sum(1) for grad, move in parts)
        right = sum(
            2 * eta * (1 - eta * rho / 2) * grad.square().sum(1)
            - epsilon * (move - eta[:, None] * grad).square().sum(1)
            for grad, move in parts
        )
        torch.testing.assert_close(found.left[k], left / distance, rtol=1e-8, atol=1e-10)
        torch.testing.assert_close(found.right[k], right / distance, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    "settings",
    [CLEAN, ATTACKED, replace(CLEAN, start="random", activation="tanh", parameter=None)],
    ids=["near", "attacked", "from afar"],
)
def test_the_lemma_holds_along_paths_with_the_constants_found_there(settings) -> None:
    made = make_instances(settings)
    method = "alternating" if settings.attack else "inversion"
    path = descend(made, DescentOptions(method=method, steps=60))
    result = guarantee(made, path)
    sides = cocoercivity(
        made, path.z, path.c_a, path.eta, result.rho, result.epsilon, not settings.attack
    )
    under_way = path.under_way
    slack = (sides.left - sides.right)[under_way]
    assert bool((slack >= -1e-9 * result.rho.max()).all())
    too_small = cocoercivity(
        made, path.z, path.c_a, path.eta, result.rho * 0, result.epsilon * 0, not settings.attack
    )
    assert bool((too_small.right >= sides.right - 1e-12)[under_way].all()), "smaller promise more"


def test_at_the_solution_there_is_nothing_to_divide_by() -> None:
    made = make_instances(CLEAN)
    one = torch.ones(len(made), dtype=torch.float64)
    found = cocoercivity(made, made.z_star[None], made.c_star[None], one, one, one, True)
    assert bool(found.left.isnan().all())
