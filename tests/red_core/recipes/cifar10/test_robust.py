"""M_inf of CIFAR-10: attacked as it learns, from psi's weights; and the surrogate beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from red_core.data.assets import read_manifest, read_tensors
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10.robust import EPS, SIZES, RobustTrainer
from red_core.recipes.cifar10.work import images_like
from red_core.recipes.common import RecipeContext
from red_core.recipes.parts import make


@pytest.fixture
def made(toy_cifar10: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecipeContext:
    context = RecipeContext("cifar10", work=tmp_path / "work", scale="tiny")
    make(context, ("classifier", "robust", "surrogate"))
    monkeypatch.setenv("RED_ASSETS", str(tmp_path / "work" / "tiny-assets"))
    return context


def test_what_is_measured(made: RecipeContext) -> None:
    manifest = read_manifest("cifar10")
    robust = manifest["robust-linf.safetensors"]["measured"]
    assert set(robust) == {
        *("test_images", "test_accuracy"),
        *(f"{kind}_accuracy_of_20" for kind in ("linf", "l2", "l1")),
    }
    assert all(0 <= robust[name] <= 1 for name in robust if name != "test_images")
    assert set(manifest["surrogate.safetensors"]["measured"]) == {"test_images", "test_accuracy"}
    for name in ("robust-linf", "surrogate"):
        assert WideResNet.from_tensors(read_tensors("cifar10", f"{name}.safetensors"))


def test_three_networks(made: RecipeContext) -> None:
    heads = [
        read_tensors("cifar10", f"{name}.safetensors")["head.weight"].float()
        for name in ("classifier", "robust-linf", "surrogate")
    ]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert not torch.allclose(heads[first], heads[second], atol=1e-3)


@pytest.fixture
def trainer() -> RobustTrainer:
    torch.manual_seed(2)
    psi = WideResNet(10, 1)
    return RobustTrainer(SIZES["tiny"], images_like(256), 0, "cpu", psi)


def test_the_attack_grows_to_eps(trainer: RobustTrainer) -> None:
    whole = [trainer.eps(number) for number in range(trainer.steps)]
    assert 0 < whole[0] < EPS
    assert whole[-1] == EPS
    assert whole == sorted(whole)


def test_a_batch_is_attacked_within_eps(trainer: RobustTrainer) -> None:
    """The clean batch has the same draws: the attack draws after it."""
    last = trainer.steps - 1
    torch.manual_seed(5)
    clean, labels = super(RobustTrainer, trainer).batch(last)
    torch.manual_seed(5)
    attacked, same = trainer.batch(last)
    assert same.equal(labels)
    moved = (attacked - clean).abs()
    assert 0 < float(moved.max()) <= EPS + 1e-6
    assert 0 <= float(attacked.min()) <= float(attacked.max()) <= 1
    assert all(p.requires_grad for p in trainer.network.parameters())
    with torch.no_grad():
        losses = [
            torch.nn.functional.cross_entropy(trainer.network(images), labels)
            for images in (clean, attacked)
        ]
    assert losses[1] > losses[0]
