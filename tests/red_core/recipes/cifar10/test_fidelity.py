"""The distance of Gaussians against closed forms, the spread, the grid, and what is written."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import linalg

from red_core.data.assets import checked_bytes, read_manifest, write_tensors
from red_core.data.datasets import ImageSet
from red_core.models.style import StyleGenerator
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10 import fidelity
from red_core.recipes.cifar10.fidelity import features, frechet_distance, grid, spread
from red_core.recipes.common import RecipeContext
from red_core.run.settings import item_seed


def correlated(count: int, size: int, seed: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    mix = torch.randn(size, size, generator=draw, dtype=torch.float64)
    return torch.randn(count, size, generator=draw, dtype=torch.float64) @ mix + seed


def test_the_distance_is_the_closed_form() -> None:
    first, second = correlated(50, 6, 1), correlated(40, 6, 2)
    a, b = np.cov(first.numpy().T), np.cov(second.numpy().T)
    apart = ((first.mean(0) - second.mean(0)) ** 2).sum().item()
    expected = apart + np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-8)
    assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-8)


def test_the_distance_of_a_set_to_itself_and_to_its_shift() -> None:
    first = correlated(30, 5, 3)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-8)
    assert frechet_distance(first, first + 2) == pytest.approx(5 * 4)
    # Fewer items than features: the covariances have a kernel.
    few = correlated(4, 20, 3)
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-4)
    # Scaled by s about its mean, the roots of the covariances differ by 1 - s.
    centred = first - first.mean(0)
    expected = (1 - 3) ** 2 * torch.cov(first.T).trace().item()
    assert frechet_distance(centred, 3 * centred) == pytest.approx(expected)


def test_the_spread_is_over_pairs_of_one_class() -> None:
    codes = torch.randn(9, 4)
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 1])
    expected = 0.0
    for part in (codes[:4], codes[4:]):
        distances = torch.pdist(part)
        expected += math.sqrt(float(distances.square().mean())) / 2
    assert spread(codes, labels) == pytest.approx(expected, rel=1e-5)
    assert spread(torch.ones(4, 3), torch.tensor([0, 0, 1, 1])) == 0


def test_features_are_what_the_head_reads() -> None:
    psi = WideResNet(10, 1).eval()
    images = torch.rand(3, 3, 32, 32)
    codes = features(psi, images)
    assert codes.dtype == torch.float64
    with torch.no_grad():
        assert torch.allclose(psi.head(codes.float()), psi(images), atol=1e-5)


@pytest.fixture
def generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StyleGenerator:
    monkeypatch.setenv("RED_ASSETS", str(tmp_path / "assets"))
    generator = StyleGenerator((8, 8, 8, 8), 6, 10)
    generator.measure_means(20)
    made = {"command": "python -m red_core recipe cifar10"}
    write_tensors("cifar10", "generator.safetensors", generator.state_dict(), **made)
    write_tensors("cifar10", "classifier.safetensors", WideResNet(10, 1).state_dict(), **made)
    return generator.eval().requires_grad_(False)


def test_the_grid_has_a_class_a_column(generator: StyleGenerator) -> None:
    made = grid(generator, seed=3)
    assert made.shape == (10 * 64 + 9 * 2, 10 * 64 + 9 * 2, 3)
    assert made.dtype == np.uint8
    row, column = 4, 7
    seed = item_seed(3, row * 10 + column)
    image = generator.sample(torch.tensor([column]), [seed])[0].permute(1, 2, 0)
    cell = made[row * 66 : row * 66 + 64, column * 66 : column * 66 + 64]
    for shift in (0, 1):  # nearest neighbour: every pixel twice
        off = np.abs(cell[shift::2, shift::2] / 255 - image.numpy())
        assert off.max() < 1 / 255
    assert (made[64:66] == 255).all()


def test_the_figures_and_the_grid_are_recorded(
    generator: StyleGenerator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def official(dataset: str, split: str) -> ImageSet:
        asked.append(split)
        return ImageSet(torch.rand(80, 3, 32, 32), torch.arange(80) % 10, split)

    monkeypatch.setattr(fidelity, "load_official", official)
    context = RecipeContext("cifar10", work=tmp_path / "work", scale="tiny")
    fidelity.measure_fidelity(context)
    assert sorted(asked) == ["test", "train"]
    manifest = read_manifest("cifar10")
    found = manifest["generator.safetensors"]["measured"]["fidelity"]
    assert found["images"] == 64
    # Noise is nearer to noise than what an untrained network draws.
    assert 0 < found["frechet_psi_of_training_images"] < found["frechet_psi"]
    assert found["spread_in_a_class"]["pixels"] < found["spread_in_a_class"]["pixels_of_test"]
    right = found["psi_reads_the_class_asked_for"]
    assert 0 <= right["low"] <= right["value"] <= right["high"] <= 1
    assert "not Inception's" in found["note"]
    checked_bytes("cifar10", "samples.png")  # its checksum is the manifest's
    assert manifest["samples.png"]["command"] == context.command("fidelity")
    with Image.open(tmp_path / "assets" / "cifar10" / "samples.png") as picture:
        assert picture.size == (658, 658)
        before = np.asarray(picture).copy()
    fidelity.measure_fidelity(context)
    with Image.open(tmp_path / "assets" / "cifar10" / "samples.png") as picture:
        assert np.array_equal(np.asarray(picture), before)
