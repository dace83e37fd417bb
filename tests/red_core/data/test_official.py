"""Official data sets with every kind of damage: named with the file and the cure, never used."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from red_core.cli import main
from red_core.data import official
from red_core.data.archive import archive_of, faults_of, is_damaged, is_sound
from red_core.data.datasets import DataDamaged, DataMissing, has_official, load_official
from red_core.data.official import IdxFile
from red_core.run.bundle import load_bundle, with_official_test
from tests.red_core.data.conftest import Server
from tests.red_core.data.toy_archive import ARCHIVE, CONTENT, FOLDER

COUNTS = {"train": 20, "test": 12}
PREFIX = {"train": "train", "test": "t10k"}


def idx(values: np.ndarray, magic: int | None = None) -> bytes:
    header = [0x800 + values.ndim if magic is None else magic, *values.shape]
    return np.array(header, ">u4").tobytes() + values.tobytes()


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small MNIST that counts as the official one; the folder of its files."""
    random = np.random.default_rng(0)
    folder = tmp_path / "root" / "MNIST" / "raw"
    folder.mkdir(parents=True)
    table = {}
    for split, count in COUNTS.items():
        arrays = {
            "images-idx3": random.integers(0, 256, (count, 28, 28), np.uint8),
            "labels-idx1": (np.arange(count) % 10).astype(np.uint8),
        }
        table[split] = []
        for name, values in arrays.items():
            file = f"{PREFIX[split]}-{name}-ubyte"
            (folder / file).write_bytes(idx(values))
            sum_ = hashlib.md5(idx(values)).hexdigest()
            table[split].append(IdxFile(file, values.shape, sum_))
    monkeypatch.setitem(official.IDX, "mnist", table)
    monkeypatch.setenv("RED_DATA", str(tmp_path / "root"))
    return folder


def test_a_sound_one_is_read(raw: Path) -> None:
    test = load_official("mnist", "test")
    assert test.images.shape == (12, 1, 28, 28)
    assert test.labels.tolist() == [i % 10 for i in range(12)]
    assert test.source == "MNIST test"
    pixels = np.frombuffer((raw / "t10k-images-idx3-ubyte").read_bytes(), np.uint8, offset=16)
    assert torch.equal(test.images.flatten() * 255, torch.tensor(pixels).float())
    assert has_official("mnist")


@pytest.mark.parametrize("which", ["all", "images", "a packed copy beside a plain one"])
def test_packed_files_are_read_too(raw: Path, which: str) -> None:
    plain = load_official("mnist", "test")
    for path in list(raw.iterdir()):
        if which != "images" or "images" in path.name:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            if which != "a packed copy beside a plain one":
                path.unlink()
    assert torch.equal(load_official("mnist", "test").images, plain.images)


IMAGES, LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


def changed(path: Path, place: int, value: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] = value
    path.write_bytes(content)


