"""The training of the denoiser: it learns to denoise, resumes exactly, and keeps an average."""

import copy
from dataclasses import replace

import pytest
import torch

from red_core.data.datasets import ImageSet
from red_core.models.denoiser import SIGMA_MAX, SIGMA_MIN, Denoiser
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10.diffusion import (
    SIZES,
    DiffusionTrainer,
    denoising_errors,
    drawn_sigma,
    weighted_loss,
)
from red_core.recipes.cifar10.guided import Guidance, GuidedTrainer
from red_core.recipes.cifar10.pool import Pool

SIZE = replace(SIZES["tiny"], epochs=20)


@pytest.fixture
def data() -> ImageSet:
    """Plain colours, which a denoiser can average the noise out of; dark ones are class 0."""
    torch.manual_seed(3)
    images = torch.rand(128, 3, 1, 1).expand(-1, -1, 32, 32).contiguous()
    return ImageSet(images, torch.arange(128) % 10, "colours")


def run(trainer: DiffusionTrainer, first: int, last: int) -> list[float]:
    losses = []
    for number in range(first, last):
        torch.manual_seed(number)
        losses.append(trainer.step(number)["loss"])
    return losses


def test_it_learns_to_denoise(data: ImageSet) -> None:
    trainer = DiffusionTrainer(replace(SIZE, epochs=40), data, 0, "cpu")
    assert trainer.steps == 80
    losses = run(trainer, 0, trainer.steps)
    assert losses[0] == pytest.approx(1, abs=0.3)  # the best guess that knows no image
    assert losses[-1] < 0.7 * losses[0]
    average = trainer.average.module
    assert isinstance(average, Denoiser)
    error = denoising_errors(average.eval(), data, 0, "cpu")["0.2"]
    assert error < 0.15


def test_a_resumed_run_takes_the_same_steps(data: ImageSet) -> None:
    whole = DiffusionTrainer(SIZE, data, 0, "cpu")
    run(whole, 0, 4)
    first = DiffusionTrainer(SIZE, data, 0, "cpu")
    run(first, 0, 2)
    state = copy.deepcopy(first.state_dict())
    second = DiffusionTrainer(SIZE, data, 0, "cpu")
    torch.nn.init.ones_(second.network.head.weight)
    second.load_state_dict(state)
    run(second, 2, 4)
    for name, tensor in whole.average.state_dict().items():
        assert torch.equal(tensor, second.average.state_dict()[name]), name


def test_the_average_follows_behind(data: ImageSet) -> None:
    trainer = DiffusionTrainer(SIZE, data, 0, "cpu")
    run(trainer, 0, 2)
    before = trainer.average.module.stem.weight.clone()
    run(trainer, 2, 3)
    after, latest = trainer.average.module.stem.weight, trainer.network.stem.weight
    torch.testing.assert_close(after, 0.5 * before + 0.5 * latest)
    assert not torch.equal(after, latest)


def test_levels_cover_what_purification_uses() -> None:
    levels = drawn_sigma(torch.linspace(0, 1, 1001))
    assert levels[0] == pytest.approx(SIGMA_MIN)
    assert levels[-1] == pytest.approx(SIGMA_MAX)
    assert bool((levels.diff() > 0).all())
    assert float(levels.median()) < SIGMA_MAX / 3


def test_every_level_counts_alike() -> None:
    """The best linear guess has a weighted loss of 1 at every level, on images of EDM's size."""
    torch.manual_seed(0)
    images = 0.5 * torch.randn(4, 3, 64, 64)
    sigma = torch.tensor([0.01, 0.05, 0.2, 0.4])
    noisy = images + sigma.view(-1, 1, 1, 1) * torch.randn_like(images)
    guess = noisy * (0.25 / (0.25 + sigma**2)).view(-1, 1, 1, 1)
    torch.testing.assert_close(
        weighted_loss(guess, images, sigma), torch.ones(4), atol=0.05, rtol=0
    )


def test_the_rate_rises_and_ends_at_nothing(data: ImageSet) -> None:
    trainer = DiffusionTrainer(replace(SIZE, epochs=100), data, 0, "cpu")
    rates = [trainer.rate(number) for number in range(trainer.steps)]
    assert rates[0] < 0.2 * SIZE.peak
    assert max(rates) == pytest.approx(SIZE.peak, rel=1e-3)
    assert rates[-1] == pytest.approx(0, abs=1e-9)


# --- the second training --------------------------------------------------------------------


def guided(steps: int) -> GuidedTrainer:
    torch.manual_seed(4)
    clean = torch.rand(32, 3, 1, 1).expand(-1, -1, 32, 32).contiguous()
    deltas = 0.05 * torch.randn(3, 32, 3, 32, 32).sign().half()
    psi = WideResNet(10, 1).eval().fold_norms().requires_grad_(False)
    pool = Pool(clean, deltas, torch.arange(32) % 10, {})
    denoiser = Denoiser((8, 8), 1, 16)
    return GuidedTrainer(Guidance(steps, 16, peak=0.05), denoiser, psi, pool, 0, "cpu")


def test_the_second_training_learns_in_pixels_and_in_psis_features() -> None:
    trainer = guided(100)
    found = []
    for number in range(100):
        torch.manual_seed(number)
        found.append(trainer.step(number))
    for name in ("pixels", "features"):
        first, last = (sum(row[name] for row in part) for part in (found[:10], found[-10:]))
        assert last < 0.8 * first, name
    assert all(parameter.grad is None for parameter in trainer.psi.parameters())


def test_the_second_training_resumes_exactly() -> None:
    whole, second = guided(4), guided(4)
    for number in range(4):
        torch.manual_seed(number)
        whole.step(number)
        if number == 1:
            state = copy.deepcopy(whole.state_dict())
    second.load_state_dict(state)
    for number in (2, 3):
        torch.manual_seed(number)
        second.step(number)
    for name, tensor in whole.average.state_dict().items():
        assert torch.equal(tensor, second.average.state_dict()[name]), name
