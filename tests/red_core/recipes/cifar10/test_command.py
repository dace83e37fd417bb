"""`recipe cifar10` at scale tiny, from official files to checked assets."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from red_core.attacks.pgd import ATTACKS
from red_core.cli import main
from red_core.data.assets import MAX_BYTES, read_manifest, read_tensors, required_files
from red_core.data.datasets import load_official
from red_core.run.cifar10_parts import (
    load_cifar10_dictionary,
    load_denoiser,
    load_generator,
    load_psi,
)
from red_core.run.doctor import check_folder


@pytest.fixture
def made(toy_cifar10: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The assets that the whole command makes."""
    words = ["recipe", "cifar10", "--scale", "tiny", "--device", "cpu"]
    assert main([*words, "--work", str(tmp_path / "work")]) == 0
    assert not (tmp_path / "assets").exists()  # a rehearsal leaves the real ones alone
    monkeypatch.setenv("RED_ASSETS", str(tmp_path / "work" / "tiny-assets"))
    return tmp_path / "work" / "tiny-assets" / "cifar10"


def test_the_whole_recipe(made: Path) -> None:
    manifest = read_manifest("cifar10")
    assert required_files("cifar10") < set(manifest)
    for name, entry in manifest.items():
        assert entry["scale"] == "tiny"
        assert f"--scale tiny --seed {entry['seed']}" in entry["command"]
        assert entry["device"] == "cpu"
        assert entry["bytes"] == (made / name).stat().st_size <= MAX_BYTES
    for name in required_files("cifar10"):
        assert manifest[name]["hours"] >= 0
        assert manifest[name]["measured"]
    measured = manifest["generator.safetensors"]["measured"]
    assert {"inversion", "fidelity"} <= set(measured)
    assert "purification" in manifest["diffusion.safetensors"]["measured"]
    assert all(check.fault is None for check in check_folder("cifar10"))


def test_every_network_is_read_back(made: Path) -> None:
    psi, generator, denoiser = load_psi(), load_generator(), load_denoiser()
    images = load_official("cifar10", "test").images[:4]
    labels = torch.arange(4)
    for network in (psi, generator, denoiser):
        assert not network.training
        assert not any(p.requires_grad for p in network.parameters())
    assert psi(images).shape == (4, 10)
    drawn = generator.sample(labels, range(4))
    assert drawn.shape == images.shape
    assert 0 <= drawn.min() <= drawn.max() <= 1
    assert denoiser(2 * images - 1, torch.full((4,), 0.2)).shape == images.shape


def test_the_dictionary_holds_the_attacks_of_its_images(made: Path) -> None:
    dictionary = load_cifar10_dictionary()
    entry = read_manifest("cifar10")["dictionary.safetensors"]
    assert dictionary.atoms.shape == (3 * 32 * 32, 10 * 3 * 2)
    assert dictionary.attacks == ATTACKS == tuple(entry["attacks"])
    torch.testing.assert_close(dictionary.atoms.norm(dim=0), torch.ones(60))
    measured = entry["measured"]
    assert measured["operator_norm_squared"] == pytest.approx(
        dictionary.operator_norm_squared, abs=0.06
    )
    assert measured["rank"] == int(torch.linalg.matrix_rank(dictionary.atoms.double(), rtol=1e-5))
    assert measured["mean_l2_norm"]["l2"] == pytest.approx(0.5, rel=0.01)
    train, psi = load_official("cifar10", "train"), load_psi()
    index = read_tensors("cifar10", "dictionary.safetensors")["indices"].long()
    assert (train.labels[index] == torch.arange(10)[:, None]).all()
    images, labels = train.images[index.flatten()], train.labels[index.flatten()]
    deltas = (dictionary.atoms * dictionary.norms).T.unflatten(0, (10, 3, 2))
    before = psi(images).argmax(1) == labels
    for number, kind in enumerate(ATTACKS):
        attacked = images + deltas[:, number].flatten(0, 1).view_as(images)
        assert -1e-3 <= attacked.min() <= attacked.max() <= 1 + 1e-3
        after = psi(attacked).argmax(1) == labels
        rate = measured["success_rate"][kind]
        if rate is not None:
            assert rate == pytest.approx(float((before & ~after).sum() / before.sum()), abs=0.101)
    largest = deltas[:, 0].abs().max()
    assert largest == pytest.approx(0.03, rel=1e-3)
    assert deltas[:, 2].abs().sum(-1).max() <= 12 * 1.001


def test_without_the_data_set_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RED_DATA", str(tmp_path / "none"))
    words = ["recipe", "cifar10", "--scale", "tiny", "--only", "classifier"]
    assert main([*words, "--work", str(tmp_path / "work")]) == 2
    assert "CIFAR10 is not under" in capsys.readouterr().err


@pytest.mark.parametrize("part", ["generator", "dictionary", "inversion", "fidelity"])
def test_a_part_without_the_ones_before_it_says_what_to_make(
    toy_cifar10: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    words = ["recipe", "cifar10", "--scale", "tiny", "--device", "cpu", "--only", part]
    assert main([*words, "--work", str(tmp_path / "work")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "is not in the manifest: rebuild with `python -m red_core recipe cifar10`" in said
