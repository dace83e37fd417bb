"""The denoiser's interface: shapes, conditioning, gradients, and the file it is read back from."""

from __future__ import annotations

import pytest
import torch

from red_core.models.denoiser import SIGMA_DATA, Denoiser


@pytest.fixture
def denoiser() -> Denoiser:
    """A small one whose outputs and modulations are not the zeros that training starts from."""
    torch.manual_seed(0)
    network = Denoiser((8, 16), 2, 16).eval()
    for name, parameter in network.named_parameters():
        if name.endswith("gain"):
            torch.nn.init.constant_(parameter, 0.7)
    return network


def noisy(count: int) -> torch.Tensor:
    return 0.5 * torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def test_items_do_not_depend_on_their_neighbours(
    denoiser: Denoiser,
) -> None:
    images, sigma = noisy(3), torch.tensor([0.02, 0.1, 0.3])
    together = denoiser(images, sigma)
    assert together.shape == images.shape
    for i in range(3):
        alone = denoiser(images[i : i + 1], sigma[i : i + 1])
        torch.testing.assert_close(alone[0], together[i], atol=1e-5, rtol=1e-4)


def test_untrained_it_is_the_best_linear_guess() -> None:
    images, sigma = noisy(2), torch.tensor([0.05, 0.4])
    kept = SIGMA_DATA**2 / (sigma**2 + SIGMA_DATA**2)
    torch.testing.assert_close(Denoiser((8, 8))(images, sigma), kept.view(2, 1, 1, 1) * images)


def test_the_noise_level_matters(denoiser: Denoiser) -> None:
    images = noisy(1)
    # The same raw output at another level would change by the preconditioning's factors alone.
    raw = [
        (denoiser(images, s) - SIGMA_DATA**2 / (s**2 + SIGMA_DATA**2) * images)
        / (s * SIGMA_DATA / (s**2 + SIGMA_DATA**2).sqrt())
        for s in (torch.tensor([0.2]), torch.tensor([0.02]))
    ]
    assert (raw[0] - raw[1]).abs().max() > 0.05


def test_every_weight_receives_a_gradient(denoiser: Denoiser) -> None:
    denoiser(noisy(11), torch.full((11,), 0.2)).square().sum().backward()
    for name, parameter in denoiser.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.abs().sum() > 0), name


def test_every_pixel_can_reach_every_other(denoiser: Denoiser) -> None:
    images = noisy(1).requires_grad_()
    denoiser(images, torch.tensor([0.2]))[0, 0, 0, 0].backward()
    assert images.grad is not None
    assert bool((images.grad.abs().sum(1) > 0).all())


def test_stored_tensors_tell_the_architecture(denoiser: Denoiser) -> None:
    stored = {name: tensor.half() for name, tensor in denoiser.state_dict().items()}
    again = Denoiser.from_tensors(stored).eval()
    assert {n: t.shape for n, t in again.state_dict().items()} == {
        n: t.shape for n, t in denoiser.state_dict().items()
    }
    images, sigma = noisy(2), torch.tensor([0.02, 0.3])
    torch.testing.assert_close(again(images, sigma), denoiser(images, sigma), atol=5e-3, rtol=0)


@pytest.mark.parametrize("change", ["missing", "surplus", "shape"])
def test_a_foreign_file_is_refused(denoiser: Denoiser, change: str) -> None:
    stored = dict(denoiser.state_dict())
    if change == "missing":
        del stored["head.weight"]
    elif change == "surplus":
        stored["foreign.weight"] = torch.zeros(2, 2)
    else:
        stored["up.0.1.conv2.weight"] = torch.zeros(4, 8, 3, 3)
    with pytest.raises(RuntimeError, match=r"head|foreign|conv2"):
        Denoiser.from_tensors(stored)
