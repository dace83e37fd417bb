"""The bundled examples: which images are taken, and what is said where their source is missing."""

import gzip
import struct
from pathlib import Path

import pytest
import torch

from red_core.cli import main
from red_core.data.assets import read_manifest, read_tensors
from red_core.recipes.examples import FASHION_FOLDER, PER_CLASS

COUNT = 10_000


def idx(values: torch.Tensor) -> bytes:
    head = struct.pack(f">{1 + values.ndim}I", 0x800 + values.ndim, *values.shape)
    return gzip.compress(head + values.numpy().tobytes(), 1)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as Debian's package installs it: pixel (0, 0) and (0, 1) number the image."""
    folder = tmp_path / "package"
    folder.mkdir()
    numbers = torch.arange(COUNT)
    images = torch.zeros(COUNT, 28, 28, dtype=torch.uint8)
    images[:, 0, 0], images[:, 0, 1] = (numbers % 256).byte(), (numbers // 256).byte()
    labels = (numbers // 1000).byte()  # sorted, unlike the interleaved examples
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(idx(images))
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(idx(labels))
    monkeypatch.setenv(FASHION_FOLDER, str(folder))
    monkeypatch.setenv("RED_ASSETS", str(tmp_path / "assets"))
    return folder


def recipe(tmp_path: Path) -> int:
    return main(["recipe", "fashion", "--only", "examples", "--work", str(tmp_path / "work")])


def test_forty_articles_a_class_spread_over_the_test_split(package: Path, tmp_path: Path) -> None:
    assert recipe(tmp_path) == 0
    kept = read_tensors("fashion", "examples.safetensors")
    assert kept["images"].shape == (10 * PER_CLASS, 1, 28, 28)
    assert kept["images"].dtype == kept["labels"].dtype == torch.uint8
    assert kept["labels"].tolist() == [i % 10 for i in range(10 * PER_CLASS)]
    corner = kept["images"][:, 0, 0].long()
    number = corner[:, 0] + 256 * corner[:, 1]
    assert (number // 1000 == kept["labels"]).all()  # an image keeps its own label
    assert number[::10].tolist() == list(range(0, 1000, 25))
    entry = read_manifest("fashion")["examples.safetensors"]
    assert "MIT" in entry["licence"]
    assert entry["command"] == "python -m red_core recipe fashion --only examples --seed 0"


def test_a_missing_package_names_the_command(package: Path, tmp_path: Path, capsys) -> None:
    (package / "t10k-labels-idx1-ubyte.gz").unlink()
    assert recipe(tmp_path) == 2
    said = capsys.readouterr().err
    assert "apt-get install dataset-fashion-mnist" in said
    assert FASHION_FOLDER in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("damage", ["cut", "not gzip", "short", "other"])
def test_a_damaged_file_is_refused(package: Path, tmp_path: Path, capsys, damage: str) -> None:
    path = package / "t10k-labels-idx1-ubyte.gz"
    whole = path.read_bytes()
    path.write_bytes(
        {
            "cut": whole[:-12],
            "not gzip": b"labels",
            "short": gzip.compress(gzip.decompress(whole)[:-1]),
            "other": gzip.compress(b"\0"),
        }[damage]
    )
    assert recipe(tmp_path) == 2
    assert "is damaged" in capsys.readouterr().err


def test_the_committed_examples_are_interleaved() -> None:
    for dataset in ("mnist", "fashion"):
        labels = read_tensors(dataset, "examples.safetensors")["labels"]
        assert labels.tolist() == [i % 10 for i in range(10 * PER_CLASS)]
