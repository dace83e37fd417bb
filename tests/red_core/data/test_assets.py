"""Bundled files: every way to be damaged ends in an error that says how to mend it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from red_core.data import assets
from red_core.data.assets import AssetError, read_json, read_manifest, read_tensors, write_tensors

COMMAND = "python -m red_core recipe mnist --only thing --seed 0"
TENSORS = {"weight": torch.arange(12.0).reshape(3, 4), "norms": torch.ones(2).half()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An assets folder that holds one good file, `thing.safetensors`."""
    monkeypatch.setenv("RED_ASSETS", str(tmp_path))
    write_tensors("mnist", "thing.safetensors", TENSORS, command=COMMAND, seed=0, licence="MIT")
    return tmp_path / "mnist"


def test_what_was_written_is_read(folder: Path) -> None:
    tensors = read_tensors("mnist", "thing.safetensors")
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert torch.equal(tensors[name], tensor)
        assert tensors[name].dtype == tensor.dtype
    assert sorted(p.name for p in folder.iterdir()) == ["manifest.json", "thing.safetensors"]


def test_the_manifest_says_how_the_file_was_made(folder: Path) -> None:
    entry = read_manifest("mnist")["thing.safetensors"]
    assert entry["command"] == COMMAND
    assert entry["seed"] == 0
    assert entry["licence"] == "MIT"
    assert entry["bytes"] == (folder / "thing.safetensors").stat().st_size
    assert entry["shapes"] == {"norms": ["float16", 2], "weight": ["float32", 3, 4]}
    assert len(entry["sha256"]) == 64


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (flip_a_bit, "damaged or truncated"),
        (truncate, "damaged or truncated"),
        (lambda path: path.write_bytes(b""), "damaged or truncated"),
        (Path.unlink, "missing"),
    ],
)
def test_a_damaged_file_is_named_with_its_command(
    folder: Path, damage: Callable[[Path], object], message: str
) -> None:
    path = folder / "thing.safetensors"
    damage(path)
    with pytest.raises(AssetError, match=message) as caught:
        read_tensors("mnist", "thing.safetensors")
    assert str(path) in str(caught.value)
    assert COMMAND in str(caught.value)


def test_a_file_the_manifest_does_not_know_is_refused(folder: Path) -> None:
    (folder / "other.safetensors").write_bytes((folder / "thing.safetensors").read_bytes())
    with pytest.raises(AssetError, match="not in the manifest") as caught:
        read_tensors("mnist", "other.safetensors")
    assert str(folder / "other.safetensors") in str(caught.value)
    assert "python -m red_core recipe mnist" in str(caught.value)


def test_a_data_set_that_was_never_made_names_its_recipe(folder: Path) -> None:
    with pytest.raises(AssetError, match="python -m red_core recipe fashion"):
        read_tensors("fashion", "thing.safetensors")


def test_a_folder_in_the_place_of_the_file_is_named(folder: Path) -> None:
    path = folder / "thing.safetensors"
    path.unlink()
    path.mkdir()
    with pytest.raises(AssetError, match="missing"):
        read_tensors("mnist", "thing.safetensors")


def test_a_file_of_another_format_is_named(folder: Path) -> None:
    path = folder / "pickle.safetensors"
    path.write_bytes(b"\x80\x04 no tensors in here")
    assets.record("mnist", path.name, command=COMMAND)
    with pytest.raises(AssetError, match="no safetensors file") as caught:
        read_tensors("mnist", path.name)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", '{"thing.safetensors": ', "\x00\x01"])
def test_a_broken_manifest_is_named(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(AssetError, match="not valid JSON: restore it with git") as caught:
        read_tensors("mnist", "thing.safetensors")
    assert str(folder / "manifest.json") in str(caught.value)


def test_a_file_too_large_leaves_what_was_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (folder / "manifest.json").read_text()
    monkeypatch.setattr(assets, "MAX_BYTES", 1000)
    with pytest.raises(AssetError, match=r"thing\.safetensors would exceed 1000 bytes"):
        write_tensors("mnist", "thing.safetensors", {"w": torch.zeros(1000)}, command=COMMAND)
    assert (folder / "manifest.json").read_text() == before
    assert torch.equal(read_tensors("mnist", "thing.safetensors")["weight"], TENSORS["weight"])
    assert not list(folder.glob("*.part"))


def test_an_entry_without_its_command_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="names the command"):
        assets.record("mnist", "thing.safetensors", seed=0)


def test_json_is_checked_like_tensors(folder: Path) -> None:
    path = folder / "results.json"
    path.write_text(json.dumps({"accuracy": 0.5}))
    assets.record("mnist", path.name, command=COMMAND)
    assert read_json("mnist", path.name) == {"accuracy": 0.5}
    path.write_text(json.dumps({"accuracy": 0.9}))
    with pytest.raises(AssetError, match="damaged or truncated"):
        read_json("mnist", path.name)


def test_a_second_file_keeps_the_first_entry(folder: Path) -> None:
    write_tensors("mnist", "second.safetensors", {"w": torch.zeros(3)}, command=COMMAND)
    assert list(read_manifest("mnist")) == ["second.safetensors", "thing.safetensors"]
    assert read_tensors("mnist", "thing.safetensors").keys() == TENSORS.keys()
