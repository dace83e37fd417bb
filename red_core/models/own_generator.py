"""A generator of the user's own: weights from safetensors, around them any StyleGAN-like network.

A file says in its header what it holds, as `python -m red_core convert` writes it: the generator
of this repository, or a foreign network's tensors. No file ever names code to run: the network
around foreign tensors is built by a factory that the user names.
"""

from __future__ import annotations

import importlib
import inspect
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from red_core.models.channels_last import to_channels_last
from red_core.models.generator_interface import StyleLike, check_generator
from red_core.models.style import StyleGenerator

MAX_BYTES: Final = 4_000_000_000  # of a file; StyleGAN-XL's for CIFAR-10 is far smaller
MAX_TENSORS: Final = 10_000
ARCHITECTURES: Final = ("red-style", "foreign")
# Keys of the header's metadata, whose values are strings.
ARCHITECTURE, CLASS_NAME, INIT = "red.architecture", "red.class", "red.init"
Factory = Callable[..., nn.Module]
_MEAN_DRAWS: Final = 1000
_CHUNK: Final = 500


class GeneratorFileError(ValueError):
    """A file of weights that cannot be taken; the message is one sentence for the user."""


def load_own_generator(
    path: str | Path, factory: str | Factory | None = None, device: str | torch.device = "cpu"
) -> StyleLike:
    """The generator of a safetensors file, frozen, on a device, and checked by running it once.

    factory: for a file whose header says "foreign": "module:function" on the Python path, or the
    function itself, called with the init arguments that the header keeps. It returns a network of
    StyleGAN's shape (see `StyleGANAdapter`) whose state dict has the file's names and shapes, or a
    network that is `StyleLike` itself. Raises GeneratorFileError for a file that is missing,
    truncated, oversized, no safetensors file, or not for this network; GeneratorError for a
    network that does not keep the interface.
    """
    path = Path(path)
    tensors, metadata = read_weights(path)
    architecture = metadata.get(ARCHITECTURE)
    if architecture not in ARCHITECTURES:
        raise GeneratorFileError(
            f"{path} does not say which generator it holds: "
            "write it with `python -m red_core convert`"
        )
    network: nn.Module
    if architecture == "red-style":
        if not is_ours(tensors):
            raise GeneratorFileError(
                f"{path} says it holds a generator of this repository, but its tensors are others"
            )
        network = StyleGenerator.from_tensors(tensors)
    else:
        network = _build(path, factory, metadata)
        _fill(path, network, tensors)
    network = to_channels_last(network.float(), device).eval().requires_grad_(False)
    own: Any = network
    if not isinstance(network, StyleGenerator) and hasattr(network, "num_ws"):
        own = StyleGANAdapter(network)
    check_generator(own)
    return own


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the header's metadata of a safetensors file; or GeneratorFileError."""
    check_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            if len(names) > MAX_TENSORS:
                raise GeneratorFileError(f"{path} holds more than {MAX_TENSORS} tensors")
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except SafetensorError as error:
        if path.suffix == ".safetensors":
            raise GeneratorFileError(
                f"{path} is damaged, truncated or no safetensors file"
            ) from error
        raise GeneratorFileError(
            f"{path} is no safetensors file: convert it with `python -m red_core convert`"
        ) from error


def check_file(path: Path) -> None:
    """GeneratorFileError for a path that is no file, or one that is empty or too large."""
    if not path.is_file():
        raise GeneratorFileError(f"there is no file {path}")
    size = path.stat().st_size
    if not size:
        raise GeneratorFileError(f"{path} is empty")
    if size > MAX_BYTES:
        raise GeneratorFileError(f"{path} is larger than {MAX_BYTES // 10**9} GB")


def is_ours(tensors: Mapping[str, Tensor]) -> bool:
    """Whether tensors are those of this repository's StyleGenerator, by names and shapes.

    The network they describe is only outlined, so that a made-up shape allocates nothing.
    """
    try:
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that nothing is copied into an outline
            StyleGenerator.from_tensors(tensors)
    except (LookupError, ValueError, TypeError, RuntimeError):
        return False
    return True


def load_factory(name: str) -> Factory:
    """The callable of "module:function"; GeneratorFileError where there is none."""
    module, _, function = name.partition(":")
    if not module or not function:
        raise GeneratorFileError(f"a factory is named module:function, not {name!r}")
    try:
        found = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        raise GeneratorFileError(
            f"the factory {name} needs the module {error.name!r}: put its folder on PYTHONPATH"
        ) from error
    except AttributeError as error:
        raise GeneratorFileError(f"the module {module} has no {function!r}") from error
    if not callable(found):
        raise GeneratorFileError(f"{name} cannot be called")
    factory: Factory = found
    return factory


def _build(path: Path, factory: str | Factory | None, metadata: dict[str, str]) -> nn.Module:
    """What the factory makes of the init arguments in the header."""
    if factory is None:
        made = metadata.get(CLASS_NAME, "a network that this repository does not have")
        raise GeneratorFileError(
            f"{path} holds the tensors of {made}: name the factory that builds it (module:function)"
        )
    build = load_factory(factory) if isinstance(factory, str) else factory
    try:
        arguments = json.loads(metadata.get(INIT, "{}"))
        inspect.signature(build).bind(**arguments)
    except (ValueError, TypeError) as error:
        raise GeneratorFileError(
            f"the factory cannot be called with the init arguments in {path}: {error}"
        ) from error
    network = build(**arguments)
    if not isinstance(network, nn.Module):
        raise GeneratorFileError(f"the factory made {type(network).__name__}, no torch module")
    return network


