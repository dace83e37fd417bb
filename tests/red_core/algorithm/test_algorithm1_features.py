"""The optional term of the objective on a classifier's features."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from red_core.algorithm.batch import run_to_end
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import RedProblem
from red_core.run.bundle import Bundle
from red_core.run.experiment import begin_run
from tests.red_core.stepping import Run

OPTIONS = SolverOptions(start_steps=2, steps=3, restarts=2, carry=2, feature_weight=0.5)


def squares(rows: Tensor) -> Tensor:
    return torch.stack((rows.square().sum(1), rows[:, 0] ** 3), dim=1)


def solver_of(instance, options: SolverOptions) -> Run:
    problem = instance.problem
    problem = RedProblem(problem.observed, problem.generator, problem.dictionary, squares)
    draw = torch.Generator().manual_seed(1)
    starts = torch.randn(len(problem), 2, 4, generator=draw, dtype=torch.float64)
    return Run(problem, starts, options)


def test_the_loss_and_its_gradient_hold_the_term(make_instance) -> None:
    instance = make_instance()
    solver = solver_of(instance, replace(OPTIONS, latent_weight=0.1))
    solver.step()
    it = solver.observe()
    z = it.z.clone().requires_grad_()
    image = instance.network(z)
    away = (squares(image) - squares(instance.problem.observed)).square().sum(1)
    fit = 0.5 * (instance.problem.observed - image).square().sum(1)
    value = fit + 0.25 * away + 0.05 * z.square().sum(1)
    torch.testing.assert_close(it.loss, value.detach())
    (gradient,) = torch.autograd.grad(value.sum(), z)
    correlation = instance.dictionary.correlate(it.residual)
    shrunk = correlation.norm(dim=1)  # c_a = 0, and lambda is that of the start: no step on c_a
    assert bool((it.prox_residual >= gradient.norm(dim=1) - 1e-9).all())
    assert bool((it.prox_residual <= (gradient.norm(dim=1) ** 2 + shrunk**2).sqrt() + 1e-9).all())


def test_a_weight_changes_where_z_goes_and_items_do_not_meet(make_instance) -> None:
    instance = make_instance()
    with_term, without = (
        solver_of(instance, OPTIONS),
        solver_of(instance, replace(OPTIONS, feature_weight=0.0)),
    )
    alone = solver_of(instance, OPTIONS)
    alone.take(torch.tensor([1]))
    for solver in (with_term, without, alone):
        while not solver.done:
            solver.step()
    assert not with_term.observe().z.equal(without.observe().z)
    torch.testing.assert_close(alone.observe().z[0], with_term.observe().z[1])


def test_psi_offers_its_first_maps(toy_cifar10: Bundle, toy_bundle: Bundle) -> None:
    images = toy_cifar10.examples.images[:2]
    assert toy_cifar10.features is not None
    torch.testing.assert_close(
        toy_cifar10.features(images),
        toy_cifar10.psi.features(images)[0],  # type: ignore[operator]
    )
    options = replace(OPTIONS, restarts=1, carry=1)
    problem, state = begin_run(toy_cifar10, images, options, [0, 1])
    assert bool(torch.isfinite(run_to_end(problem, state, options).loss).all())
    with pytest.raises(ValueError, match="needs features"):
        begin_run(toy_bundle, toy_bundle.examples.images[:1], options, [0])
