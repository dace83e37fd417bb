"""Files of somebody else's networks: which are read, how a module is built, what is refused.

A safetensors file is numbers and names; the network around them is built by a small Python file
that defines `build()`, and which runs only where the operator names it. A file of torch.export
(.pt2) can run code when it is read, so it is read only where the operator says that it is trusted.
Pickles (what `torch.save` writes) and TorchScript are refused.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

MAX_BYTES: Final = 4_000_000_000  # of a file; StyleGAN-XL's for CIFAR-10 is far smaller
MAX_TENSORS: Final = 10_000
# Keys of the header's metadata, whose values are strings.
ARCHITECTURE, CLASS_NAME, INIT = "red.architecture", "red.class", "red.init"
BUILD: Final = "build"  # the function of a module file
Factory = Callable[..., nn.Module]


class ModelFileError(ValueError):
    """A file of a network that cannot be taken; the message is one sentence for the user."""


def check_file(path: Path) -> None:
    """ModelFileError for a path that is no file, or one that is empty or too large."""
    if not path.is_file():
        raise ModelFileError(f"there is no file {path}")
    size = path.stat().st_size
    if not size:
        raise ModelFileError(f"{path} is empty")
    if size > MAX_BYTES:
        raise ModelFileError(f"{path} is larger than {MAX_BYTES // 10**9} GB")


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the header's metadata of a safetensors file; or ModelFileError."""
    check_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            if len(names) > MAX_TENSORS:
                raise ModelFileError(f"{path} holds more than {MAX_TENSORS} tensors")
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except SafetensorError as error:
        if path.suffix == ".safetensors":
            raise ModelFileError(f"{path} is damaged, truncated or no safetensors file") from error
        raise ModelFileError(
            f"{path} is no safetensors file: convert it with `python -m red_core convert`"
        ) from error


