"""`doctor`: status 1 for a bad or missing asset, and for nothing else."""

import json
import shutil
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from red_core.cli import main
from red_core.data.assets import record


@pytest.fixture
def assets(toy_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may damage."""
    own = tmp_path / "assets"
    shutil.copytree(toy_assets, own)
    monkeypatch.setenv("RED_ASSETS", str(own))
    return own / "mnist"


def test_a_sound_checkout(assets: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "doctor.json"
    assert main(["doctor", "--json", str(out)]) == 0
    said = capsys.readouterr().out
    for word in ("python", "torch ", "torchvision", "advertorch", "streamlit", "device", "threads"):
        assert word in said
    for name in ("classifier", "generator", "dictionary", "examples"):
        assert f"mnist/{name}.safetensors: sound" in said
        assert f"fashion/{name}.safetensors: sound" in said
    for name in ("classifier", "generator", "diffusion", "dictionary", "examples"):
        assert f"cifar10/{name}.safetensors: sound" in said
    assert "official mnist in" in said
    assert "official fashion in" in said
    assert "official cifar10 in" in said
    assert json.loads(out.read_text())["sound"] is True


@pytest.mark.parametrize("name", ["classifier", "generator", "dictionary", "examples"])
def test_one_changed_byte(assets: Path, capsys, name: str) -> None:
    path = assets / f"{name}.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert said.count("BAD") == 1
    assert f"{name}.safetensors: BAD" in said
    assert "python -m red_core recipe mnist" in said


def test_a_missing_file(assets: Path, capsys) -> None:
    (assets / "generator.safetensors").unlink()
    assert main(["doctor"]) == 1
    assert "generator.safetensors is missing" in capsys.readouterr().out


@pytest.mark.parametrize(("dataset", "files"), [("fashion", 4), ("cifar10", 5)])
def test_a_data_set_that_was_never_made(assets: Path, capsys, dataset: str, files: int) -> None:
    shutil.rmtree(assets.parent / dataset)
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert said.count("BAD") == files
    assert f"python -m red_core recipe {dataset}" in said


def test_a_file_that_the_manifest_does_not_name(assets: Path, capsys) -> None:
    manifest = json.loads((assets / "manifest.json").read_text())
    del manifest["dictionary.safetensors"]
    (assets / "manifest.json").write_text(json.dumps(manifest))
    assert main(["doctor"]) == 1
    assert "dictionary.safetensors: BAD" in capsys.readouterr().out


def test_measured_files_of_other_folders_are_checked_too(assets: Path, capsys) -> None:
    folder = assets.parent / "theory"
    folder.mkdir()
    (folder / "figure1.json").write_text("{}")
    record("theory", "figure1.json", command="python -m red_core theory figure1")
    assert main(["doctor"]) == 0
    assert "theory/figure1.json: sound" in capsys.readouterr().out
    (folder / "figure1.json").write_text("{ }")
    assert main(["doctor"]) == 1
    assert "theory/figure1.json: BAD" in capsys.readouterr().out


def test_a_broken_manifest(assets: Path, capsys) -> None:
    (assets / "manifest.json").write_text("{")
    assert main(["doctor"]) == 1
    assert "not valid JSON" in capsys.readouterr().out


def test_a_package_that_is_not_installed_is_no_bad_asset(assets: Path, capsys, monkeypatch) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", version)
    assert main(["doctor"]) == 0
    assert "not installed" in capsys.readouterr().out
