from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pages.ui.tables.images import kept_images
from red_core.data.assets import read_tensors
from tests.pages.ui.tables.toys import keep_reports, keep_toys


@pytest.fixture
def unmeasured(toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Toy assets of the test's own, nothing measured; no official data set."""
    folder = tmp_path / "assets"
    shutil.copytree(toy_folder, folder)
    monkeypatch.setenv("RED_ASSETS", str(folder))
    monkeypatch.setenv("RED_DATA", str(tmp_path / "no-data"))
    kept_images.clear()
    yield folder
    kept_images.clear()


@pytest.fixture
def labels(unmeasured: Path) -> np.ndarray:
    """The classes of the bundled examples."""
    return read_tensors("mnist", "examples.safetensors")["labels"].long().numpy()


@pytest.fixture
def measured(unmeasured: Path, labels: np.ndarray) -> Path:
    """The same with toy tables of MNIST on both kinds of images, and both reports."""
    for number in ("1", "4"):
        keep_toys(number, labels, "official", "bundled")
    keep_reports("mnist")
    return unmeasured
