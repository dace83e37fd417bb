"""Inversion in W+: what G made is found again, item by item, whatever stands beside it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from red_core.data.assets import read_tensors
from red_core.models.style import StyleGenerator
from red_core.recipes.cifar10.adam_inversion import InversionOptions, invert


@pytest.fixture(scope="module")
def generator() -> StyleGenerator:
    torch.manual_seed(0)
    network = StyleGenerator(channels=(8, 8, 8, 8), latent=8, width=16, classes=3)
    network.measure_means(50)
    return network.eval().requires_grad_(False)


def drawn(generator: StyleGenerator, count: int) -> tuple[Tensor, Tensor]:
    """Points of W+ [count, layers, width], every layer's w of its own z and class; their images."""
    draw = torch.Generator().manual_seed(5)
    w = torch.stack(
        [
            generator.mapping(
                torch.randn(count, generator.latent, generator=draw),
                torch.randint(generator.classes, (count,), generator=draw),
            )
            for _ in range(generator.layers)
        ],
        dim=1,
    )
    return w, generator.synthesis(w)


def test_an_image_that_g_made_is_returned(generator: StyleGenerator) -> None:
    _, images = drawn(generator, 3)
    before = (images - generator.synthesis(generator.mean_w())).flatten(1).norm(dim=1)
    found = invert(generator, images, InversionOptions(steps=120, rate=0.1))
    assert (found.distance < 0.1 * before).all()
    # The three parts of the answer belong together.
    assert torch.allclose(generator.synthesis(found.w), found.images, atol=1e-5)
    distance = (images - found.images).flatten(1).norm(dim=1)
    assert torch.allclose(distance, found.distance, atol=1e-5)
    assert not found.w.requires_grad
    assert not found.images.requires_grad


def test_the_bundled_generator_returns_an_image_that_it_made() -> None:
    bundled = StyleGenerator.from_tensors(read_tensors("cifar10", "generator.safetensors"))
    bundled.eval().requires_grad_(False)
    images = bundled.sample(torch.tensor([3, 8]), [1, 2])
    before = (images - bundled.synthesis(bundled.mean_w())).flatten(1).norm(dim=1)
    found = invert(bundled, images, InversionOptions(steps=150))
    assert (found.distance < 1.5).all()
    assert (found.distance < 0.2 * before).all()


def test_an_item_does_not_feel_its_neighbours_or_the_batch(generator: StyleGenerator) -> None:
    _, images = drawn(generator, 3)
    together = invert(generator, images, InversionOptions(steps=20))
    alone = invert(generator, images[1:2], InversionOptions(steps=20))
    split = invert(generator, images, InversionOptions(steps=20, batch=2))
    assert torch.allclose(alone.w[0], together.w[1], atol=1e-3)
    assert torch.allclose(split.w, together.w, atol=1e-3)
    assert torch.allclose(split.distance, together.distance, atol=1e-3)


def test_every_w_moves(generator: StyleGenerator) -> None:
    _, images = drawn(generator, 1)
    found = invert(generator, images, InversionOptions(steps=3, best=False))
    moved = (found.w - generator.mean_w()).abs().amax((0, 2))
    assert (moved > 0).all()


def test_steps_are_adams(generator: StyleGenerator) -> None:
    """The hand-written Adam is torch's, with the annealed rate."""
    options = InversionOptions(steps=5, rate=0.1, penalty=0.3, best=False)
    _, images = drawn(generator, 2)
    w = generator.mean_w()[:, None].repeat(2, generator.layers, 1).requires_grad_()
    start = w.detach().clone()
    adam = torch.optim.Adam([w], lr=1.0, betas=(0.9, 0.99), eps=1e-8)
    for step in range(options.steps):
        adam.param_groups[0]["lr"] = options.rate_at(step)
        loss = 0.5 * (generator.synthesis(w) - images).square().sum()
        loss = loss + 0.15 * (w - start).square().sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert torch.allclose(invert(generator, images, options).w, w.detach(), atol=1e-4)