def build_function(path: Path) -> Factory:
    """`build` of a Python file, which this runs; ModelFileError where it fails or has none.

    The file is run under a name of its own and is not put on the module path, so it must hold all
    that it needs beside installed packages.
    """
    check_file(path)
    spec = importlib.util.spec_from_file_location(f"red_module_{path.stem}", path)
    if path.suffix != ".py" or spec is None or spec.loader is None:
        raise ModelFileError(f"{path} is no Python file: it must end in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a stranger's code raises
        raise ModelFileError(f"running {path} failed with {_words(error)}") from error
    build = getattr(module, BUILD, None)
    if not callable(build):
        raise ModelFileError(f"{path} must define {BUILD}(), which returns the torch module")
    factory: Factory = build
    return factory


def build_network(
    path: Path, factory: Factory, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> nn.Module:
    """The factory's network with every tensor of a file in it; float32, eval mode, frozen.

    The factory is called with the init arguments that the header keeps (`convert` writes them).
    """
    try:
        arguments = json.loads(metadata.get(INIT, "{}"))
        inspect.signature(factory).bind(**arguments)
    except (ValueError, TypeError) as error:
        raise ModelFileError(
            f"the factory cannot be called with the init arguments in {path}: {error}"
        ) from error
    try:
        network = factory(**arguments)
    except Exception as error:
        raise ModelFileError(f"building the network failed with {_words(error)}") from error
    if not isinstance(network, nn.Module):
        raise ModelFileError(f"the factory made {type(network).__name__}, no torch module")
    _fill(path, network, tensors)
    return network.float().eval().requires_grad_(False)


def _fill(path: Path, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Load every tensor into the network; ModelFileError at the first that does not fit."""
    wanted = network.state_dict()
    for what, names in (
        ("lacks", wanted.keys() - tensors.keys()),
        ("holds, but the network does not have,", tensors.keys() - wanted.keys()),
    ):
        if names:
            some = ", ".join(sorted(names)[:3])
            raise ModelFileError(f"{path} {what} {len(names)} tensors, such as {some}")
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            raise ModelFileError(
                f"{path}: {name} is {list(tensor.shape)}, "
                f"and the network needs {list(wanted[name].shape)}"
            )
    network.load_state_dict(tensors)


def read_network(path: Path, module: Path | None = None, trusted: bool = False) -> nn.Module:
    """The network of a file, float32, frozen, on the CPU: formats by content, not by name.

    module: the Python file that builds it, for a safetensors file alone; trusted: whether a
    torch.export file may be read, which can run code. ONNX needs the package onnx2torch. A network
    of a fixed batch size comes in a `FixedBatch`. Raises ModelFileError, one sentence, for
    everything that cannot be read or is not safe to read.
    """
    check_file(path)
    kind = _format(path)
    if kind in _REFUSED:
        raise ModelFileError(f"{path} is {_REFUSED[kind]}")
    if kind != "safetensors" and module is not None:
        raise ModelFileError(f"a module file goes with a safetensors file, which {path} is not")
    if kind == "onnx":
        return _from_onnx(path)
    if kind == "export":
        if not trusted:
            raise ModelFileError(
                f"{path} is a torch.export file, and reading one can run code: pass --trusted if "
                "you trust where it comes from, or use a safetensors file with a module file"
            )
        return _from_export(path)
    tensors, metadata = read_weights(path)
    if module is None:
        made = metadata.get(CLASS_NAME, "a network that this repository does not have")
        raise ModelFileError(
            f"{path} holds the tensors of {made}: name the Python file whose {BUILD}() makes it"
        )
    return build_network(path, build_function(module), tensors, metadata)


_PICKLE = (
    "a pickle, which can run any code: write a safetensors file with `python -m red_core convert`"
)
_REFUSED = {
    "pickle": _PICKLE,
    "torchscript": "a TorchScript file, which is a program: save its state dict as safetensors and "
    "name the Python file that builds the module",
    "zip": "an archive that is no network: use safetensors, or a torch.export file (.pt2)",
}


def _format(path: Path) -> str:
    """safetensors, export, onnx, or a key of _REFUSED."""
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(b"PK"):
        try:
            with zipfile.ZipFile(path) as archive:
                members = [member.partition("/")[2] for member in archive.namelist()]
        except zipfile.BadZipFile as error:
            raise ModelFileError(f"{path} is damaged or truncated") from error
        if any(name.startswith("code/") for name in members):
            return "torchscript"
        if "archive_format" in members:
            return "export"
        return "pickle" if any(name == "data.pkl" for name in members) else "zip"
    if path.suffix == ".onnx":
        return "onnx"
    if head[8:9] == b"{":  # the header's length comes first, of 8 bytes
        return "safetensors"
    named = path.suffix in (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin")
    return "pickle" if named or head[:1] == b"\x80" else "safetensors"


def _from_export(path: Path) -> nn.Module:
    try:
        program = torch.export.load(path)
        network = program.module()
        names = set(program.graph_signature.user_inputs)
        inputs = [node for node in program.graph.nodes if node.name in names]
    except Exception as error:  # its reader raises many kinds
        raise ModelFileError(f"reading {path} failed with {_words(error)}") from error
    if len(inputs) != 1:
        raise ModelFileError(f"{path} takes {len(inputs)} inputs, and images alone are wanted")
    frozen = network.requires_grad_(False)  # an exported module knows no eval()
    size = inputs[0].meta["val"].shape[0]
    return FixedBatch(frozen, size) if isinstance(size, int) else frozen


def _from_onnx(path: Path) -> nn.Module:
    try:
        converter: ModuleType = importlib.import_module("onnx2torch")
    except ImportError as error:
        raise ModelFileError(
            f"{path} is ONNX, which gives no gradients: install onnx2torch, which makes a torch "
            "module of it, or use safetensors with a module file"
        ) from error
    try:
        network: nn.Module = converter.convert(str(path))
    except Exception as error:
        raise ModelFileError(f"converting {path} failed with {_words(error)}") from error
    return network.float().eval().requires_grad_(False)


class FixedBatch(nn.Module):
    """A network that takes exactly `size` items, on any number of them: rows [B, ...] -> [B, ...].

    It is called on `size` items after another; the last call is filled up with copies.
    """

    def __init__(self, network: nn.Module, size: int) -> None:
        super().__init__()
        self.network, self.size = network, size

    def forward(self, rows: Tensor) -> Tensor:
        """The network's answers to rows [B, ...]; no row depends on the copies."""
        missing = -len(rows) % self.size
        filled = torch.cat((rows, rows[-1:].expand(missing, *rows.shape[1:])))
        made = torch.cat([self.network(part) for part in filled.split(self.size)])
        return made[: len(rows)]


def _words(error: Exception) -> str:
    """An exception as part of one sentence."""
    text: Any = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}"
