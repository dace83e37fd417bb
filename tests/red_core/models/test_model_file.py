"""Every format of a network's file is read, or refused in one sentence before its code runs."""

from __future__ import annotations

import io
import pickle
import sys
import types
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from red_core.models.model_file import (
    INIT,
    FixedBatch,
    ModelFileError,
    build_function,
    read_network,
)

MODULE = """
import torch
from torch import nn

def build(width=4):
    return nn.Sequential(nn.Flatten(), nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 3))
"""


def network(width: int = 4) -> nn.Module:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Flatten(), nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 3))
    return made.eval().requires_grad_(False)


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "net.py"
    path.write_text(MODULE)
    return path


def tensors(folder: Path, made: nn.Module, **metadata: str) -> Path:
    path = folder / "net.safetensors"
    save_file(made.state_dict(), path, metadata)
    return path


def refused(path: Path, module: Path | None = None, trusted: bool = False) -> str:
    with pytest.raises(ModelFileError) as error:
        read_network(path, module, trusted)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_safetensors_file_and_a_python_file_make_the_network(
    tmp_path: Path, module: Path
) -> None:
    images = torch.rand(5, 1, 2, 2)
    read = read_network(tensors(tmp_path, network()), module)
    assert torch.equal(read(images), network()(images))
    assert not read.training
    assert not any(p.requires_grad for p in read.parameters())
    wide = read_network(tensors(tmp_path, network(7), **{INIT: '{"width": 7}'}), module)
    assert torch.equal(wide(images), network(7)(images))
    half = tensors(tmp_path, network().half())
    assert read_network(half, module)(images).dtype == torch.float32


def test_the_python_file_does_not_run_unless_it_is_needed(tmp_path: Path, module: Path) -> None:
    module.write_text(f"open({str(tmp_path / 'trace')!r}, 'w')\n{MODULE}")
    assert "name the Python file whose build() makes it" in refused(tensors(tmp_path, network()))
    assert not (tmp_path / "trace").exists()
    read_network(tensors(tmp_path, network()), module)
    assert (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "must define build(), which returns the torch module"),
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("def build(:", "failed with SyntaxError"),
        ("def build(): return 3", "the factory made int, no torch module"),
        ("def build(): raise KeyError('a')", "building the network failed with KeyError"),
        ("def build(size): pass", "cannot be called with the init arguments"),
        ("from torch import nn\ndef build(): return nn.Linear(4, 3)", "lacks 2 tensors"),
        (MODULE.replace("width=4", "width=5"), "1.bias is [4], and the network needs [5]"),
    ],
)
def test_a_python_file_that_does_not_fit_is_refused(
    tmp_path: Path, module: Path, text: str, said: str
) -> None:
    module.write_text(text)
    assert said in refused(tensors(tmp_path, network()), module)


def test_a_module_is_a_python_file(tmp_path: Path) -> None:
    text = tmp_path / "net.txt"
    text.write_text(MODULE)
    with pytest.raises(ModelFileError, match=r"must end in \.py"):
        build_function(text)
    with pytest.raises(ModelFileError, match="there is no file"):
        build_function(tmp_path / "nowhere.py")


class Hostile:
    """Reading it makes a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("name", ["net.pt", "net.safetensors", "net.unknown"])
@pytest.mark.parametrize("how", ["torch", "legacy torch", "plain"])
def test_a_pickle_is_refused_under_every_name(tmp_path: Path, name: str, how: str) -> None:
    trace, path = tmp_path / "trace", tmp_path / name
    if how == "plain":
        path.write_bytes(pickle.dumps(Hostile(trace), protocol=4))
    else:
        torch.save(Hostile(trace), path, _use_new_zipfile_serialization=how == "torch")
    said = refused(path, trusted=True)
    assert "a pickle, which can run any code" in said
    assert "python -m red_core convert" in said
    assert not trace.exists()


def test_torchscript_and_other_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("net/code/__torch__.py", "op_version_set = 1")
        archive.writestr("net/data.pkl", b"")
    path.write_bytes(buffer.getvalue())
    assert "is a TorchScript file, which is a program" in refused(path, trusted=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes/readme", "")
    assert "an archive that is no network" in refused(path, trusted=True)
    path.write_bytes(b"PK\x03\x04 and no more")
    assert "damaged or truncated" in refused(path)
    path.write_bytes(b"")
    assert "is empty" in refused(path)


@pytest.mark.parametrize("dynamic", [False, True])
def test_an_exported_program_is_read_only_where_it_is_trusted(
    tmp_path: Path, module: Path, dynamic: bool
) -> None:
    path = tmp_path / "net.pt2"
    shapes = ({0: torch.export.Dim("batch")},) if dynamic else None
    program = torch.export.export(network(), (torch.rand(2, 1, 2, 2),), dynamic_shapes=shapes)
    torch.export.save(program, path)
    assert "reading one can run code: pass --trusted" in refused(path)
    assert "a module file goes with a safetensors file" in refused(path, module, trusted=True)
    read = read_network(path, trusted=True)
    assert isinstance(read, FixedBatch) != dynamic
    for size in (1, 2, 5):
        images = torch.rand(size, 1, 2, 2, requires_grad=True)
        assert torch.allclose(read(images), network()(images), atol=1e-6)
        (gradient,) = torch.autograd.grad(read(images).sum(), images)
        assert gradient.any()
    path.write_bytes(path.read_bytes()[:500])
    assert "damaged or truncated" in refused(path, trusted=True)


def test_onnx_needs_a_converter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"\x08\x07\x12\x04test")
    monkeypatch.setitem(sys.modules, "onnx2torch", None)
    assert "is ONNX, which gives no gradients: install onnx2torch" in refused(path)
    converter = types.ModuleType("onnx2torch")
    converter.convert = lambda name: network()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "onnx2torch", converter)
    assert read_network(path)(torch.rand(2, 1, 2, 2)).shape == (2, 3)
    converter.convert = lambda name: 1 / 0  # type: ignore[attr-defined]
    assert "failed with ZeroDivisionError" in refused(path)


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_a_fixed_batch_is_called_with_its_size_alone(count: int) -> None:
    sizes: list[int] = []

    class Noted(nn.Module):
        def forward(self, rows: Tensor) -> Tensor:
            sizes.append(len(rows))
            return 2 * rows

    rows = torch.rand(count, 5)
    assert torch.equal(FixedBatch(Noted(), 3)(rows), 2 * rows)
    assert set(sizes) == {3}
