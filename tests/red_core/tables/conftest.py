"""Toy assets with an adversarially trained network, for white-box attacks."""

import shutil
from pathlib import Path

import pytest
import torch

from red_core.attacks import AttackSettings
from red_core.bundle import Bundle, load_bundle
from red_core.data.assets import write_tensors
from red_core.models.classifiers import Table3CNN


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


@pytest.fixture
def table_bundle(toy_tables: Path, quick_attacks: None) -> Bundle:
    """12 examples, psi, M_inf, G and D_a, untrained; attacks take three steps."""
    return load_bundle("mnist")