def test_the_penalty_keeps_w_near_its_start(generator: StyleGenerator) -> None:
    _, images = drawn(generator, 2)
    start = generator.mean_w()[:, None]
    free = invert(generator, images, InversionOptions(steps=40))
    held = invert(generator, images, InversionOptions(steps=40, penalty=10.0))
    assert (held.w - start).norm() < 0.3 * (free.w - start).norm()
    assert (held.distance > free.distance).all()


def test_the_start_is_kept_where_nothing_is_better(generator: StyleGenerator) -> None:
    w, images = drawn(generator, 2)
    w = w + 1e-3 * torch.ones_like(w)  # exactly at w the gradient is 0, and Adam stands still
    found = invert(generator, images, InversionOptions(steps=2, rate=5.0), start=w)
    assert torch.equal(found.w, w)
    last = invert(generator, images, InversionOptions(steps=2, rate=5.0, best=False), start=w)
    assert (last.distance > 1e-2).all()


def test_an_extra_loss_is_descended_too(generator: StyleGenerator) -> None:
    _, images = drawn(generator, 2)
    options = InversionOptions(steps=8, best=False)
    plain = invert(generator, images, options)
    darker = invert(
        generator, images, options, extra=lambda x: lambda made: 10 * made[:, 0].sum((1, 2))
    )
    assert (darker.images[:, 0].mean((1, 2)) < plain.images[:, 0].mean((1, 2)) - 0.01).all()


def test_progress_is_called_after_every_step(generator: StyleGenerator) -> None:
    _, images = drawn(generator, 3)
    told: list[tuple[int, int, Tensor]] = []
    found = invert(
        generator,
        images,
        InversionOptions(steps=4, batch=2),
        progress=lambda done, step, distance: told.append((done, step, distance)),
    )
    assert [(done, step) for done, step, _ in told] == [
        (done, step) for done in (0, 2) for step in (1, 2, 3, 4)
    ]
    assert torch.equal(told[3][2], found.distance[:2])


def test_the_rate_rises_and_falls() -> None:
    options = InversionOptions(steps=100, rate=0.4, warm_up=0.1)
    rates = [options.rate_at(step) for step in range(100)]
    assert rates[:10] == pytest.approx([0.04 * i for i in range(1, 11)])
    assert max(rates) == pytest.approx(0.4)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.001
    assert InversionOptions(steps=1).rate_at(0) > 0


def test_nothing_is_an_empty_answer(generator: StyleGenerator) -> None:
    found = invert(generator, torch.empty(0, 3, 32, 32))
    assert found.w.shape == (0, generator.layers, generator.width)
    assert found.distance.shape == (0,)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"steps": 0}, "steps must be a whole number from 1, not 0"),
        ({"steps": 2.5}, "steps must be a whole number from 1, not 2.5"),
        ({"batch": -1}, "batch must be a whole number from 1"),
        ({"rate": 0.0}, "rate must be above 0"),
        ({"rate": math.nan}, "rate must be a finite number"),
        ({"warm_up": 1.0}, "warm_up must lie from 0 to below 1"),
        ({"penalty": -0.1}, "penalty must not be negative"),
        ({"penalty": math.inf}, "penalty must be a finite number"),
    ],
)
def test_options_that_make_no_sense_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        InversionOptions(**given)


def test_wrong_shapes_are_refused(generator: StyleGenerator) -> None:
    with pytest.raises(ValueError, match=r"images must be \[B, 3, 32, 32\], not \[1, 1, 28, 28\]"):
        invert(generator, torch.rand(1, 1, 28, 28))
    with pytest.raises(ValueError, match="images must be finite"):
        invert(generator, torch.full((1, 3, 32, 32), torch.nan))
    with pytest.raises(ValueError, match=r"start must be \[2, 9, 16\] or one such row"):
        invert(generator, torch.rand(2, 3, 32, 32), start=torch.zeros(3, 9, 16))