def _fill(path: Path, network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Load every tensor into the network; GeneratorFileError at the first that does not fit."""
    wanted = network.state_dict()
    for what, names in (
        ("lacks", wanted.keys() - tensors.keys()),
        ("holds, but the network does not have,", tensors.keys() - wanted.keys()),
    ):
        if names:
            some = ", ".join(sorted(names)[:3])
            raise GeneratorFileError(f"{path} {what} {len(names)} tensors, such as {some}")
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            raise GeneratorFileError(
                f"{path}: {name} is {list(tensor.shape)}, "
                f"and the network needs {list(wanted[name].shape)}"
            )
    network.load_state_dict(tensors)


class StyleGANAdapter(nn.Module):
    """A network of StyleGAN2's, StyleGAN3's or StyleGAN-XL's shape behind `StyleLike`.

    network: has `z_dim`, `w_dim`, `c_dim` (0 where not conditional), `num_ws`,
    `mapping(z, c, truncation_psi=1)` -> [B, num_ws, w_dim] with one-hot classes c, and
    `synthesis(ws, noise_mode="const")` -> images in [-1, 1], which are clamped and moved to
    [0, 1]. mean_w is measured once, from 1000 seeded z a class. Raises GeneratorFileError where
    one of these is missing, or the images are not 3 x 32 x 32.
    """

    image_shape = (3, 32, 32)
    class_means: Tensor

    def __init__(self, network: nn.Module, seed: int = 0) -> None:
        super().__init__()
        for name in ("z_dim", "w_dim", "c_dim", "num_ws", "mapping", "synthesis"):
            if not hasattr(network, name):
                raise GeneratorFileError(f"the network has no `{name}`, as a StyleGAN has")
        own: Any = network
        self.network = own
        self.latent, self.width = int(own.z_dim), int(own.w_dim)
        self.layers, self.conditions = int(own.num_ws), int(own.c_dim)
        self.classes = max(1, self.conditions)
        self.register_buffer("class_means", self._measure_means(seed))
        self._check_images()

    def mapping(self, z: Tensor, labels: Tensor) -> Tensor:
        """w [B, w_dim] of z [B, z_dim] and labels [B]; no truncation."""
        if z.dim() != 2 or z.shape[1] != self.latent or labels.shape != z.shape[:1]:
            raise ValueError(
                f"mapping needs z [B, {self.latent}] and labels [B], "
                f"not {list(z.shape)} and {list(labels.shape)}"
            )
        self._check_labels(labels)
        c = torch.zeros(len(z), self.conditions, device=z.device)
        if self.conditions:
            c[torch.arange(len(z), device=z.device), labels] = 1
        ws: Tensor = self.network.mapping(z, c, truncation_psi=1)
        if ws.dim() != 3 or not torch.equal(ws[:, :1].expand_as(ws), ws):
            raise ValueError("the mapping network must give every layer the same w")
        return ws[:, 0]

    def synthesis(self, w: Tensor) -> Tensor:
        """Images [B, 3, 32, 32] in [0, 1] of w [B, num_ws, w_dim] or [B, w_dim]."""
        if w.dim() == 2:
            w = w[:, None].expand(-1, self.layers, -1)
        if w.dim() != 3 or w.shape[1:] != (self.layers, self.width):
            raise ValueError(
                f"synthesis needs w [B, {self.layers}, {self.width}] or [B, {self.width}], "
                f"not {list(w.shape)}"
            )
        images: Tensor = self.network.synthesis(w, noise_mode="const")
        return (images.float() / 2 + 0.5).clamp(0, 1)

    def sample(self, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        """Images [B, 3, 32, 32] of classes `labels` [B], each of its own seed alone."""
        if len(seeds) != len(labels):
            raise ValueError(f"{len(labels)} images need as many seeds, not {len(seeds)}")
        draws = [torch.randn(self.latent, generator=_seeded(seed)) for seed in seeds]
        z = torch.stack(draws) if draws else torch.empty(0, self.latent)
        z = z.to(self.class_means.device)
        return self.synthesis(self.mapping(z, labels.to(z.device)))

    def mean_w(self, labels: Tensor | None = None) -> Tensor:
        """The mean w of each label's class [B, w_dim]; of all classes [1, w_dim] for None."""
        if labels is None:
            return self.class_means.mean(0, keepdim=True)
        self._check_labels(labels)
        return self.class_means[labels]

    def _check_labels(self, labels: Tensor) -> None:
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < self.classes:
            raise ValueError(f"labels must lie from 0 to {self.classes - 1}")

    @torch.no_grad()
    def _measure_means(self, seed: int) -> Tensor:
        device = next((p.device for p in self.network.parameters()), torch.device("cpu"))
        z = torch.randn(_MEAN_DRAWS, self.latent, generator=_seeded(seed)).to(device)
        means = []
        for y in range(self.classes):
            parts = [
                self.mapping(part, torch.full((len(part),), y, device=device)).sum(0)
                for part in z.split(_CHUNK)
            ]
            means.append(torch.stack(parts).sum(0) / _MEAN_DRAWS)
        return torch.stack(means)

    @torch.no_grad()
    def _check_images(self) -> None:
        ws = self.class_means[:1, None].expand(-1, self.layers, -1)
        images: Tensor = self.network.synthesis(ws, noise_mode="const")
        if tuple(images.shape[1:]) != self.image_shape:
            size = " x ".join(map(str, images.shape[1:]))
            raise GeneratorFileError(f"the network draws {size}, and 3 x 32 x 32 is needed")


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
