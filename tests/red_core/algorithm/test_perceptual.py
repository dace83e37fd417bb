"""The perceptual loss of the start, and the starts in W+ that go with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from red_core.algorithm.algorithm1 import begin, defense_gan, in_alternation, solve, step
from red_core.algorithm.observe import observe
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.perceptual import evaluate_start, perceptual_distance, start_losses
from red_core.algorithm.problem import AttackDictionary, RedProblem, unit_channels
from red_core.models.wide_resnet import WideResNet
from red_core.run.bundle import Bundle
from red_core.run.experiment import begin_run, make_problem, make_starts
from red_core.run.prior import StylePrior

OPTIONS = SolverOptions(
    restarts=2, carry=1, start_steps=40, start_rate=0.05, steps=3, start_loss="perceptual",
    start_maps=2, start_l1_weight=0.5,
)  # fmt: skip
PIXELS = torch.tensor([[[3.0, 0.0]], [[4.0, 2.0]]])[None]  # two channels, two places
OTHERS = torch.tensor([[[1.0, 0.0]], [[0.0, 5.0]]])[None]


def itself(images: Tensor) -> list[Tensor]:
    """The pixels as the only map."""
    return [images]


def by_hand() -> RedProblem:
    """x' is PIXELS, G draws its z's, and the maps are the pixels."""
    attacks = torch.eye(4).view(2, 1, 2, 4)
    dictionary = AttackDictionary.from_attacks(attacks, ("linf",))
    return RedProblem(PIXELS, lambda z: z.view(-1, 2, 1, 2), dictionary, maps=itself)


def test_one_distance_by_hand() -> None:
    """(3, 4) and (0, 2) become (0.6, 0.8) and (0, 1); (1, 0) and (0, 5) become (1, 0) and (0, 1).

    Their squared distances are 0.16 + 0.64 and 0, whose mean is 0.4. The pixels differ by 2, 4, 0
    and 3, so half of their mean is 1.125.
    """
    first, other = unit_channels([PIXELS]), unit_channels([OTHERS])
    torch.testing.assert_close(perceptual_distance(first, other), torch.tensor([0.4]))
    twice = perceptual_distance(first * 2, other * 2)  # maps add up
    torch.testing.assert_close(twice, torch.tensor([0.8]))
    problem = by_hand()
    losses = start_losses(problem, torch.cat((OTHERS, PIXELS)), OPTIONS)
    torch.testing.assert_close(losses, torch.tensor([[1.525, 0.0]]))
    state = begin(problem, OTHERS.view(1, 1, 4), OPTIONS)
    torch.testing.assert_close(state.start_energy, torch.tensor([[1.525]]))


def test_a_place_without_channels_is_no_division_by_zero() -> None:
    (nothing,) = unit_channels([torch.zeros(1, 2, 1, 1)])
    assert not nothing.any()


def test_the_squared_loss_of_images_is_that_of_the_start() -> None:
    losses = start_losses(by_hand(), OTHERS, SolverOptions())
    torch.testing.assert_close(losses, torch.tensor([[0.5 * (4 + 16 + 0 + 9)]]))


def test_the_gradient_is_that_of_the_loss() -> None:
    problem = by_hand()
    state = begin(problem, OTHERS.view(1, 1, 4) + 0.3, OPTIONS)
    assert state.start_gradient is not None
    for place in range(4):
        ends = []
        for way in (1e-2, -1e-2):
            z = state.z.clone()
            z[0, 0, place] += way
            ends.append(start_losses(problem, z.view(1, 2, 1, 2), OPTIONS).item())
        slope = (ends[0] - ends[1]) / 2e-2
        assert float(state.start_gradient[0, 0, place]) == pytest.approx(slope, abs=2e-3)


def test_the_start_descends_its_own_loss_and_keeps_the_best_by_it(toy_cifar10: Bundle) -> None:
    images = toy_cifar10.examples.images[:2]
    problem, state = begin_run(toy_cifar10, images, OPTIONS, [0, 1])
    first = state.start_energy
    assert first is not None
    while int(state.k.max()) < OPTIONS.start_steps - 1:
        state = step(problem, state, OPTIONS)
    before = state
    assert before.start_energy is not None
    lead = before.start_energy.argmin(1)
    assert observe(problem, before, OPTIONS).leader.equal(lead)
    assert bool((before.start_energy < first).all())
    moved = step(problem, replace(before, k=before.k - 1), OPTIONS)  # the same step, still a start
    after = step(problem, before, OPTIONS)
    assert in_alternation(after)
    assert after.start_energy is after.start_gradient is None
    assert moved.start_energy is not None
    assert after.start[:, 0].equal(moved.start_energy.argmin(1))
    # lambda is of the squared error's x' - G(z), as the alternation is.
    assert bool(torch.isfinite(observe(problem, after, OPTIONS).loss).all())


def test_another_loss_goes_elsewhere_and_items_do_not_meet(toy_cifar10: Bundle) -> None:
    images = toy_cifar10.examples.images[:2]
    problem, state = begin_run(toy_cifar10, images, OPTIONS, [0, 1])
    together = defense_gan(problem, state.z, OPTIONS).z
    alone, own = begin_run(toy_cifar10, images[1:], OPTIONS, [1])
    torch.testing.assert_close(
        defense_gan(alone, own.z, OPTIONS).z[0], together[1], rtol=1e-3, atol=1e-4
    )
    squared = replace(OPTIONS, start_loss="squared", start_l1_weight=0.0)
    assert not defense_gan(problem, state.z, squared).z.allclose(together, atol=1e-2)


def test_the_alternation_is_that_of_the_squared_error(toy_cifar10: Bundle) -> None:
    """From the same z, however it was found, the alternation takes the same steps."""
    images = toy_cifar10.examples.images[:1]
    problem, state = begin_run(toy_cifar10, images, OPTIONS, [0])
    found = defense_gan(problem, state.z, OPTIONS)
    *_, last = solve(problem, found.z, replace(OPTIONS, start_steps=0, restarts=1))
    while int(found.k.max()) < OPTIONS.total:
        found = step(problem, found, OPTIONS)
    torch.testing.assert_close(last.z, found.z)
    torch.testing.assert_close(last.c_a, found.c_a)


def test_what_was_evaluated_is_not_evaluated_again() -> None:
    state = begin(by_hand(), OTHERS.view(1, 1, 4), OPTIONS)
    assert evaluate_start(by_hand(), state, OPTIONS) is state


@pytest.mark.parametrize("kind", ["adam", "lbfgs", "gradient"])
def test_one_w_stays_one(toy_cifar10: Bundle, kind: str) -> None:
    """In both phases, and it moves; by layer it would not stay."""
    images = toy_cifar10.examples.images[:2]
    tied = replace(OPTIONS, one_w=True, start_steps=4, start_step=kind, signal_step=kind)
    for options, same in ((tied, True), (replace(tied, one_w=False), False)):
        problem, state = begin_run(toy_cifar10, images, options, [0, 1])
        *_, last = solve(problem, state.z, options)
        assert bool((last.z == last.z[:, :, :1]).all()) == same
        assert not last.z.equal(state.z[:, : last.starts])


def test_one_w_needs_layers() -> None:
    with pytest.raises(ValueError, match="one_w needs a point of W"):
        begin(by_hand(), OTHERS.view(1, 1, 4), replace(OPTIONS, one_w=True))


def test_a_perceptual_start_needs_maps(toy_bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="needs maps"):
        begin_run(toy_bundle, toy_bundle.examples.images[:1], OPTIONS, [0])


@pytest.mark.parametrize("loss", ["perceptual", "squared"])
def test_the_class_of_the_nearest_mean_is_the_start(toy_cifar10: Bundle, loss: str) -> None:
    """x' is G of a class's own mean with a little noise, and the label is not asked."""
    assert isinstance(toy_cifar10.prior, StylePrior)
    means = toy_cifar10.prior.class_centres()
    noise = 1e-4 * torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    attacked = toy_cifar10.generator(means[[7, 2]]) + noise
    options = replace(
        OPTIONS, restarts=0, class_start=True, start_loss=loss,
        start_l1_weight=0.5 if loss == "perceptual" else 0.0,
    )  # fmt: skip
    starts, anchors = make_starts(toy_cifar10, attacked, options, [0, 1])
    assert starts.equal(means[[7, 2]][:, None])
    assert anchors.equal(starts)


def test_a_class_start_needs_classes(toy_bundle: Bundle) -> None:
    options = SolverOptions(restarts=0, class_start=True)
    with pytest.raises(ValueError, match="class_start needs a generator"):
        make_starts(toy_bundle, toy_bundle.examples.images[:1], options, [0])


def test_psi_offers_as_many_maps_as_are_asked_for(toy_cifar10: Bundle) -> None:
    images = toy_cifar10.examples.images[:2]
    assert isinstance(toy_cifar10.psi, WideResNet)
    every = toy_cifar10.psi.features(images)
    for count in (1, 2, 3):
        options = replace(OPTIONS, start_maps=count)
        problem = make_problem(toy_cifar10, images, options, [0, 1])
        assert problem.maps is not None
        for map_, wanted in zip(problem.maps(images), every[:count], strict=True):
            torch.testing.assert_close(map_, wanted)
    assert make_problem(toy_cifar10, images, SolverOptions(), [0, 1]).maps is None
