"""Settled items leave a batch, and nobody's answer changes for it."""

from dataclasses import fields, replace

import pytest
import torch

from red_core.algorithm.algorithm1 import begin, finished, step
from red_core.algorithm.batch import run_to_end
from red_core.algorithm.observe import Iterate
from red_core.algorithm.presets import PRESETS

OPTIONS = replace(PRESETS["paper"], start_steps=10, steps=600, acceleration="restart")


@pytest.mark.parametrize("tolerance", [0.0, 1e-3])
def test_the_end_of_a_batch_is_the_end_of_every_item(make_instance, tolerance):
    instance = make_instance(items=5, slope=1.0)
    starts = torch.randn(5, 2, 4).double()
    # Nothing to explain for the first two: they settle long before the others.
    starts[:2] = instance.z_star[:2, None]
    observed = instance.problem.observed.clone()
    observed[:2] = instance.network(instance.z_star[:2]) + 1e-3 * torch.randn(2, 30).double()
    problem = replace(instance.problem, observed=observed)
    options = replace(OPTIONS, tolerance=tolerance)
    sizes = []

    def watch(moving, state):
        sizes.append(len(moving))

    end = run_to_end(problem, begin(problem, starts, options), options, watch)
    assert sizes[0] == 5
    assert (sizes[-1] < 5) is bool(tolerance)
    for item in range(5):
        rows = torch.tensor([item])
        own = problem.take(rows)
        alone = run_to_end(own, begin(own, starts[rows], options), options)
        for field in fields(Iterate):
            one, many = getattr(alone, field.name), getattr(end, field.name)
            if isinstance(one, torch.Tensor):
                torch.testing.assert_close(many[rows], one, rtol=1e-7, atol=1e-10)


def test_polishing_moves_c_a_alone_and_only_down(make_instance):
    instance = make_instance(items=3, slope=0.5)
    starts = torch.randn(3, 1, 4).double()
    options = replace(OPTIONS, steps=30)
    first = begin(instance.problem, starts, options)
    plain = run_to_end(instance.problem, first, options)
    polished = run_to_end(instance.problem, first, options, polish=200)
    assert polished.z.equal(plain.z)
    assert bool((polished.loss < plain.loss).all())
    assert bool((polished.gap < 0.1 * plain.gap).all())


def test_no_item_settles_before_its_starts_are_decided(make_instance):
    instance = make_instance(items=2, slope=1.0)
    starts = instance.z_star[:, None].repeat(1, 3, 1)
    problem = replace(instance.problem, observed=instance.network(instance.z_star))
    options = replace(OPTIONS, start_steps=0, carry=3, halve_at=(40,), steps=200, tolerance=1e-2)
    state = begin(problem, starts, options)
    while not finished(state, options):
        state = step(problem, state, options)
        assert not bool(state.settled.any()) or int(state.k.min()) >= 40
    assert bool(state.settled.all())


def test_c_a_alone_does_not_use_up_steps_of_the_start_phase(make_instance):
    instance = make_instance(items=2)
    before = begin(instance.problem, torch.randn(2, 2, 4).double(), OPTIONS)
    assert step(instance.problem, before, OPTIONS, "c_a") is before
