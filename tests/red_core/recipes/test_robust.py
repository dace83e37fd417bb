"""Adversarial training: four networks, resumable, and what is measured of them."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from red_core.attacks.pgd import PAPER_ATTACKS
from red_core.data.assets import read_manifest, read_tensors
from red_core.data.datasets import ImageSet
from red_core.models.classifiers import Table3CNN
from red_core.recipes import fitting, robust
from red_core.recipes.common import RecipeContext

SIZE = 160


def drawn(dataset: str, split: str) -> ImageSet:
    """Images whose class shows: a bright bar at one of ten heights, on noise."""
    draw = torch.Generator().manual_seed(len(split))
    labels = torch.arange(SIZE) % 10
    images = 0.1 * torch.rand(SIZE, 1, 28, 28, generator=draw)
    for image, label in zip(images, labels, strict=True):
        image[0, 2 * label + 3 : 2 * label + 6] += 0.8
    return ImageSet(images, labels, "drawn")


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RecipeContext:
    torch.manual_seed(1)
    psi = Table3CNN().state_dict()

    def load_classifier(context: RecipeContext) -> Table3CNN:
        network = Table3CNN()
        network.load_state_dict(psi)
        return network.eval()

    monkeypatch.setenv("RED_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setattr(robust, "load_official", drawn)
    monkeypatch.setattr(robust, "load_classifier", load_classifier)
    monkeypatch.setattr(robust, "EPOCHS", dict.fromkeys(robust.NETWORKS, 2))
    monkeypatch.setattr(robust, "NETWORKS", {"l2": ("l2",), "msd": ("linf", "l2", "l1")})
    monkeypatch.setattr(robust, "BEGUN", {"msd": "l2"})
    monkeypatch.setattr(robust, "CHECKED", 8)
    few = {kind: replace(made, steps=3) for kind, made in PAPER_ATTACKS["mnist"].items()}
    monkeypatch.setitem(PAPER_ATTACKS, "mnist", few)
    return RecipeContext("mnist", work=tmp_path / "work")


def test_every_network_is_written_with_its_measured_figures(context: RecipeContext) -> None:
    robust.train_robust(context)
    manifest = read_manifest("mnist")
    for name in ("l2", "msd"):
        measured = manifest[f"robust-{name}.safetensors"]["measured"]
        assert set(measured) == {
            "test_accuracy",
            *(f"{kind}_accuracy_of_8" for kind in ("linf", "l2", "l1")),
        }
        assert all(0 <= share <= 1 for share in measured.values())
        Table3CNN().load_state_dict(read_tensors("mnist", f"robust-{name}.safetensors"))


def test_a_stopped_training_goes_on_to_the_same_network(
    context: RecipeContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    robust.train_robust(context)
    whole = read_tensors("mnist", "robust-msd.safetensors")
    monkeypatch.setenv("RED_ASSETS", str(tmp_path / "again"))
    again = RecipeContext("mnist", work=tmp_path / "work-again")
    save, saved = fitting.save_checkpoint, []

    def save_then_die(path: Path, **state: object) -> None:
        save(path, **state)
        saved.append(path.stem)
        if path.stem == "robust-msd":
            raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "save_checkpoint", save_then_die)
    with pytest.raises(KeyboardInterrupt):
        robust.train_robust(again)
    assert saved == ["robust-l2", "robust-l2", "robust-msd"]
    monkeypatch.setattr(fitting, "save_checkpoint", save)
    robust.train_robust(again)
    for name, tensor in read_tensors("mnist", "robust-msd.safetensors").items():
        torch.testing.assert_close(tensor, whole[name])


def test_the_attack_grows_to_the_papers_eps(
    context: RecipeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    radii: list[float] = []
    attack = robust.attack

    def watched(network, images, labels, balls, steps):
        radii.append(balls[0].eps)
        return attack(network, images, labels, balls, steps)

    monkeypatch.setattr(robust, "attack", watched)
    monkeypatch.setattr(robust, "NETWORKS", {"l2": ("l2",)})
    robust.train_robust(context)
    assert radii == sorted(radii)
    assert radii[0] == pytest.approx(0.2 * 2.0)
    assert radii[-1] == 2.0
