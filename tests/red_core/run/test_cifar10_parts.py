"""The files of CIFAR-10: whatever is wrong with one, AssetError says so and how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import AssetError, record, required_files, write_tensors
from red_core.data.attack_file import packed
from red_core.models.classifiers import Table3CNN
from red_core.models.denoiser import Denoiser
from red_core.models.style import StyleGenerator
from red_core.models.wide_resnet import WideResNet
from red_core.run.cifar10_parts import (
    load_cifar10_dictionary,
    load_denoiser,
    load_generator,
    load_psi,
)

LOADERS: dict[str, Callable[[], object]] = {
    "classifier.safetensors": load_psi,
    "generator.safetensors": load_generator,
    "diffusion.safetensors": load_denoiser,
    "dictionary.safetensors": load_cifar10_dictionary,
}
COMMAND = "python -m red_core recipe cifar10 --only {} --scale cpu --seed 0"


def deltas(classes: int = 10, pixels: int = 3072) -> torch.Tensor:
    return torch.randn(classes, len(ATTACKS), 2, pixels).half()


def write(name: str, tensors: dict[str, torch.Tensor], **more: object) -> None:
    write_tensors("cifar10", name, tensors, command=COMMAND.format(name.split(".")[0]), **more)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four sound files of small networks."""
    monkeypatch.setenv("RED_ASSETS", str(tmp_path))
    torch.manual_seed(0)
    generator = StyleGenerator((8, 8, 8, 8), 6, 10)
    write("classifier.safetensors", WideResNet(10, 1).state_dict())
    write("generator.safetensors", generator.state_dict())
    write("diffusion.safetensors", Denoiser((8, 8), 1, 16).state_dict())
    write("dictionary.safetensors", packed(deltas(), ATTACKS), attacks=list(ATTACKS))
    return tmp_path / "cifar10"


def test_every_required_file_has_a_loader(folder: Path) -> None:
    assert {*LOADERS, "examples.safetensors"} == required_files("cifar10")  # the bundle's own
    for load in LOADERS.values():
        load()


def test_folding_leaves_the_logits(folder: Path) -> None:
    torch.manual_seed(0)
    StyleGenerator((8, 8, 8, 8), 6, 10)
    plain, psi = WideResNet(10, 1).eval(), load_psi()
    images = torch.rand(3, 3, 32, 32)
    assert torch.allclose(psi(images), plain(images), atol=1e-4)
    assert not any(p.requires_grad for p in psi.parameters())


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (flip, "damaged or truncated"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "damaged or truncated"),
        (lambda path: path.write_bytes(b""), "damaged or truncated"),
        (Path.unlink, "missing"),
    ],
)
def test_a_damaged_file_is_refused(
    folder: Path, name: str, damage: Callable[[Path], object], message: str
) -> None:
    damage(folder / name)
    with pytest.raises(AssetError, match=message) as caught:
        LOADERS[name]()
    assert str(folder / name) in str(caught.value)
    assert COMMAND.format(name.split(".")[0]) in str(caught.value)


def foreign(kind: str) -> dict[str, torch.Tensor]:
    """The tensors of something else."""
    made: dict[str, Callable[[], dict[str, torch.Tensor]]] = {
        "nothing": dict,
        "one number": lambda: {"size": torch.tensor(3)},
        "a CNN of MNIST": lambda: Table3CNN().state_dict(),
        "classifier": lambda: WideResNet(10, 1).state_dict(),
        "generator": lambda: StyleGenerator((8, 8, 8, 8), 6, 10).state_dict(),
        "diffusion": lambda: Denoiser((8, 8), 1, 16).state_dict(),
        "dictionary": lambda: packed(deltas(), ATTACKS),
    }
    return made[kind]()


KINDS = ("nothing", "one number", "a CNN of MNIST", *(name.split(".")[0] for name in LOADERS))


@pytest.mark.parametrize(
    ("name", "kind"), [(n, k) for n in LOADERS for k in KINDS if n != f"{k}.safetensors"]
)
def test_a_foreign_file_is_refused_although_its_sum_is_right(
    folder: Path, name: str, kind: str
) -> None:
    write(name, foreign(kind), attacks=list(ATTACKS))
    with pytest.raises(AssetError, match="does not hold what its name says") as caught:
        LOADERS[name]()
    assert str(folder / name) in str(caught.value)
    assert COMMAND.format(name.split(".")[0]) in str(caught.value)


@pytest.mark.parametrize("name", [name for name in LOADERS if name != "dictionary.safetensors"])
@pytest.mark.parametrize("change", ["lost", "more", "reshaped"])
def test_a_network_that_almost_fits_is_refused(folder: Path, name: str, change: str) -> None:
    tensors = foreign(name.split(".")[0])
    last = sorted(key for key, tensor in tensors.items() if tensor.dim() > 1)[-1]
    if change == "lost":
        del tensors[last]
    elif change == "more":
        tensors["more.weight"] = torch.zeros(2, 2)
    else:
        tensors[last] = torch.zeros(1, 1)
    write(name, tensors)
    with pytest.raises(AssetError, match="does not hold what its name says"):
        LOADERS[name]()


@pytest.mark.parametrize("name", LOADERS)
def test_a_pickle_is_refused(folder: Path, name: str) -> None:
    torch.save({"weight": torch.zeros(2)}, folder / name)
    record("cifar10", name, command="python -m red_core recipe cifar10", attacks=list(ATTACKS))
    with pytest.raises(AssetError, match="no safetensors file"):
        LOADERS[name]()


@pytest.mark.parametrize("stored", [deltas(classes=9), deltas(pixels=784)])
def test_a_dictionary_of_other_images_is_refused(folder: Path, stored: torch.Tensor) -> None:
    write("dictionary.safetensors", packed(stored, ATTACKS), attacks=list(ATTACKS))
    with pytest.raises(AssetError, match="does not hold what its name says"):
        load_cifar10_dictionary()


@pytest.mark.parametrize("attacks", [None, [], ["linf", "l2", "l0"]])
def test_a_dictionary_whose_attacks_are_not_named_is_refused(
    folder: Path, attacks: list[str] | None
) -> None:
    more = {} if attacks is None else {"attacks": attacks}
    write("dictionary.safetensors", packed(deltas(), ATTACKS), **more)
    with pytest.raises(AssetError, match="does not hold what its name says"):
        load_cifar10_dictionary()


def test_a_file_that_only_lies_there_is_refused(folder: Path) -> None:
    save_file({"weight": torch.zeros(2)}, folder / "other.safetensors")
    (folder / "manifest.json").unlink()
    for load in LOADERS.values():
        with pytest.raises(AssetError, match="is not in the manifest"):
            load()
