"""Toy assets on disk: the real networks, untrained, and a small dictionary."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from red_core.attacks import AttackSettings
from red_core.bundle import Bundle, load_bundle
from red_core.data.assets import required_files, write_tensors
from red_core.data.datasets import RUNNABLE
from red_core.models.classifiers import Table3CNN
from red_core.models.dcgan import DCGANGenerator

TOY_EXAMPLES = 12


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An assets folder without encoder and readers, as it is before their recipes have run."""
    root = tmp_path_factory.mktemp("assets")
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RED_ASSETS", str(root))
        for dataset in RUNNABLE:
            made = {"command": f"python -m red_core recipe {dataset}"}
            write_tensors(dataset, "classifier.safetensors", Table3CNN().state_dict(), **made)
            write_tensors(dataset, "generator.safetensors", DCGANGenerator().state_dict(), **made)
            write_tensors(
                dataset,
                "dictionary.safetensors",
                {"deltas": 0.1 * torch.randn(10, 3, 4, 784)},
                attacks=["linf", "l2", "l1"],
                **made,
            )
            images = torch.randint(256, (TOY_EXAMPLES, 1, 28, 28), dtype=torch.uint8)
            labels = (torch.arange(TOY_EXAMPLES) % 10).to(torch.uint8)
            examples = {"images": images, "labels": labels}
            write_tensors(dataset, "examples.safetensors", examples, **made)
        for name in sorted(required_files("cifar10")):  # whose content no run reads yet
            made = {"command": "python -m red_core recipe cifar10"}
            write_tensors("cifar10", name, {"weight": torch.zeros(2)}, **made)
    return root


@pytest.fixture
def toy_assets(toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`toy_folder` as the assets of this test, and no official data set."""
    monkeypatch.setenv("RED_ASSETS", str(toy_folder))
    monkeypatch.setenv("RED_DATA", str(tmp_path / "no-data"))
    return toy_folder


@pytest.fixture
def toy_bundle(toy_assets: Path) -> Bundle:
    return load_bundle("mnist")


@pytest.fixture
def toy_tables(toy_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of assets of its own, which a test may write to, with the file of M_inf."""
    root = tmp_path / "assets"
    shutil.copytree(toy_assets, root)
    monkeypatch.setenv("RED_ASSETS", str(root))
    torch.manual_seed(1)
    made = {"command": "python -m red_core recipe mnist"}
    write_tensors("mnist", "robust-linf.safetensors", Table3CNN().state_dict(), **made)
    return root


@pytest.fixture
def quick_attacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The paper's attacks in three steps."""
    quick = {
        "linf": AttackSettings("linf", 0.3, 0.1, 3),
        "l2": AttackSettings("l2", 2.0, 0.7, 3),
        "l1": AttackSettings("l1", 10.0, 4.0, 3),
    }
    monkeypatch.setattr("red_core.tables.measuring.PAPER_ATTACKS", {"mnist": quick})
