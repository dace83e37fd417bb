"""The step found by trying: it is admissible on its own path, and better than the safe one."""

from dataclasses import replace

import torch

from red_core.synthetic import InstanceSettings, make_instances
from red_core.theory import guarantee, theorem_step
from red_core.theory.descent import DescentOptions, descend, step_sizes

OPTIONS = DescentOptions("inversion", steps=60)


def instances_of(**changes):
    chosen = {"m": 20, "d": 3, "activation": "softplus", "examples": 12} | changes
    return make_instances(InstanceSettings(hidden=30, **chosen))


def test_it_applies_on_its_own_path_and_promises_more_than_the_safe_step():
    instances = instances_of(start="near", radius=1.0)
    eta = theorem_step(instances, OPTIONS, most=None)
    known = ~eta.isnan()
    assert int(known.sum()) >= 10
    some = instances.take(known.nonzero()[:, 0])
    found = guarantee(some, descend(some, OPTIONS, eta[known]))
    assert bool(found.applies.all())
    safe = guarantee(some, descend(some, OPTIONS))
    assert bool((found.predicted <= safe.predicted + 1e-12)[safe.applies].all())
    assert float(found.predicted.mean()) < float(safe.predicted[safe.applies].mean()) - 0.01


def test_for_a_quadratic_it_is_one_over_rho():
    instances = instances_of(activation="linear", start="near", radius=1.0)
    eta = theorem_step(instances, OPTIONS)
    rho = 2 * torch.linalg.matrix_norm(instances.network.weights[0], ord=2).square()
    torch.testing.assert_close(eta, (1 / rho).expand(12))
    torch.testing.assert_close(eta, step_sizes(instances)["safe"])


def test_it_is_nan_where_the_theorem_has_nothing_to_give():
    kinked = instances_of(activation="leaky_relu")
    assert bool(theorem_step(kinked, OPTIONS).isnan().all())
    hard = instances_of(parameter=60.0, seed=5, examples=30)
    eta = theorem_step(hard, OPTIONS)
    assert bool(eta.isnan().any())
    missing = eta.isnan().nonzero()[:, 0]
    some = hard.take(missing)
    assert not guarantee(some, descend(some, OPTIONS)).applies.any()


def test_an_instance_is_not_touched_by_its_neighbours():
    instances = instances_of(start="near", radius=1.0)
    together = theorem_step(instances, OPTIONS)
    item = torch.tensor([4])
    torch.testing.assert_close(
        theorem_step(instances.take(item), OPTIONS), together[item], equal_nan=True
    )


def test_with_a_kernel_it_is_that_of_the_row_space():
    instances = make_instances(
        InstanceSettings(
            m=20, d=3, activation="linear", attack=True, training=8, examples=4, hidden=30
        )
    )
    options = replace(OPTIONS, method="alternating")
    eta = theorem_step(instances, options)
    assert not eta.isnan().any()
    found = guarantee(instances, descend(instances, options, eta))
    assert not found.applies.any()
    assert bool(found.row_space.applies.all())
