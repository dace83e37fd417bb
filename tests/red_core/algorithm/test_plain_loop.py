"""The plain loop of the benchmark and the solver are two routes to the same end."""

import pytest
import torch

from red_core.algorithm.batch import run_to_end
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.plain_loop import Objective, plain_solve
from red_core.run.bundle import Bundle
from red_core.run.experiment import begin_run, make_starts

OPTIONS = {
    "algorithm 1": SolverOptions(restarts=3, start_steps=4, steps=12),
    "frozen": SolverOptions(restarts=2, start_steps=3, steps=8, signal_step="frozen"),
    "a start with momentum": SolverOptions(
        restarts=2,
        start_step="gradient",
        start_rate=0.05,
        start_momentum=0.7,
        start_steps=6,
        steps=6,
    ),
    "lambda at every step": SolverOptions(
        restarts=3,
        start_steps=4,
        carry=2,
        steps=12,
        signal_rate=0.02,
        latent_weight=0.1,
        lambda_every_step=True,
    ),
    "c_a after z": SolverOptions(
        restarts=2,
        start_steps=4,
        carry=2,
        halve_at=(4,),
        steps=12,
        signal_step="adam",
        signal_rate=0.05,
        lambda_fraction=0.1,
        inner=2,
        c_a_after_z=True,
    ),
    "unaccelerated": SolverOptions(restarts=1, start_steps=0, steps=8, acceleration="none"),
    "several starts": SolverOptions(
        restarts=5,
        start_steps=4,
        carry=4,
        halve_at=(3, 6),
        steps=10,
        signal_step="adam",
        signal_rate=0.05,
        lambda_fraction=0.1,
        latent_weight=0.1,
        inner=2,
    ),
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_the_loop_ends_where_the_solver_ends(toy_bundle: Bundle, options: SolverOptions) -> None:
    attacked = toy_bundle.examples.images[:2]
    iterate = run_to_end(*begin_run(toy_bundle, attacked, options, [0, 1]), options)
    starts, anchors = make_starts(toy_bundle, attacked, options, [0, 1])
    for i in range(2):
        own = plain_solve(
            attacked[i], starts[i], anchors[i], options, toy_bundle.generator, toy_bundle.dictionary
        )
        goal = Objective(
            attacked[i],
            toy_bundle.generator,
            toy_bundle.dictionary,
            own.anchor[None],
            options.latent_weight,
        )
        assert own.lam == pytest.approx(float(iterate.lam[i]), rel=1e-4)
        value = goal.value(own.z[None], own.c_a[None], own.lam)
        assert float(value) == pytest.approx(float(iterate.loss[i]), rel=1e-4)
        torch.testing.assert_close(own.z, iterate.z[i], rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(own.c_a, iterate.c_a[i], rtol=1e-3, atol=1e-4)
        assert own.c_a.norm() > 0


def test_the_loop_knows_w_plus_and_its_quasi_newton_steps(toy_cifar10: Bundle) -> None:
    options = SolverOptions(
        restarts=1,
        mean_start=True,
        start_step="lbfgs",
        start_steps=3,
        start_rate=1.0,
        carry=2,
        halve_at=(2,),
        steps=4,
        signal_step="lbfgs",
        signal_rate=1.0,
        latent_weight=0.1,
    )
    attacked = toy_cifar10.examples.images[:1]
    iterate = run_to_end(*begin_run(toy_cifar10, attacked, options, [0]), options)
    starts, anchors = make_starts(toy_cifar10, attacked, options, [0])
    own = plain_solve(
        attacked[0], starts[0], anchors[0], options, toy_cifar10.generator, toy_cifar10.dictionary
    )
    goal = Objective(
        attacked[0], toy_cifar10.generator, toy_cifar10.dictionary, own.anchor[None], 0.1
    )
    value = goal.value(own.z[None], own.c_a[None], own.lam)
    assert own.z.shape == toy_cifar10.prior.shape
    assert float(value) == pytest.approx(float(iterate.loss[0]), rel=1e-3)
