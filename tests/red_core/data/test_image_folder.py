"""A folder of pictures by class: its shape, its split, and every refusal in words."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from red_core.data import image_folder
from red_core.data.image_folder import LEAST, FolderError, read_folder
from red_core.data.intake import read_image
from red_core.data.own_datasets import OwnDataset, add, remove
from tests.toy_projects import write_pictures


@pytest.fixture(autouse=True)
def _forgotten():
    read_folder.cache_clear()


def test_pictures_are_split_by_name_and_stay_what_they_are(tmp_path: Path) -> None:
    found = read_folder(write_pictures(tmp_path / "shapes", classes=3, side=12, colour=True))
    assert found.classes == ("c00", "c01", "c02")
    assert found.shape == (3, 12, 12)
    sizes = {name: len(part) for name, part in found.parts.items()}
    assert sizes == {"train": 96, "held_out": 12, "test": 12}
    assert "the ninth is held out" in found.split
    # The ninth picture of each class in turn, then the nineteenth.
    for place, (label, number) in enumerate([(0, 8), (1, 8), (2, 8), (0, 18)]):
        stored = Image.open(tmp_path / f"shapes/c{label:02d}/{number:03d}.png")
        pixels = torch.from_numpy(np.asarray(stored).astype(np.float32) / 255).permute(2, 0, 1)
        assert torch.equal(found.parts["held_out"].images[place], pixels)
        assert int(found.parts["held_out"].labels[place]) == label
    assert found.parts["test"].source == "shapes (test)"


def test_every_picture_is_in_one_part_alone(tmp_path: Path) -> None:
    found = read_folder(write_pictures(tmp_path / "shapes", classes=2, side=8, count=47))
    rows = torch.cat([part.images.flatten(1) for part in found.parts.values()])
    assert len(rows) == len(rows.unique(dim=0)) == 94


def test_folders_train_and_test_are_kept_apart(tmp_path: Path) -> None:
    write_pictures(tmp_path / "set/train", classes=2, side=8, count=45)
    write_pictures(tmp_path / "set/test", classes=2, side=8, count=6, seed=1)
    found = read_folder(tmp_path / "set")
    sizes = {name: len(part) for name, part in found.parts.items()}
    assert sizes == {"train": 82, "held_out": 8, "test": 12}
    assert found.split.startswith("the folder test is for tests")
    shutil.rmtree(tmp_path / "set/test/c01")
    read_folder.cache_clear()
    with pytest.raises(FolderError, match=r"c01 of .* is not both in train and in test"):
        read_folder(tmp_path / "set")


def test_grey_pictures_are_grey_and_a_size_makes_squares(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "grey", classes=2, side=16)
    assert read_folder(folder).shape == (1, 16, 16)
    wide = Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 30), np.uint8))
    wide.save(folder / "c00" / "000.png")
    read_folder.cache_clear()
    with pytest.raises(FolderError, match=r"30 x 20 pixels, and squares .* --size N cuts out"):
        read_folder(folder)
    found = read_folder(folder, 10)
    assert found.shape == (1, 10, 10)
    assert float(found.parts["train"].images.max()) <= 1


def test_what_is_no_data_set_is_refused_in_words(tmp_path: Path, monkeypatch) -> None:
    folder = write_pictures(tmp_path / "set", classes=2, side=16)

    def refused(said: str, size: int | None = None) -> None:
        read_folder.cache_clear()
        with pytest.raises(FolderError, match=said):
            read_folder(folder, size)

    refused("the size must lie between 8 and 64, not 65", 65)
    (folder / "c01" / "000.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    refused(r"c01/000\.png cannot be read as a picture")
    Image.new("L", (17, 17)).save(folder / "c01" / "000.png")
    refused(r"000\.png is 17 x 17 pixels and .* is 16 x 16: --size N scales all")
    whole = (folder / "c01" / "001.png").read_bytes()
    (folder / "c01" / "000.png").write_bytes(whole[: len(whole) // 2])
    refused(r"000\.png is damaged or incomplete and cannot be decoded")
    Image.new("L", (80, 80)).save(folder / "c01" / "000.png")
    refused("80 x 80 pixels, and squares up to 64 x 64")
    Image.new("L", (5, 5)).save(folder / "c01" / "000.png")
    refused("5 x 5 pixels: it is too large or too small")
    (folder / "c01" / "000.png").unlink()
    refused(f"the class c01 has {LEAST - 1} pictures, and {LEAST} ")
    shutil.rmtree(folder / "c01")
    refused("has 1 classes, and 2 to 100 are taken")
    (folder / "c01").mkdir()
    refused("the class c01 of .* has no picture")
    shutil.rmtree(folder)
    folder.mkdir()
    refused("has no sub-folders")
    folder.rmdir()
    refused("there is no folder")
    for number in range(101):
        write_pictures(folder, classes=1, side=8, count=1, first=number)
    refused("has 101 classes, and 2 to 100 are taken")
    shutil.rmtree(folder)
    write_pictures(folder, classes=2, side=16)
    monkeypatch.setattr(image_folder, "MAX_BYTES", 80_000)
    refused("80 pictures of .* take 0.0 GB in memory")


@pytest.mark.parametrize("channels", [1, 3])
def test_an_uploaded_picture_is_made_one_of_the_set(tmp_path: Path, channels: int) -> None:
    classes, shape = ("cat", "dog"), (channels, 20, 20)
    from red_core.data.datasets import Noun

    noun = Noun("picture", "pictures", "picture", "")
    add(
        OwnDataset("own", "own", "", tmp_path, "pictures", None, classes, shape, noun, False, False)
    )
    try:
        path = tmp_path / "a.png"
        pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
        Image.fromarray(pixels).save(path)
        taken = read_image(path.read_bytes(), dataset="own")
        assert taken.image.shape == shape
        assert taken.steps == ("cropped to the square in the middle", "scaled to 20 x 20 pixels")
    finally:
        remove(["own"])
