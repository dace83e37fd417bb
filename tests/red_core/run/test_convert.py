"""Conversion keeps tensors and header, and runs no code of a file unless it is told to."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from red_core.models.model_file import ModelFileError
from red_core.models.own_generator import load_own_generator
from red_core.models.style import StyleGenerator
from red_core.run.convert import convert


@pytest.fixture
def stylegan(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1]))
    import stylegan_like

    return stylegan_like


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out.safetensors"


def ours() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return StyleGenerator((8, 8, 8, 8), 6, 10, 3).state_dict()


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


class Hostile:
    """Unpickling it creates a file, as a real one would run anything else."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("how", ["torch", "legacy torch", "plain", "protocol 0"])
def test_a_hostile_pickle_runs_only_when_told_to(tmp_path: Path, target: Path, how: str) -> None:
    trace, source = tmp_path / "trace", tmp_path / "g.pkl"
    content = {"G_ema": Hostile(trace)}
    if "torch" in how:
        torch.save(content, source, _use_new_zipfile_serialization=how == "torch")
    else:
        source.write_bytes(pickle.dumps(content, protocol=0 if how == "protocol 0" else 4))
    with pytest.raises(ModelFileError, match=r"run any code.*--unpickle|damaged"):
        convert(source, target)
    assert not trace.exists()
    assert not target.exists()
    # The trap is real: told to, it springs, and still nothing is written.
    with pytest.raises(ModelFileError):
        convert(source, target, unpickle=True)
    assert trace.exists()
    assert not target.exists()


@pytest.mark.parametrize("legacy", [False, True])
def test_a_torch_file_of_tensors_needs_no_flag(tmp_path: Path, target: Path, legacy: bool) -> None:
    source = tmp_path / "g.pt"
    torch.save(ours(), source, _use_new_zipfile_serialization=not legacy)
    made = convert(source, target)
    assert same(load_file(target), ours())
    assert made.metadata == {"red.architecture": "red-style"}
    assert made.numbers == sum(t.numel() for t in ours().values())
    assert load_own_generator(target).classes == 3


def test_a_part_is_taken_by_its_key(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "g.pt"
    nested = {"a": torch.zeros(2)}
    torch.save({"G": {"b": torch.ones(1)}, "G_ema": ours(), "more": {"deep": nested}}, source)
    convert(source, target)  # G_ema is the default
    assert same(load_file(target), ours())
    made = convert(source, target, key="more.deep")
    assert same(load_file(target), nested)
    assert made.metadata["red.architecture"] == "foreign"
    with pytest.raises(ModelFileError, match="has no 'G_emma': choose one of G, G_ema, more"):
        convert(source, target, key="G_emma")
    torch.save({"G": nested, "D": nested}, source)
    with pytest.raises(ModelFileError, match="--key: choose one of G, D"):
        convert(source, target)


def test_a_network_goes_round(tmp_path: Path, target: Path, stylegan: Any) -> None:
    torch.manual_seed(0)
    network = stylegan.Generator(num_ws=3, activation=torch.nn.ReLU())
    source = tmp_path / "network-snapshot.pkl"
    source.write_bytes(pickle.dumps({"G": stylegan.Generator(), "G_ema": network}))
    with pytest.raises(ModelFileError, match="pass --unpickle if you trust"):
        convert(source, target)
    made = convert(source, target, unpickle=True)
    assert made.left_out == ("activation",)
    assert made.metadata["red.class"] == "stylegan_like.Generator"
    assert same(load_file(target), dict(network.state_dict()))
    own = load_own_generator(target, stylegan.Generator)
    w = own.mapping(torch.randn(1, 5), torch.tensor([1]))
    images = network.synthesis(w[:, None].expand(-1, 3, -1), noise_mode="const")
    assert torch.allclose(own.synthesis(w), (images / 2 + 0.5).clamp(0, 1), atol=1e-6)


def test_a_network_whose_code_is_missing_is_told(
    tmp_path: Path, target: Path, stylegan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "g.pkl"
    source.write_bytes(pickle.dumps(stylegan.Generator()))
    monkeypatch.undo()
    monkeypatch.delitem(__import__("sys").modules, "stylegan_like")
    with pytest.raises(ModelFileError, match="needs the module 'stylegan_like'"):
        convert(source, target, unpickle=True)


def test_safetensors_are_copied_with_their_header(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "g.safetensors"
    metadata = {"red.architecture": "foreign", "red.init": '{"a": 1}', "format": "pt"}
    save_file({"a": torch.arange(3)}, source, metadata)
    convert(source, target)
    assert same(load_file(target), {"a": torch.arange(3)})
    with safe_open(target, framework="pt") as file:
        assert file.metadata() == {"red.architecture": "foreign", "red.init": '{"a": 1}'}
    with pytest.raises(ModelFileError, match="has no 'G_ema': choose one of a"):
        convert(source, target, key="G_ema")


def test_tensors_that_share_memory_are_parted(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "g.pt"
    base = torch.arange(6.0).view(2, 3)
    torch.save({"a": base, "b": base.T, "c": base[0]}, source)
    convert(source, target)
    assert same(load_file(target), {"a": base, "b": base.T, "c": base[0]})


@pytest.mark.parametrize("name", ["g.pt", "g.safetensors"])
def test_truncated_files_are_refused(tmp_path: Path, target: Path, name: str) -> None:
    source = tmp_path / name
    if name == "g.pt":
        torch.save(ours(), source)
    else:
        save_file(ours(), source)
    whole = source.read_bytes()
    for length in (1, 20, len(whole) // 2, len(whole) - 1):
        source.write_bytes(whole[:length])
        for unpickle in (False, True):
            with pytest.raises(ModelFileError, match=r"damaged|failed"):
                convert(source, target, unpickle=unpickle)
    source.write_bytes(b"")
    with pytest.raises(ModelFileError, match="is empty"):
        convert(source, target)
    assert not list(tmp_path.glob("out*"))


def test_what_holds_no_tensors_is_refused(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "g.pt"
    for content, said in (
        ([1, 2], "holds list, and no tensors by name"),
        ({}, "holds dict, and no tensors by name"),
        ({"epoch": 3, "a": torch.zeros(1)}, "holds more than tensors"),
        ({1: torch.zeros(1)}, "tensors without names"),
    ):
        torch.save(content, source)
        with pytest.raises(ModelFileError, match=said):
            convert(source, target)
    text = tmp_path / "notes.txt"
    text.write_text("no weights at all")
    for unpickle in (False, True):
        with pytest.raises(ModelFileError):
            convert(text, target, unpickle=unpickle)


def test_an_archive_that_grows_is_refused(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "g.pt"
    torch.save(ours(), source)
    monkeypatch.setattr("red_core.run.convert.MAX_BYTES", 1000)
    with pytest.raises(ModelFileError, match="unpacks to more than"):
        convert(source, target)


def test_outputs_that_cannot_be_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "g.safetensors"
    save_file({"a": torch.zeros(1)}, source)
    with pytest.raises(ModelFileError, match=r"must end in \.safetensors"):
        convert(source, tmp_path / "out.pt")
    with pytest.raises(ModelFileError, match="another file than the source"):
        convert(source, source)
    with pytest.raises(ModelFileError, match="there is no file"):
        convert(tmp_path / "nowhere.pt", tmp_path / "out.safetensors")
