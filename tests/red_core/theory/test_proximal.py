"""The proximal-PL constant of a run against its definition, its bounds and what it promises."""

from dataclasses import replace
from itertools import pairwise

import cvxpy as cp
import pytest
import torch

from red_core.algorithm.observe import Iterate
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.presets import PRESETS
from red_core.algorithm.problem import RedProblem
from red_core.theory import proximal_decrease, proximal_pl, signal_gradient_norm
from tests.red_core.stepping import Run

PLAIN = replace(PRESETS["paper"], start_steps=5, start_step="gradient", steps=25)


def path_of(instance, options: SolverOptions = PLAIN) -> list[Iterate]:
    starts = torch.randn(len(instance.problem), 2, instance.z_star.shape[1]).double()
    return list(Run(instance.problem, starts, options).path())


def test_the_signal_gradient_is_the_rest_of_the_whole_one(make_instance):
    instance = make_instance(widths=(4, 8, 30))
    iterates = path_of(instance) * 3  # more rows than go through G at once
    along_z = signal_gradient_norm(instance.problem, iterates)
    assert along_z.shape == (93, 3)
    assert not along_z.requires_grad
    for k in (0, 17, 92):
        it = iterates[k]
        along_c = 2 * instance.dictionary.correlate(it.residual).norm(dim=1)
        torch.testing.assert_close(along_z[k] ** 2 + along_c**2, it.gradient_norm**2)


@pytest.mark.parametrize("rho", [1.0, 20.0])
def test_the_proximal_decrease_is_the_minimum_it_stands_for(make_dictionary, rho):
    dictionary = make_dictionary()
    c_a, gradient = torch.randn(2, 4, 18).double()
    lam = torch.tensor([0.0, 0.3, 1.0, 50.0], dtype=torch.float64)
    ours = proximal_decrease(c_a, gradient, lam, rho, dictionary)
    for row in range(4):
        c, g = c_a[row].numpy(), gradient[row].numpy()
        y = cp.Variable(18)
        norms = [cp.norm(y[dictionary.block(i, j)], 2) for i in range(3) for j in range(2)]
        h = float(dictionary.energies(c_a[row]).sum())
        model = g @ (y - c) + rho / 2 * cp.sum_squares(y - c)
        model += float(lam[row]) * (cp.sum(cp.hstack(norms)) - h)
        problem = cp.Problem(cp.Minimize(model))
        problem.solve(solver=cp.CLARABEL)
        assert float(ours[row]) == pytest.approx(-problem.value, rel=1e-6, abs=1e-7)
    torch.testing.assert_close(ours[0], gradient[0].square().sum() / (2 * rho))


def test_two_rho_d_grows_with_rho(make_dictionary):
    """Karimi et al. 2016, Lemma 1: why the default rho gives a lower bound."""
    dictionary = make_dictionary()
    c_a, gradient = torch.randn(2, 40, 18).double()
    lam = torch.full((40,), 0.7, dtype=torch.float64)
    values = [
        2 * rho * proximal_decrease(c_a, gradient, lam, rho, dictionary)
        for rho in (0.5, 2.0, 8.0, 100.0)
    ]
    for smaller, larger in pairwise(values):
        assert bool((larger >= smaller - 1e-9).all())


def as_iterate(like: Iterate, instance, z: torch.Tensor, c_a: torch.Tensor) -> Iterate:
    residual = instance.problem.observed - instance.network(z) - instance.dictionary.combine(c_a)
    return replace(like, z=z, c_a=c_a, residual=residual)


def test_theorem_8_holds_with_the_constant_of_every_step(make_instance):
    """With eta = 1/rho, L^{k+1} - L* <= (1 - mu_k / (2 rho)) (L^k - L*): the factors of 2 fit."""
    instance = make_instance(items=2, slope=1.0)
    W, dictionary = instance.network.weights[0], instance.dictionary
    M = torch.cat((W, dictionary.atoms), 1)
    rho = 2 * float(torch.linalg.svdvals(M)[0]) ** 2  # of f = ||.||^2
    like = Run(
        instance.problem, torch.randn(2, 1, 4).double(), replace(PLAIN, start_steps=0)
    ).observe()
    lam = 2 * like.lam  # lambda' of the paper's L
    z, c_a, path = like.z, like.c_a, []
    for _ in range(600):
        path.append(as_iterate(like, instance, z, c_a))
        r = path[-1].residual
        forward = dictionary.split(c_a + 2 * dictionary.correlate(r) / rho)
        norms = forward.norm(dim=-1, keepdim=True)
        shrink = (1 - (lam / rho)[:, None, None, None] / norms).clamp_min(0)
        z, c_a = z + 2 * r @ W / rho, (forward * shrink).flatten(1)
    L = torch.stack(
        [it.residual.square().sum(1) + lam * dictionary.energies(it.c_a).sum((1, 2)) for it in path]
    )
    constant = proximal_pl(instance.problem, path, rho)
    above = L - L.amin(0)
    known = ~constant[:200].isnan()
    assert bool(known[:30].all())
    promised = (1 - constant[:200] / (2 * rho)) * above[:200]
    assert bool((above[1:201] <= promised + 1e-9)[known].all())
    assert bool((constant[:200][known] > 0).all())


def test_the_constant_is_nan_at_the_lowest_iterate_and_nowhere_before(make_instance):
    instance = make_instance()
    iterates = path_of(instance, replace(PLAIN, acceleration="none", signal_rate=1e-3))
    constant = proximal_pl(instance.problem, iterates)
    assert constant.shape == (31, 3)
    assert bool(constant[-1].isnan().all())
    assert not constant[:-1].isnan().any()
    assert bool((constant[:-1] > 0).all())


def test_the_constant_of_float32_iterates_is_that_of_float64(make_instance):
    exact = make_instance()
    weights = tuple(weight.float() for weight in exact.network.weights)
    rough = RedProblem(
        exact.problem.observed.float(),
        replace(exact.network, weights=weights),
        exact.dictionary.to(dtype=torch.float32),
    )
    starts = torch.randn(3, 2, 4)
    wanted = proximal_pl(exact.problem, list(Run(exact.problem, starts.double(), PLAIN).path()))
    constant = proximal_pl(rough, list(Run(rough, starts, PLAIN).path()))
    assert constant.dtype == torch.float32
    early = slice(0, 20)
    torch.testing.assert_close(constant[early].double(), wanted[early], rtol=1e-3, atol=0)