DAMAGES = {
    "empty images": (IMAGES, lambda p: p.write_bytes(b""), "it holds 0 bytes, not 9,424"),
    "empty labels": (LABELS, lambda p: p.write_bytes(b""), "it holds 0 bytes, not 20"),
    "cut short": (IMAGES, lambda p: p.write_bytes(p.read_bytes()[:-1]), "it holds 9,423 bytes"),
    "too long": (
        IMAGES,
        lambda p: p.write_bytes(p.read_bytes() + b"0"),
        "it holds more than 9,424",
    ),
    "a web page": (IMAGES, lambda p: p.write_text("\n<!DOCTYPE html>"), "it is a web page"),
    "another count": (LABELS, lambda p: p.write_bytes(idx(np.zeros(9, np.uint8))), "17 bytes"),
    "another kind": (LABELS, lambda p: changed(p, 3, 3), "its header is not that"),
    "another header": (IMAGES, lambda p: changed(p, 11, 29), "its header is not that"),
    "no class": (LABELS, lambda p: changed(p, 12, 10), "it holds the label 10"),
    "wrong label": (LABELS, lambda p: changed(p, 12, 5), "its MD5 is not the published one"),
    "wrong pixel": (IMAGES, lambda p: changed(p, 20, 1), "its MD5 is not the published one"),
    "missing": (LABELS, lambda p: p.unlink(), "it is missing, and others are there"),
    "a folder": (LABELS, lambda p: (p.unlink(), p.mkdir()), "it is missing"),
    "bad gzip": (
        LABELS,
        lambda p: (p.rename(f"{p}.gz"),),
        "it cannot be unpacked",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named_with_the_file_and_the_cure(
    raw: Path, toy_folder: Path, monkeypatch, tmp_path: Path, capsys, damage: str
) -> None:
    name, spoil, why = DAMAGES[damage]
    spoil(raw / name)
    with pytest.raises(DataDamaged) as caught:
        load_official("mnist", "test")
    said = str(caught.value)
    assert str(raw / name) in said
    assert why in said
    assert "MNIST('" in said
    assert "download=True" in said
    # Neither the command line nor a bundle takes the bundled examples in its place.
    monkeypatch.setenv("RED_ASSETS", str(toy_folder))
    bundle = load_bundle("mnist")
    with pytest.raises(DataDamaged):
        with_official_test(bundle)
    monkeypatch.chdir(tmp_path)
    for words in ("run", "evaluate --examples 2", "evaluate --table 1 --examples 2"):
        assert main(words.split()) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"error: {raw / name}")
        assert error.count("\n") == 1
    assert main(["doctor"]) == 1
    assert f"official mnist in {tmp_path / 'root'}: BAD: {raw / name}" in capsys.readouterr().out


def test_what_is_not_there_at_all_is_missing(raw: Path) -> None:
    for path in raw.iterdir():
        path.unlink()
    with pytest.raises(DataMissing, match="set RED_DATA to a torchvision root that holds it"):
        load_official("mnist", "test")
    assert not has_official("mnist")


def test_a_root_that_is_a_file_holds_nothing(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("RED_DATA", str(root))
        for dataset in ("mnist", "fashion", "cifar10"):
            assert not has_official(dataset)


def test_a_packed_file_is_not_unpacked_beyond_its_size(raw: Path) -> None:
    path = raw / IMAGES
    path.unlink()
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(bytes(200_000_000)))
    with pytest.raises(DataDamaged, match="it holds more than 9,424"):
        load_official("mnist", "test")


# CIFAR-10, whose files are pickles: never opened before their MD5 is right


def lay_out(root: Path, **others: bytes | None) -> None:
    (root / FOLDER).mkdir(parents=True)
    for name, content in {**CONTENT, **others}.items():
        if content is not None:
            (root / FOLDER / name).write_bytes(content)


@pytest.mark.parametrize("damage", [b"", b"<html>", b"cos\nsystem\n(S'false'\ntR.", None])
def test_damaged_pickles_are_not_opened(
    server: Server, tmp_path: Path, monkeypatch, damage: bytes | None
) -> None:
    lay_out(tmp_path / "data", test_batch=damage)
    monkeypatch.setattr("pickle.load", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(DataDamaged, match=r"test_batch is missing or not the official file: `pyth"):
        load_official("cifar10", "test")
    assert is_damaged("cifar10")
    assert faults_of(archive_of("cifar10"), tmp_path / "data") == ["test_batch"]


def test_an_archive_that_is_not_unpacked_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    archive = archive_of("cifar10")
    (tmp_path / "data" / archive.file).write_bytes(ARCHIVE)
    with pytest.raises(DataMissing, match=r"tar\.gz is there, but not unpacked: `python -m red"):
        load_official("cifar10", "test")
    assert not is_damaged("cifar10")
    assert main(["download", "cifar10"]) == 0
    assert server.asked == [], "nothing was fetched"
    assert is_sound(archive, tmp_path / "data")
