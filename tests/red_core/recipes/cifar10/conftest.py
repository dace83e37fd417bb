"""A small CIFAR-10 on disk, and attacks in a few steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from red_core.attacks.pgd import PAPER_ATTACKS, AttackSettings
from tests.red_core.recipes.cifar10 import toy_data


@pytest.fixture(scope="session")
def toy_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with the files of CIFAR-10, which torchvision's own check refuses."""
    root = tmp_path_factory.mktemp("data")
    toy_data.write(root)
    return root


@pytest.fixture
def toy_cifar10(toy_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small CIFAR-10 as the official one, no assets, and attacks of three steps."""
    toy_data.accept(toy_root, monkeypatch.setattr)
    quick = {
        "linf": AttackSettings("linf", 0.03, 0.01, 3),
        "l2": AttackSettings("l2", 0.5, 0.2, 3),
        "l1": AttackSettings("l1", 12.0, 4.0, 3),
    }
    monkeypatch.setitem(PAPER_ATTACKS, "cifar10", quick)
    monkeypatch.setenv("RED_DATA", str(toy_root))
    monkeypatch.setenv("RED_ASSETS", str(tmp_path / "assets"))
    return toy_root
