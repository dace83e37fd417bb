"""A toy of the trained parts: the real networks, untrained and thin; a run takes a second."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from pages.ui import horizon, session
from pages.ui.landscape import slice as slice_
from pages.ui.parts import Parts
from pages.ui.run_view import RunView
from pages.ui.runner import Runner
from red_core import experiment
from red_core.bundle import Bundle
from red_core.data.datasets import CLASSES, SHAPES, ImageSet
from red_core.models.classifiers import Table3CNN
from red_core.models.dcgan import DCGANGenerator
from red_core.problem import AttackDictionary
from red_core.settings import RunSettings
from red_core.verdict import Readers

COLOUR = SHAPES["cifar10"]
QUICK = (("restarts", 2), ("start_steps", 5), ("steps", 12), ("carry", 2), ("encoder_start", False))


def make_parts() -> Parts:
    torch.manual_seed(0)
    psi = Table3CNN().eval().requires_grad_(False)
    generator = DCGANGenerator(latent=8, width=4).eval().requires_grad_(False)
    deltas = torch.randn(10, 3, 6, 784) * 0.1
    dictionary = AttackDictionary.from_attacks(deltas, ("linf", "l2", "l1"))
    examples = ImageSet(torch.rand(30, 1, 28, 28), torch.arange(30) % 10, "30 toy examples")
    bundle = Bundle(
        "mnist",
        CLASSES["mnist"],
        generator,
        None,
        Readers(psi),
        dictionary,
        examples,
        torch.device("cpu"),
    )
    return Parts(bundle)


@pytest.fixture(scope="session")
def parts() -> Parts:
    return make_parts()


class Layered(nn.Module):
    """A generator of images in colour whose z is one w for each of its layers, as in W+."""

    layers, width = 3, 5
    latent = layers * width

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(self.layers, self.width, *COLOUR) / self.latent)

    def forward(self, z: Tensor) -> Tensor:
        assert z.shape[1:] == (self.layers, self.width)
        return torch.sigmoid(4 * torch.einsum("blw,lwchs->bchs", z, self.weights))


def make_colour_parts() -> Parts:
    """Toy parts for images [3, 32, 32], under MNIST's name."""
    torch.manual_seed(1)
    psi = nn.Sequential(nn.Flatten(), nn.Linear(3072, 10)).eval().requires_grad_(False)
    generator = Layered().eval().requires_grad_(False)
    deltas = torch.randn(10, 3, 4, 3072) * 0.02
    return Parts(
        Bundle(
            "mnist",
            CLASSES["cifar10"],
            generator,
            None,
            Readers(psi),
            AttackDictionary.from_attacks(deltas, ("linf", "l2", "l1")),
            ImageSet(torch.rand(30, *COLOUR), torch.arange(30) % 10, "30 toy examples"),
            torch.device("cpu"),
        )
    )


@pytest.fixture
def colour(monkeypatch) -> Parts:
    """Toy parts in colour; MNIST's images have their shape, and runs start from their kind of z."""

    def starts(bundle, attacked, options, seeds):
        assert options.restarts
        shape = len(seeds), options.restarts, Layered.layers, Layered.width
        draw = torch.Generator().manual_seed(seeds[0])
        z = torch.randn(shape, generator=draw)
        return z, torch.zeros_like(z)

    monkeypatch.setitem(SHAPES, "mnist", COLOUR)
    for module in (experiment, horizon, slice_):
        monkeypatch.setattr(module, "make_starts", starts)
    return make_colour_parts()


@pytest.fixture
def settings() -> RunSettings:
    return RunSettings(index=3, attack="linf", attack_steps=3, preset="best", solver=QUICK)


@pytest.fixture
def colour_pages(colour: Parts, monkeypatch) -> Parts:
    """`colour`, on every page that is opened."""
    monkeypatch.setattr(session, "load_bundle", lambda _dataset, _device: colour.bundle)
    return colour


def wait_until(runner: Runner, wanted: Callable[[RunView], bool], seconds: float = 60) -> RunView:
    """The first view for which `wanted` holds; fails after `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        view = runner.view()
        if wanted(view):
            return view
        time.sleep(0.01)
    raise AssertionError(f"still {runner.view().state} at k = {runner.view().k}")
