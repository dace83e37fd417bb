"""Toy assets on disk: the real networks, untrained, and a small dictionary."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from red_core.attacks.pgd import ATTACKS, AttackSettings
from red_core.data.assets import write_tensors
from red_core.data.attack_file import packed
from red_core.data.own_datasets import opened
from red_core.models.classifiers import Table3CNN
from red_core.models.dcgan import DCGANGenerator
from red_core.models.denoiser import Denoiser
from red_core.models.style import StyleGenerator
from red_core.models.wide_resnet import WideResNet
from red_core.run.bundle import Bundle, load_bundle
from red_core.run.project import close_project

TOY_EXAMPLES = 12
os.environ["RED_RAISE_IN_SECTIONS"] = "1"  # pages, also of servers that tests start: no fault hides


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An assets folder without encoder and readers, as it is before their recipes have run."""
    root = tmp_path_factory.mktemp("assets")
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RED_ASSETS", str(root))
        for dataset in ("mnist", "fashion"):
            _write_grey(dataset)
        _write_cifar10()
    return root


def _write_grey(dataset: str) -> None:
    made = {"command": f"python -m red_core recipe {dataset}"}
    write_tensors(dataset, "classifier.safetensors", Table3CNN().state_dict(), **made)
    write_tensors(dataset, "generator.safetensors", DCGANGenerator().state_dict(), **made)
    deltas = {"deltas": 0.1 * torch.randn(10, 3, 4, 784)}
    write_tensors(dataset, "dictionary.safetensors", deltas, attacks=ATTACKS, **made)
    _write_examples(dataset, (1, 28, 28), made)


def _write_cifar10() -> None:
    made = {"command": "python -m red_core recipe cifar10"}
    generator = StyleGenerator(channels=(16, 8, 8, 8), latent=8, width=16)
    generator.measure_means(20)
    for name, network in (
        ("classifier", WideResNet(10, 1)),
        ("generator", generator),
        ("diffusion", Denoiser(widths=(8, 8), embedding=8)),
    ):
        write_tensors("cifar10", f"{name}.safetensors", network.state_dict(), **made)
    deltas = packed((0.02 * torch.randn(10, 3, 4, 3072)).half(), ATTACKS)
    write_tensors("cifar10", "dictionary.safetensors", deltas, attacks=list(ATTACKS), **made)
    _write_examples("cifar10", (3, 32, 32), made)


def _write_examples(dataset: str, shape: tuple[int, ...], made: dict[str, str]) -> None:
    images = torch.randint(256, (TOY_EXAMPLES, *shape), dtype=torch.uint8)
    labels = (torch.arange(TOY_EXAMPLES) % 10).to(torch.uint8)
    examples = {"images": images, "labels": labels}
    write_tensors(dataset, "examples.safetensors", examples, **made)


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
def toy_cifar10(toy_assets: Path) -> Bundle:
    return load_bundle("cifar10")


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
def toy_generators(toy_tables: Path) -> Path:
    """`toy_tables` with MNIST's second generator, the paper's; Fashion-MNIST lacks it."""
    torch.manual_seed(2)
    made = {"command": "python -m red_core recipe mnist --only paper_generator"}
    weights = DCGANGenerator().state_dict()
    write_tensors("mnist", "paper-generator.safetensors", weights, **made)
    return toy_tables


@pytest.fixture
def quick_attacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The paper's attacks in three steps."""
    quick = {
        "linf": AttackSettings("linf", 0.3, 0.1, 3),
        "l2": AttackSettings("l2", 2.0, 0.7, 3),
        "l1": AttackSettings("l1", 10.0, 4.0, 3),
    }
    monkeypatch.setattr("red_core.measure.tables.measure_table.PAPER_ATTACKS", {"mnist": quick})


@pytest.fixture(autouse=True)
def _no_open_projects() -> Iterator[None]:
    """Close what a test opened: the tables of the data sets belong to the process."""
    yield
    for own in opened():
        close_project(own)
