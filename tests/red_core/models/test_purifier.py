"""The purifier, against the reverse process of a Gaussian prior, whose answer is known."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from red_core.models.denoiser import SIGMA_MAX, SIGMA_MIN, Denoiser
from red_core.models.purifier import BATCH, Purifier, schedule
from red_core.run.cifar10_parts import load_denoiser

MEAN, DEVIATION = 0.1, 0.05


class Gaussian:
    """The exact denoiser of pixels drawn from N(shift + 0.1, 0.05^2); a class shifts the mean."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def __call__(self, images: Tensor, sigma: Tensor) -> Tensor:
        self.rows.append(len(images))
        mean = torch.full((len(images),), MEAN)
        level, mean = sigma.view(-1, 1, 1, 1), mean.view(-1, 1, 1, 1)
        return mean + DEVIATION**2 / (DEVIATION**2 + level**2) * (images - mean)


def pictures(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(9)
    return torch.rand(count, 3, 32, 32, generator=generator) * 0.2 + 0.4


def scenes(count: int) -> Tensor:
    """Clean images as photographs are: soft shades, and a disc of another colour before them."""
    generator = torch.Generator().manual_seed(5)
    shades = torch.rand(count, 3, 3, 3, generator=generator)
    shades = torch.nn.functional.interpolate(shades, (32, 32), mode="bilinear")
    centre = torch.rand(count, 2, 1, 1, generator=generator) * 16 + 8
    place = torch.stack(torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij"))
    disc = (place - centre).norm(dim=1, keepdim=True) < 7
    return torch.where(disc, torch.rand(count, 3, 1, 1, generator=generator), shades)


def noise(seed: int) -> Tensor:
    return torch.randn(3, 32, 32, generator=torch.Generator().manual_seed(seed))


def flow(sigma: float, image: Tensor, seed: int) -> Tensor:
    """Where the probability flow of the Gaussian prior ends: exactly, on [0, 1]."""
    x = 2 * image - 1 + sigma * noise(seed)
    end = MEAN + (x - MEAN) * DEVIATION / (DEVIATION**2 + sigma**2) ** 0.5
    return (end + 1) / 2


@pytest.fixture
def denoiser() -> Denoiser:
    torch.manual_seed(0)
    network = Denoiser((8, 16), 1, 16).eval().requires_grad_(False)
    for name, parameter in network.named_parameters():
        if name.endswith("gain"):
            parameter.fill_(0.1)
    return network


@pytest.mark.parametrize("stochastic", [False, True])
def test_no_noise_is_the_identity(denoiser: Denoiser, stochastic: bool) -> None:
    images = pictures(2)
    purifier = Purifier(denoiser, 0, stochastic=stochastic)
    assert torch.equal(purifier(images, [1, 2]), images)
    assert purifier.evaluations == 0


def test_the_schedule_falls_to_nothing() -> None:
    levels = schedule(0.3, 6)
    assert len(levels) == 7
    assert levels[0] == pytest.approx(0.3)
    assert levels[-2] == pytest.approx(SIGMA_MIN)
    assert levels[-1] == 0
    drops = [a - b for a, b in pairwise(levels[:-1])]
    assert all(a > b > 0 for a, b in pairwise(drops))
    assert schedule(0.3, 1) == (0.3, 0.0)


def test_the_flow_ends_where_the_exact_one_does() -> None:
    images, sigma = pictures(3), 0.25
    seeds = [4, 5, 6]
    exact = torch.stack([flow(sigma, x, s) for x, s in zip(images, seeds, strict=True)])
    errors = {
        steps: float((Purifier(Gaussian(), sigma, steps)(images, seeds) - exact).abs().max())
        for steps in (10, 20, 200)
    }
    # What remains is the last step, from SIGMA_MIN to 0 at once.
    last = (DEVIATION**2 + SIGMA_MIN**2) ** 0.5 / DEVIATION
    remains = float((exact - (1 + MEAN) / 2).abs().max()) * (1 - 1 / last)
    assert errors[200] < 1.1 * remains < 0.004
    # Heun's method is of second order: twice the steps, a quarter of the error.
    path = {n: Purifier(Gaussian(), sigma, n)(images, seeds) for n in (10, 20, 200)}
    coarse, fine = ((path[n] - path[200]).abs().max() for n in (10, 20))
    assert 3 < float(coarse / fine) < 7


def test_one_step_is_the_denoisers_first_guess() -> None:
    images, sigma = pictures(1), 0.25
    x = 2 * images - 1 + sigma * noise(3)
    guess = Gaussian()(x, torch.tensor([sigma]))
    torch.testing.assert_close(Purifier(Gaussian(), sigma, 1)(images, [3]), (guess + 1) / 2)


def test_ancestral_sampling_draws_from_the_prior() -> None:
    """Whatever goes in, enough noise and enough steps give the prior's mean and deviation."""
    images = (MEAN + DEVIATION * noise(0)[None] + 1) / 2
    purified = 2 * Purifier(Gaussian(), 0.4, 60, stochastic=True)(images, [1]) - 1
    assert float(purified.mean()) == pytest.approx(MEAN, abs=0.004)
    assert float(purified.std()) == pytest.approx(DEVIATION, rel=0.1)
    # Little of the image itself is left, where the flow carries much of the noise along.
    both = torch.stack([purified.flatten(), images.flatten()])
    assert abs(float(torch.corrcoef(both)[0, 1])) < 0.3


@pytest.mark.parametrize("stochastic", [False, True])
def test_each_purification_can_be_had_and_has_a_gradient(
    denoiser: Denoiser, stochastic: bool
) -> None:
    images = pictures(3)
    purifier = Purifier(denoiser, 0.2, 3, stochastic, 4)
    each = purifier.each(images, [1, 2, 3])
    assert each.shape == (3, 4, *images.shape[1:])
    torch.testing.assert_close(each.mean(1), purifier(images, [1, 2, 3]))
    assert float((each[:, 0] - each[:, 1]).abs().max()) > 1e-3
    assert Purifier(denoiser, 0.0, 3, draws=2).each(images, [1, 2, 3]).shape == (3, 2, 3, 32, 32)
    leaf = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(purifier.each(leaf, [1, 2, 3])[1].sum(), leaf)
    assert gradient[1].any()
    assert not gradient[[0, 2]].any(), "an image's purification is its own"
    assert not purifier(leaf, [1, 2, 3]).requires_grad


def test_draws_are_averaged() -> None:
    images, sigma = pictures(2), 0.1
    averaged = Purifier(Gaussian(), sigma, 3, draws=40)(images, [1, 2])
    single = Purifier(Gaussian(), sigma, 3)(images, [1, 2])
    # By the flow's equation the mean over the noise lies at the noiseless image's own end.
    scale = DEVIATION / (DEVIATION**2 + sigma**2) ** 0.5
    centre = (MEAN + (2 * images - 1 - MEAN) * scale + 1) / 2
    assert float((averaged - centre).std()) < 0.3 * float((single - centre).std())


@pytest.mark.parametrize(
    ("steps", "stochastic", "draws"), [(1, False, 1), (4, False, 3), (4, True, 2)]
)
def test_an_image_does_not_depend_on_its_neighbours(
    denoiser: Denoiser, steps: int, stochastic: bool, draws: int
) -> None:
    images = pictures(3)
    purifier = Purifier(denoiser, 0.2, steps, stochastic, draws)
    together = purifier(images, [7, 8, 9])
    alone = purifier(images[1:2], [8])
    torch.testing.assert_close(alone[0], together[1], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(purifier(images[1:2], [7]), alone, atol=1e-3)


@pytest.mark.parametrize(
    ("steps", "stochastic", "draws"), [(1, False, 1), (5, False, 1), (5, True, 2)]
)
def test_few_rows_at_a_time_and_all_counted(steps: int, stochastic: bool, draws: int) -> None:
    gaussian, images = Gaussian(), pictures(2 * BATCH + 1)
    purifier = Purifier(gaussian, 0.2, steps, stochastic, draws)
    assert purifier(images, range(len(images))).shape == images.shape
    assert max(gaussian.rows) <= BATCH
    assert sum(gaussian.rows) == purifier.evaluations * len(images)


def test_nothing_in_nothing_out() -> None:
    assert Purifier(Gaussian(), 0.2)(pictures(0), []).shape == (0, 3, 32, 32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sigma": -0.1}, "sigma must be 0 or lie between"),
        ({"sigma": SIGMA_MIN / 2}, "sigma must be 0 or lie between"),
        ({"sigma": SIGMA_MAX * 1.01}, "sigma must be 0 or lie between"),
        ({"sigma": float("nan")}, "sigma must be 0 or lie between"),
        ({"sigma": 0.1, "steps": 0}, "steps must be 1 or more"),
        ({"sigma": 0.1, "draws": 0}, "draws must be 1 or more"),
    ],
)
def test_values_out_of_range_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Purifier(Gaussian(), **arguments)  # type: ignore[arg-type]


def test_images_that_do_not_fit_are_refused() -> None:
    purifier, images = Purifier(Gaussian(), 0.1), pictures(2)
    with pytest.raises(ValueError, match="as many seeds"):
        purifier(images, [1])
    with pytest.raises(ValueError, match="must be"):
        purifier(images[0], [1, 2, 3])
    for wrong in (images - 1, images * 3, images * float("nan")):
        with pytest.raises(ValueError, match="pixels in"):
            purifier(wrong, [1, 2])


@pytest.mark.parametrize("way", [{"steps": 1}, {"steps": 5}, {"steps": 8, "stochastic": True}])
def test_the_bundled_denoiser_takes_the_noise_back_out(way: dict[str, int]) -> None:
    """Clean images come back nearer than the noise had put them: little noise moves them little."""
    images, denoiser = scenes(10), load_denoiser()
    moved = {}
    for sigma in (0.02, 0.1, 0.3):
        purified = Purifier(denoiser, sigma, **way)(images, range(10))
        assert float(purified.min()) >= 0
        assert float(purified.max()) <= 1
        moved[sigma] = float(2 * (purified - images).square().mean().sqrt())
        # A draw from what could have been errs by sqrt(2) of the mean's error: at a small sigma,
        # where hardly anything is known better, that is the noise again.
        assert moved[sigma] < (1.2 if sigma < 0.1 else 0.8) * sigma
    assert moved[0.02] < moved[0.1] < moved[0.3]
