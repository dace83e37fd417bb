"""B.8's signal step: what is purified, with which noise, in the one loop of the solver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from red_core.algorithm.batch import run_to_end
from red_core.algorithm.diffusion_step import identity
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.presets import presets_of
from red_core.algorithm.problem import AttackDictionary, RedProblem
from red_core.models.purifier import Purifier
from red_core.run.bundle import Bundle
from red_core.run.experiment import begin_run
from red_core.run.settings import RunSettings, SettingsError
from tests.red_core.stepping import Run

OPTIONS = replace(presets_of("cifar10")["bsd-dp-paper"], steps=4, inner=3)


class Recorded:
    """A "purifier" that halves its images and keeps what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[Tensor, list[int]]] = []

    def __call__(self, images: Tensor, seeds: Sequence[int]) -> Tensor:
        self.given.append((images.clone(), list(seeds)))
        return images / 2


def begun(x: Tensor, purify: Recorded, seeds: Sequence[int], remainder: bool) -> Run:
    dictionary = AttackDictionary.from_attacks(torch.randn(2, 1, 3, x[0].numel()), ("linf",))
    problem = RedProblem(x, identity, dictionary, purify=purify, seeds=tuple(seeds))
    return Run(problem, x[:, None], replace(OPTIONS, remainder=remainder))


def test_the_paper_purifies_x_itself_with_fresh_noise() -> None:
    purify, x = Recorded(), torch.rand(2, 3, 4, 4)
    run = begun(x, purify, [5, 6], remainder=False)
    for _ in range(2):
        run.step()
        assert run.state.z[:, 0].equal(x / 2)
    (first, one), (second, two) = purify.given
    assert first.equal(x)
    assert second.equal(x)
    assert one == [5, 6]
    assert not set(one) & set(two)


def test_the_remainder_is_what_c_a_leaves_within_the_pixels_range() -> None:
    purify, x = Recorded(), torch.rand(1, 3, 4, 4)
    run = begun(x, purify, [5], remainder=True)
    run.step()
    run.step()
    attack = run.state.fit_c[:, 0]
    assert float(attack.abs().max()) > 0
    run.step()
    expected = (x.flatten(1) - attack).clamp(0, 1).view_as(x)
    torch.testing.assert_close(purify.given[-1][0], expected)


def test_items_that_are_taken_out_keep_their_seeds() -> None:
    purify, x = Recorded(), torch.rand(3, 1, 2, 2)
    run = begun(x, purify, [5, 6, 7], remainder=False)
    run.take(torch.tensor([2, 0]))
    run.step()
    assert purify.given[0][0].equal(x[[2, 0]])
    assert purify.given[0][1] == [7, 5]


def test_the_first_round_is_diffpure_and_c_a_is_zero(toy_cifar10: Bundle) -> None:
    x = toy_cifar10.examples.images[:2]
    solver = Run.of(*begin_run(toy_cifar10, x, OPTIONS, [3, 4]), OPTIONS)
    assert solver.observe().image.equal(x)
    solver.step()
    first = solver.observe()
    assert toy_cifar10.denoiser is not None
    purifier = Purifier(toy_cifar10.denoiser, OPTIONS.noise, OPTIONS.noise_levels)
    torch.testing.assert_close(first.image, purifier(x, [3, 4]))
    assert not first.c_a.any()
    last = solver.end()
    assert last.k == 5
    assert last.c_a.any()
    assert not last.image.equal(first.image), "the noise is fresh in every round"
    torch.testing.assert_close(
        last.residual.flatten(1),
        (x - last.image).flatten(1) - solver.problem.dictionary.combine(last.c_a),
        rtol=0,
        atol=1e-5,
    )


@pytest.mark.parametrize("stochastic", [False, True])
def test_the_options_name_the_way_back(toy_cifar10: Bundle, stochastic: bool) -> None:
    options = replace(OPTIONS, noise_levels=3, noise_draws=2, noise_stochastic=stochastic)
    x = toy_cifar10.examples.images[:2]
    solver = Run.of(*begin_run(toy_cifar10, x, options, [3, 4]), options)
    solver.step()
    assert toy_cifar10.denoiser is not None
    purify = Purifier(toy_cifar10.denoiser, OPTIONS.noise, 3, stochastic, 2)
    torch.testing.assert_close(solver.observe().image, purify(x, [3, 4]))
    other = Purifier(toy_cifar10.denoiser, OPTIONS.noise, 3, not stochastic, 2)
    assert float((other(x, [3, 4]) - purify(x, [3, 4])).abs().max()) > 1e-3


def test_an_items_rounds_do_not_depend_on_its_neighbours(toy_cifar10: Bundle) -> None:
    x = toy_cifar10.examples.images[:3]
    ends = []
    for items in ([0, 1, 2], [1]):
        ends.append(run_to_end(*begin_run(toy_cifar10, x[items], OPTIONS, items), OPTIONS))
    torch.testing.assert_close(ends[0].image[1], ends[1].image[0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ends[0].c_a[1], ends[1].c_a[0], rtol=1e-3, atol=1e-4)


def test_a_diffusion_step_needs_a_model_and_both_phases(toy_bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="both diffusion"):
        SolverOptions(signal_step="diffusion")
    with pytest.raises(SettingsError, match="MNIST has no diffusion model"):
        RunSettings(solver=(("signal_step", "diffusion"), ("start_step", "diffusion")))
    with pytest.raises(ValueError, match="needs a diffusion model"):
        begin_run(toy_bundle, toy_bundle.examples.images[:1], OPTIONS, [0])
    problem = RedProblem(toy_bundle.examples.images[:1], identity, toy_bundle.dictionary)
    with pytest.raises(ValueError, match="needs a diffusion model"):
        Run(problem, problem.observed[:, None], OPTIONS)


def test_pixels_outside_the_range_are_purified_all_the_same(toy_cifar10: Bundle) -> None:
    x = toy_cifar10.examples.images[:1] * 1.5 - 0.2
    solver = Run.of(*begin_run(toy_cifar10, x, OPTIONS, [3]), OPTIONS)
    solver.step()
    assert bool(torch.isfinite(solver.observe().image).all())
